"""The verifier: what it refuses, and in which words."""

from __future__ import annotations

import numpy as np
import pytest

from agent.facts import expected
from agent.planner.verify import PlanVerifier
from agent.types import Fact, Plan, Scene, Subgoal
from skills.registry import load_contracts
from tests.planner.test_commands import SCENES
from tests.scenes import scene

CONTRACTS = load_contracts()
R, G = "red block", "green block"


def call(skill: str, phrase: str | None = None, **args: str) -> Subgoal:
    """Return a subgoal, with its canonical phrase unless another is given."""
    made = phrase or CONTRACTS[skill].phrase(args)
    return Subgoal(skill=skill, args=args, phrase=made)


def plan(*subgoals: Subgoal, question: str | None = None) -> Plan:
    """Return a plan."""
    return Plan(command="test", subgoals=subgoals, question=question)


PICK = call("pick", object=R)
PLACE = call("place_in", object=R, target="blue bowl")
FILLED = scene(on={G: "blue bowl", "blue block": "blue bowl", "yellow block": "blue bowl"})

REFUSED: list[tuple[Plan, Scene, list[str]]] = [
    (plan(), scene(), ["no subgoals"]),
    (plan(PICK, question="Which?"), scene(), ["must have no subgoals"]),
    (plan(call("pik", "go", object=R)), scene(), ["Step 1", "'pik'", "Did you mean 'pick'"]),
    (plan(call("pick", "pick up")), scene(), ["Step 1", "'object' is missing"]),
    (plan(call("home", "go home", objekt=R)), scene(), ["Step 1", "no argument 'objekt'"]),
    (
        plan(PICK, call("place_in", "x", object=R, traget="blue bowl")),
        scene(),
        ["Step 2", "'target' is missing"],
    ),
    (
        plan(call("pick", object="rde block")),
        scene(),
        ["Step 1", "'rde block'", "Did you mean 'red block'", "plate"],
    ),
    (plan(PICK), scene(G, "plate"), ["Step 1", "red block is not in the scene", "green block"]),
    (plan(call("pick", object="plate")), scene(), ["Step 1", "must be a block", "is a plate"]),
    (
        plan(PICK, call("place_in", object=R, target="left zone")),
        scene(),
        ["Step 2", "must be a bowl", "is a zone"],
    ),
    (
        plan(PICK, call("place_on", object=R, target="lft zone")),
        scene(),
        ["Step 2", "Did you mean 'left zone'"],
    ),
    (
        plan(call("pick", "grab the red block", object=R)),
        scene(),
        ["Step 1", "'pick up the red block'", "'grab the red block'"],
    ),
    (plan(PLACE), scene(), ["Step 1", "held(red block)", "hand is empty"]),
    (plan(PICK), scene(on={G: "hand"}), ["Step 1", "hand_empty()", "holds the green block"]),
    (plan(PICK, call("pick", object=G)), scene(), ["Step 2", "holds the red block"]),
    (plan(PICK, PLACE), FILLED, ["Step 2", "room(blue bowl)", "full"]),
    (plan(PICK), scene(presence={R: 0.3}), ["Step 1", "red block", "0.30"]),
    (
        plan(
            *[call("wait")] * 30,
        ),
        scene(),
        [],
    ),
    (plan(*[PICK, call("release")] * 15), scene(), []),
    (plan(*[PICK, PLACE] * 13), scene(), ["Step 26", "312 s", "300 s"]),
]


@pytest.mark.parametrize(("made", "where", "parts"), REFUSED)
def test_problems_name_step_and_cause(made: Plan, where: Scene, parts: list[str]) -> None:
    """Every problem is said in words a planner can act on; none where there is none."""
    found = PlanVerifier().problems(made, where, CONTRACTS)
    assert bool(found) == bool(parts)
    for part in parts:
        assert part in " ".join(found)


C, DRAWER = "can", "drawer"
INTO_DRAWER = call("place_in", object=R, target=DRAWER)
ON_GREEN = call("place_on", object=R, target=G)

UNMET: list[tuple[list[Subgoal], str, list[str]]] = [
    ([PICK, INTO_DRAWER], "desk", ["Step 2", "open(drawer)", "open it first"]),
    ([call("open", object=DRAWER), PICK, INTO_DRAWER], "desk", []),
    ([PICK, INTO_DRAWER, call("close", object=DRAWER)], "filled", []),
    ([PICK, INTO_DRAWER], "ajar", ["open(drawer)"]),
    ([PICK], "stowed", ["reachable(red block)", "in the drawer"]),
    ([call("open", object=DRAWER), PICK], "stowed", []),
    ([PICK], "tower", ["clear(red block)", "the green block stands on it"]),
    ([call("push", object=R, direction="left")], "tower", ["loose(red block)", "stands on it"]),
    ([call("push", object=G, direction="left")], "edge", ["loose(green block)", "on the plate"]),
    ([call("push", object=C, direction="left")], "edge", ["off the table", "right"]),
    ([call("push", object=C, direction="right")], "edge", []),
    ([call("push", object=R, direction="forward")], "edge", ["off the table", "left or right"]),
    (
        [call("push", object=C, direction="up")],
        "desk",
        ["no direction 'up'", "back, forward, left, right"],
    ),
    ([call("push", object=C, direction="lft")], "desk", ["Did you mean 'left'"]),
    ([call("push", object="plate", direction="left")], "desk", ["must be a block or can"]),
    ([call("push", object=C, direction="plate")], "desk", ["must be a direction"]),
    ([call("place_on", object=R, target="left")], "holding", ["'left' is a direction"]),
    ([call("press", object="button")], "holding", ["hand_empty()", "holds the red block"]),
    ([call("open", object=DRAWER)], "holding", ["hand_empty()"]),
    ([call("press", object="button")] * 2, "desk", []),
    ([call("open", object="blue bowl")], "desk", ["must be a drawer"]),
    ([PICK, ON_GREEN], "desk", []),
    (
        [call("pick", object=C), call("place_on", object=C, target=G)],
        "desk",
        ["room(green block)", "the can is no block"],
    ),
    (
        [call("pick", object="blue block"), call("place_on", object="blue block", target=R)],
        "tower",
        ["room(red block)", "the green block stands on it"],
    ),
    (
        [call("pick", object="yellow block"), call("place_on", object="yellow block", target=R)],
        "filled",
        ["room(red block)", "in the blue bowl"],
    ),
    (
        [
            call("pick", object="blue block"),
            call("place_on", object="blue block", target=G),
            call("pick", object="yellow block"),
            call("place_on", object="yellow block", target="blue block"),
        ],
        "tower",
        ["Step 4", "room(blue block)", "on the green block"],
    ),
]


