"""The grammar planner: what sentences become, and what it asks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from agent.facts import after, expected, holds
from agent.planner.grammar import GrammarPlanner
from agent.planner.verify import PlanVerifier
from agent.types import (
    TABLE,
    Plan,
    Reason,
    Scene,
    Subgoal,
    SubgoalOutcome,
    SubgoalResult,
    Verdict,
    VerdictValue,
)
from skills.registry import load_contracts, load_heldout
from tests.scenes import scene

CONTRACTS = load_contracts()
PLANNER = GrammarPlanner()
ALL = scene()

R, G, B, Y = "red block", "green block", "blue block", "yellow block"
BLUE, WHITE, PLATE = "blue bowl", "white bowl", "plate"


def call(skill: str, *values: str) -> Subgoal:
    """Return a subgoal with its canonical phrase."""
    contract = CONTRACTS[skill]
    args = dict(zip(contract.args, values, strict=True))
    return Subgoal(skill=skill, args=args, phrase=contract.phrase(args))


def put(thing: str, target: str) -> list[Subgoal]:
    """Return the grasp and the placement."""
    skill = "place_in" if target in (BLUE, WHITE) else "place_on"
    return [call("pick", thing), call(skill, thing, target)]


def puts(target: str, *things: str) -> list[Subgoal]:
    """Return grasp and placement for several blocks."""
    return [subgoal for thing in things for subgoal in put(thing, target)]


def result(subgoal: Subgoal, good: bool = True) -> SubgoalResult:
    """Return a confirmed result, or a refuted one."""
    value = VerdictValue.CONFIRMED if good else VerdictValue.REFUTED
    verdict = Verdict(value, Reason.DONE if good else Reason.GRASP_MISSED, 1.0)
    outcome = SubgoalOutcome.SUCCESS if good else SubgoalOutcome.FAILED
    return SubgoalResult(subgoal, outcome, verdict, attempts=1, ticks=10)


def plan(command: str, where: Scene = ALL, *history: SubgoalResult) -> Plan:
    """Plan with the shipped contracts."""
    return PLANNER.plan(command, where, CONTRACTS, history)


HOME, LOOK, WAIT, RELEASE = [call("home")], [call("look")], [call("wait")], [call("release")]
ASIDE = [call("place_on", R, "left zone")]
"""What is held is set down in the nearest free zone before something else is picked up."""
PICK_R, PICK_G = [call("pick", R)], [call("pick", G)]
R_BLUE = put(R, BLUE)
EVERY = (R, G, B, Y)

COMMANDS: list[tuple[str, list[Subgoal]]] = [
    ("pick up the red block", PICK_R),
    ("Pick the red block up.", PICK_R),
    ("grab the green cube", PICK_G),
    ("Can you please pick up the red one?", PICK_R),
    ("could you lift the little red brick, please", PICK_R),
    ("pick up that red block", PICK_R),
    ("put the red block in the blue bowl", R_BLUE),
    ("put red block in blue bowl", R_BLUE),
    ("Please place the red cube into the blue basin!", R_BLUE),
    ("drop the red block in the blue bowl", R_BLUE),
    ("bring the red block to the blue bowl", R_BLUE),
    ("take the red block to the blue bowl", R_BLUE),
    ("move the red block over to the blue bowl", R_BLUE),
    ("put the red one in the blue one", R_BLUE),
    ("put the red in the blue", R_BLUE),
    ("put the red block on the blue bowl", R_BLUE),
    ("the red block in the blue bowl", R_BLUE),
    ("put the red block on the plate", put(R, PLATE)),
    ("put the red block in the dish", put(R, PLATE)),
    ("put the red block back on the plate", put(R, PLATE)),
    ("set the red block down on the plate", put(R, PLATE)),
    ("move the red block to the left", put(R, "left zone")),
    ("put the red block on the left side of the table", put(R, "left zone")),
    ("put the red block to the right-hand side", put(R, "right zone")),
    ("put the red block in the middle", put(R, "centre zone")),
    ("put the red block in the center of the table", put(R, "centre zone")),
    ("place the red block at the front", put(R, "front zone")),
    ("move the red block to the back", put(R, "back zone")),
    ("put the red block in the left zone", put(R, "left zone")),
    ("pick up the red block and put it in the blue bowl", R_BLUE),
    ("grab the red block, then place it in the blue bowl", R_BLUE),
    ("pick up the red block. Put that in the blue bowl.", R_BLUE),
    ("pick up the red block and put the block in the blue bowl", R_BLUE),
    ("pick up the red block and the green block and put them on the plate", puts(PLATE, R, G)),
    (
        "pick up the red block, go home, and put it on the plate",
        [*PICK_R, *HOME, call("place_on", R, PLATE)],
    ),
    ("pick up the red block then the green block", [*PICK_R, *ASIDE, *PICK_G]),
    ("put the red block in the blue bowl and the green block on the plate", R_BLUE + put(G, PLATE)),
    (
        "put the red block in the blue bowl, then put the green block on the plate",
        R_BLUE + put(G, PLATE),
    ),
    (
        "put the red block in the blue bowl; after that move the green one to the left",
        R_BLUE + put(G, "left zone"),
    ),
    (
        "put the red block in the blue bowl, the green one there too, and then go home",
        puts(BLUE, R, G) + HOME,
    ),
    ("put the red block in the blue bowl and put the green block in it", puts(BLUE, R, G)),
    (
        "put the red block in the blue bowl and the green one in the other bowl",
        R_BLUE + put(G, WHITE),
    ),
    ("put the red block in the blue bowl and the green one in the bowl", puts(BLUE, R, G)),
    ("put the red and the green block in the blue bowl", puts(BLUE, R, G)),
    ("put the red, green and yellow blocks in the blue bowl", puts(BLUE, R, G, Y)),
    ("put both the red and the green block in the blue bowl", puts(BLUE, R, G)),
    ("put the red block and also the green block on the plate", puts(PLATE, R, G)),
    ("put both the red and the green blocks in the blue bowl", puts(BLUE, R, G)),
    ("pick up the red block, wait and let it go", [*PICK_R, *WAIT, *RELEASE]),
    ("put three blocks in the white bowl", puts(WHITE, R, G, B)),
    ("put a block in the blue bowl", R_BLUE),
    ("put any of the blocks in the blue bowl", R_BLUE),
    ("put the red or the green block on the plate", put(R, PLATE)),
    ("put the red block in the blue bowl on the left", R_BLUE),
    ("put the red block on the green block", put(R, G)),
    ("push the red block to the left", [call("push", R, "left")]),
    ("put all blocks except the red one in the white bowl", puts(WHITE, G, B, Y)),
    ("put all blocks in the white bowl except the red one", puts(WHITE, G, B, Y)),
    ("put everything but the red and the green block on the right", puts("right zone", B, Y)),
    (
        "put the red block on the plate and everything else in the white bowl",
        put(R, PLATE) + puts(WHITE, G, B, Y),
    ),
    (
        "put the red block on the plate and the rest of the blocks in the white bowl",
        put(R, PLATE) + puts(WHITE, G, B, Y),
    ),
    ("put the red block in the blue bowl, no, the white one", put(R, WHITE)),
    ("put the red block in the blue bowl, no, the green one", put(G, BLUE)),
    ("put the red block in the blue bowl, no, not the red one, the green one", put(G, BLUE)),
    ("put the red block in the blue bowl, no, not the red one but the green one", put(G, BLUE)),
    ("put the red block in the blue bowl, no, not the red one the green one", put(G, BLUE)),
    ("put the red block in the blue bowl, no, not in the bowl, on the plate", put(R, PLATE)),
    ("put the green block, sorry, the red one in the blue bowl", R_BLUE),
    ("pick up the green block. No, the red one.", PICK_R),
    ("pick up the green block, actually go home", HOME),
    ("put the red block on the plate, no, in the blue bowl", R_BLUE),
    ("put the red block on the plate, no, put it in the blue bowl instead", R_BLUE),
    ("put the red block in the blue bowl, then move it to the plate", R_BLUE + put(R, PLATE)),
    ("go home", HOME),
    ("return to the home position", HOME),
    ("open the gripper", RELEASE),
    ("let go", RELEASE),
    ("wait a moment", WAIT),
    ("look again", LOOK),
    ("take a look, wait, open your hand and go home", LOOK + WAIT + RELEASE + HOME),
]


@pytest.mark.parametrize(("command", "subgoals"), COMMANDS)
def test_commands_become_subgoals(command: str, subgoals: list[Subgoal]) -> None:
    """What is understood becomes exactly these calls."""
    made = plan(command)
    assert made.question is None
    assert list(made.subgoals) == subgoals
    assert made.reply.startswith("I will")


QUESTIONS: list[tuple[str, list[str]]] = [
    ("", ["no command", "put the red block"]),
    ("please", ["no command"]),
    ("make me a sandwich", ["make", "put the red block in the blue bowl"]),
    ("drop off the plate", ["What should I put"]),
    ("push the red block", ["Which way", "left", "back"]),
    ("push the red block into the blue bowl", ["only left", "put it there"]),
    ("put the red block on the plate and sing a song", ["sing"]),
    ("go left", ["go"]),
    ("pick up", ["What should I pick up"]),
    ("put", ["where"]),
    ("put the red block", ["Where should I put the red block"]),
    ("put the in the blue bowl", ["missing"]),
    ("put the purple block in the blue bowl", ["no purple block", "Did you mean the red block"]),
    ("pick up the elephant", ["no elephant", "yellow block"]),
    ("put the red block in the drawer", ["no drawer", "blue bowl"]),
    ("put all the blocks in the white bowl", ["no room", "yellow block", "at most 3"]),
    ("put every block in the white bowl", ["no room for the yellow block"]),
    ("put all four blocks in the white bowl", ["no room for the yellow block"]),
    ("put everything in the white bowl", ["no room for the yellow block"]),
    ("put the block in the blue bowl", ["Which block", R, G, B, Y]),
    ("put the red block in the bowl", ["Which bowl", BLUE, WHITE]),
    ("put the red block in the zone", ["Which zone", "left zone"]),
    ("put both blocks on the plate", ["Which 2 blocks"]),
    ("put it in the blue bowl", ["'it'", R]),
    ("put the red block there", ["'there'"]),
    ("put the others on the plate", ["Other than"]),
    ("pick up the red and the green block", ["only one thing", R, G]),
    ("move the blue bowl to the left", ["only blocks", "blue bowl"]),
    ("move the bowl to the left", ["only blocks"]),
    ("pick up the plate", ["only blocks", "plate"]),
    ("put the red block to the left of the plate", ["plates and zones", "left of the plate"]),
    ("put the red block next to the plate", ["plates and zones", "near the plate"]),
    ("don't put the red block on the plate", ["should not do"]),
    ("put the red block on the plate unless it is wet", ["wet"]),
    ("put the red block twice on the plate", ["twice"]),
    ("wait for the red block", ["for"]),
    ("drop the red block", ["not holding the red block"]),
    (
        "move the red block from the blue bowl to the plate",
        ["no red block from the blue bowl", "on the table"],
    ),
    ("put the red block in the blue bowl, no, the blue one", ["what I should move"]),
    ("put the red block in the blue bowl, no, not the red one", ["only what I should not do"]),
    ("put the red block in the blue bowl, no, not in the bowl on the left", ["should not do"]),
]


@pytest.mark.parametrize(("command", "parts"), QUESTIONS)
def test_unclear_commands_become_questions(command: str, parts: list[str]) -> None:
    """What is not clear moves nothing, and the question says what it is about."""
    made = plan(command)
    assert made.subgoals == ()
    assert made.question is not None
    for part in parts:
        assert part in made.question


def test_the_phrases_of_the_skills_are_understood() -> None:
    """Every way of asking the policy is a way of asking the robot."""
    heldout = load_heldout()
    for skill, target in itertools.product(("pick", "place_in", "place_on"), (BLUE, PLATE)):
        contract = CONTRACTS[skill]
        if skill == "place_in" and target == PLATE:
            continue
        where = "left zone" if skill == "place_on" and target == BLUE else target
        wanted = PICK_R if skill == "pick" else put(R, where)
        for template in (*contract.phrases, *heldout[skill]):
            assert list(plan(template.format(object=R, target=where)).subgoals) == wanted, template


def test_one_bowl_needs_no_colour() -> None:
    """A reference is ambiguous only where there are several."""
    few = scene(R, BLUE)
    assert list(plan("put the block in the bowl", few).subgoals) == R_BLUE
    assert list(plan("put it in the bowl", scene(R, BLUE, on={R: "hand"})).subgoals) == R_BLUE[1:]
    assert list(plan("put both blocks on the plate", scene(R, G, PLATE)).subgoals) == puts(
        PLATE, R, G
    )


def test_an_object_hardly_believed_in_is_not_seen() -> None:
    """Presence below the threshold is as good as absence."""
    question = plan("pick up the red block", scene(presence={R: 0.3})).question
    assert question is not None
    assert "no red block" in question


def test_goals_that_hold_are_skipped() -> None:
    """Only what is missing is done, and nothing at all is a look."""
    placed = scene(on={R: BLUE})
    assert list(plan("put the red and green block in the blue bowl", placed).subgoals) == put(
        G, BLUE
    )
    already = plan("put the red block in the blue bowl", placed)
    assert list(already.subgoals) == LOOK
    assert "already" in already.reply
    assert list(plan("move the red block to the left", scene(at={R: (0.5, 0.25)})).subgoals) == LOOK
    assert list(plan("pick up the red block", scene(on={R: "hand"})).subgoals) == LOOK


def test_what_is_held_is_put_down_first() -> None:
    """The hand is emptied by finishing a goal of its own if there is one."""
    holding = scene(on={R: "hand"})
    assert list(plan("put the red block in the blue bowl", holding).subgoals) == R_BLUE[1:]
    assert list(plan("put the green block on the plate", holding).subgoals) == [
        *ASIDE,
        *put(G, PLATE),
    ]
    both = plan("put the green block on the plate and the red block in the blue bowl", holding)
    assert list(both.subgoals) == [R_BLUE[1], *put(G, PLATE)]
    assert list(plan("drop the red block", holding).subgoals) == RELEASE
    assert list(plan("drop it", holding).subgoals) == RELEASE
    assert list(plan("put it down", holding).subgoals) == ASIDE


def test_things_are_moved_from_where_they_are() -> None:
    """A source restricts what is meant."""
    filled = scene(on={R: BLUE, Y: BLUE})
    assert list(plan("move everything from the blue bowl to the plate", filled).subgoals) == puts(
        PLATE, R, Y
    )
    assert (
        list(plan("take the red block out of the bowl", scene(R, BLUE, on={R: BLUE})).subgoals)
        == PICK_R
    )
    assert list(plan("pick up the block in the blue bowl", scene(on={Y: BLUE})).subgoals) == [
        call("pick", Y)
    ]


def test_replanning_continues_from_the_scene() -> None:
    """What was reached is not done again, what was lost is."""
    command = "put the red block in the blue bowl and the green block on the plate, then go home"
    done = [result(subgoal) for subgoal in R_BLUE]
    failed = result(PICK_G[0], good=False)
    assert list(plan(command, scene(on={R: BLUE}), *done, failed).subgoals) == [
        *put(G, PLATE),
        *HOME,
    ]
    dropped = plan(command, ALL, *done[:1], result(R_BLUE[1], good=False))
    assert list(dropped.subgoals) == [*R_BLUE, *put(G, PLATE), *HOME]


def test_replanning_does_not_undo_a_stage() -> None:
    """A goal that a later one replaced counts as reached, and actions are not repeated."""
    command = "put the red block in the blue bowl, go home, then move it to the plate"
    done = [result(subgoal) for subgoal in [*R_BLUE, *HOME]]
    failed = result(PICK_R[0], good=False)
    assert list(plan(command, scene(on={R: BLUE}), *done, failed).subgoals) == put(R, PLATE)
    assert list(plan(command, scene(on={R: PLATE}), *done, failed).subgoals) == LOOK
    also = f"put the green block on the left, then {command}"
    assert list(plan(also, scene(on={R: "hand"}), *done, failed).subgoals) == [
        call("place_on", R, PLATE),
        *put(G, "left zone"),
    ]


def test_pronouns_outlive_a_replan() -> None:
    """What "it" stood for is remembered by what was done."""
    placement = R_BLUE[1]
    again = plan("put it in the blue bowl", ALL, result(placement, good=False))
    assert list(again.subgoals) == R_BLUE


def test_an_object_lost_on_the_way_is_looked_for_once() -> None:
    """A second look that finds nothing becomes a question."""
    without = scene(G, B, Y, BLUE)
    failed = result(PICK_R[0], good=False)
    for command in ("put the red block in the blue bowl", "put all the blocks on the left"):
        assert list(plan(command, without, failed).subgoals) == LOOK
        asked = plan(command, without, failed, result(LOOK[0]))
        assert asked.question is not None
        assert "no red block" in asked.question


def test_a_goal_that_keeps_failing_comes_last() -> None:
    """Three failures, of grasp or placement, let the neighbours go first."""
    command = "put the red, the green and the blue block on the left, then go home"
    failures = [result(PICK_R[0], good=False)] * 3
    assert plan(command, ALL, *failures[:2]).subgoals[0] == PICK_R[0]
    assert list(plan(command, ALL, *failures).subgoals) == [
        *puts("left zone", G, B, R),
        *HOME,
    ]


def test_a_refused_plan_becomes_a_question() -> None:
    """The problems found are stated, not planned around."""
    problem = "Step 4 (place_in): It needs room(blue bowl), but the blue bowl is full."
    made = PLANNER.plan("put it there", ALL, CONTRACTS, [], [problem])
    assert made.subgoals == ()
    assert made.question is not None
    assert problem in made.question


def test_too_long_a_command_is_asked_about() -> None:
    """More subgoals than a plan takes is a question, not a crash."""
    command = " then ".join(["pick up the red block then the green block"] * 12)
    question = plan(command).question
    assert question is not None
    assert "30" in question


def test_without_skills_it_asks() -> None:
    """A skill that is not there is named."""
    only = {"pick": CONTRACTS["pick"]}
    for command in ("go home", "put the red block in the blue bowl"):
        made = PLANNER.plan(command, ALL, only, [])
        assert made.question is not None
        assert made.subgoals == ()


@pytest.mark.parametrize("command", [command for command, _ in COMMANDS])
def test_replanning_reaches_the_goal(command: str) -> None:
    """However grasps miss and blocks fall, what the first plan promised holds in the end."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        where, history = ALL, list[SubgoalResult]()
        made = plan(command)
        promised = expected(made, where, CONTRACTS)
        for _ in range(60):
            assert made.subgoals, made.question
            for subgoal in made.subgoals:
                good = bool(rng.random() > 0.3)
                history.append(result(subgoal, good))
                if good:
                    for effect in CONTRACTS[subgoal.skill].facts("effects", subgoal.args):
                        where = after(where, effect)
                elif "target" in subgoal.args:
                    name = subgoal.args["object"]
                    where = where.moved(name, TABLE, ALL.objects[name].position)
                if not good:
                    break
            if history[-1].outcome is SubgoalOutcome.SUCCESS:
                break
            made = plan(command, where, *history)
        assert all(holds(fact, where, before=ALL) for fact in promised)


@pytest.mark.parametrize("command", [command for command, _ in COMMANDS])
def test_plans_pass_verification(command: str) -> None:
    """What the grammar plans can be carried out."""
    assert PlanVerifier().problems(plan(command), ALL, CONTRACTS) == []


@pytest.mark.parametrize("command", ["pick up the red block", "open the drawer", "fly away"])
def test_a_robot_that_has_learned_nothing_says_so(command: str) -> None:
    primitives = {name: skill for name, skill in CONTRACTS.items() if not skill.learned}
    asked = PLANNER.plan(command, Scene(0.0), primitives, ())
    assert asked.subgoals == ()
    assert asked.question is not None
    assert "has learned no skill" in asked.question
    assert "'go home'" in asked.question
    home = PLANNER.plan("go home", Scene(0.0), primitives, ())
    assert [subgoal.skill for subgoal in home.subgoals] == ["home"]