@pytest.mark.parametrize(("subgoals", "where", "parts"), UNMET)
def test_every_precondition_is_checked(
    subgoals: list[Subgoal], where: str, parts: list[str]
) -> None:
    """What is in the way is said in words, and what the steps before have mended is not."""
    found = PlanVerifier().problems(plan(*subgoals), SCENES[where], CONTRACTS)
    assert len(found) == bool(parts)
    for part in parts:
        assert part in found[0]


def test_a_question_is_no_problem() -> None:
    """A plan that asks has nothing to check."""
    assert PlanVerifier().problems(plan(question="Which block?"), scene(), CONTRACTS) == []


def test_a_filling_bowl_is_noticed_by_simulation() -> None:
    """The fourth block into a bowl for three is refused at its own step."""
    steps = []
    for name in (R, G, "blue block", "yellow block"):
        steps += [call("pick", object=name), call("place_in", object=name, target="blue bowl")]
    found = PlanVerifier().problems(plan(*steps), scene(), CONTRACTS)
    assert len(found) == 1
    assert "Step 8" in found[0]


def test_limits_are_parameters() -> None:
    """Length, time and confidence can be set."""
    made, where = plan(PICK, PLACE), scene(presence={R: 0.7})
    assert PlanVerifier().problems(made, where, CONTRACTS) == []
    strict = PlanVerifier(max_subgoals=1, min_confidence=0.9, max_seconds=15)
    text = " ".join(strict.problems(made, where, CONTRACTS))
    assert "2 steps" in text
    assert "0.70" in text
    assert "Step 2 exceeds" in text


def test_doubt_about_an_object_is_said_once() -> None:
    """Two steps with the same object make one problem."""
    found = PlanVerifier().problems(plan(PICK, PLACE), scene(presence={R: 0.2}), CONTRACTS)
    assert len(found) == 1


EXPECTED: list[tuple[list[Subgoal], dict[str, str], list[str]]] = [
    ([PICK, PLACE], {}, ["in(red block, blue bowl)"]),
    ([PICK], {}, ["held(red block)"]),
    ([PICK, call("release")], {}, []),
    ([PICK, PLACE, PICK, call("place_on", object=R, target="plate")], {}, ["on(red block, plate)"]),
    (
        [PICK, PLACE, call("pick", object=G), call("place_on", object=G, target="left zone")],
        {},
        ["in(red block, blue bowl)", "on(green block, left zone)"],
    ),
    ([call("home")], {R: "hand"}, ["held(red block)"]),
    ([call("release")], {R: "hand"}, []),
    ([call("look")], {}, []),
    ([PICK, PLACE, call("release")], {}, ["in(red block, blue bowl)"]),
]


@pytest.mark.parametrize(("subgoals", "on", "facts"), EXPECTED)
def test_expected_end_of_a_plan(
    subgoals: list[Subgoal], on: dict[str, str], facts: list[str]
) -> None:
    """Later effects on an object replace earlier ones."""
    found = expected(plan(*subgoals), scene(on=on), CONTRACTS)
    assert list(found) == [Fact.parse(text) for text in facts]


def test_garbage_never_raises() -> None:
    """Whatever a language model returns is answered with words."""
    rng = np.random.default_rng(0)
    words = ["", "pick", "{object}", R, "blue bowl", "left zone", "plate", "ghost", "a(b"]
    words += ["left", "can", "drawer", "button", "direction"]
    skills, keys = [*CONTRACTS, "fly", ""], ["object", "target", "direction", "", "self"]
    everything, nothing = SCENES["holding"], Scene(time_s=0.0)
    for _ in range(400):
        subgoals = []
        for _ in range(int(rng.integers(0, 8))):
            chosen = rng.choice(keys, size=int(rng.integers(0, 4)), replace=False)
            args = {str(key): str(rng.choice(words)) for key in chosen}
            skill, phrase = str(rng.choice(skills)), str(rng.choice(words))
            if skill in CONTRACTS and set(args) == set(CONTRACTS[skill].args):
                phrase = CONTRACTS[skill].phrase(args)
            subgoals.append(Subgoal(skill=skill, args=args, phrase=phrase))
        made = plan(*subgoals)
        for where in (everything, nothing):
            found = PlanVerifier().problems(made, where, CONTRACTS)
            assert all(isinstance(problem, str) and problem for problem in found)
            if not found:
                expected(made, where, CONTRACTS)
