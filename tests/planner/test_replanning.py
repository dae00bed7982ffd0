"""Replanning: what was meant at first is what is brought about, whatever goes wrong on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from agent.facts import after, expected, holds
from agent.planner.grammar import GrammarPlanner
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
from tests.planner.test_commands import CONTRACTS, ENTRIES, SCENES

PLANNED = [entry for entry in ENTRIES if "plan" in entry]
FAILING = 0.25


def result(subgoal: Subgoal, good: bool) -> SubgoalResult:
    """Return a confirmed result, or a refuted one."""
    value = VerdictValue.CONFIRMED if good else VerdictValue.REFUTED
    outcome = SubgoalOutcome.SUCCESS if good else SubgoalOutcome.FAILED
    reason = Reason.DONE if good else Reason.NOT_ACHIEVED
    return SubgoalResult(subgoal, outcome, Verdict(value, reason, 1.0), attempts=1, ticks=1)


def phrases(plan: Plan) -> list[str]:
    return [subgoal.phrase for subgoal in plan.subgoals]


def tried(subgoal: Subgoal, scene: Scene, good: bool) -> Scene:
    """Return the scene after a try; a placement that fails leaves the thing on the table."""
    if good:
        for effect in CONTRACTS[subgoal.skill].facts("effects", subgoal.args):
            scene = after(scene, effect)
    elif "target" in subgoal.args:
        scene = scene.moved(subgoal.args["object"], TABLE, np.array([0.44, 0.15, 0.02]))
    return scene


@pytest.mark.parametrize("entry", PLANNED, ids=lambda e: f"{e['command']} | {e['scene']}")
def test_what_was_promised_comes_about(entry: Mapping[str, Any]) -> None:
    """However tries fail, all that the first plan promised holds in the end."""
    start = SCENES[entry["scene"]]
    for seed in range(2):
        rng, planner = np.random.default_rng(seed), GrammarPlanner()
        scene, history = start, list[SubgoalResult]()
        made = planner.plan(entry["command"], scene, CONTRACTS, [])
        promised = expected(made, start, CONTRACTS)
        for _ in range(80):
            assert made.question is None, (seed, [r.subgoal.phrase for r in history])
            for subgoal in made.subgoals:
                good = bool(rng.random() > FAILING)
                scene = tried(subgoal, scene, good)
                history.append(result(subgoal, good))
                if not good:
                    break
            if history[-1].outcome is SubgoalOutcome.SUCCESS:
                break
            made = planner.plan(entry["command"], scene, CONTRACTS, history)
        unmet = [fact for fact in promised if not holds(fact, scene, before=start)]
        assert unmet == [], (seed, [r.subgoal.phrase for r in history])


def follow(command: str, scene: str, done: int) -> tuple[Plan, Plan]:
    """Return the first plan, and the one after so many steps of it and a failure."""
    planner, where = GrammarPlanner(), SCENES[scene]
    first = planner.plan(command, where, CONTRACTS, [])
    history = []
    for subgoal in first.subgoals[:done]:
        where = tried(subgoal, where, good=True)
        history.append(result(subgoal, good=True))
    history.append(result(first.subgoals[min(done, len(first.subgoals) - 1)], good=False))
    return first, planner.plan(command, where, CONTRACTS, history)


@pytest.mark.parametrize(
    ("command", "scene", "done"),
    [
        ("put the leftmost block on the right, then go home", "row", 2),
        ("put the rightmost block in the blue bowl, then open the drawer", "desk", 2),
        ("if the drawer is closed, open it, otherwise close it; then press the button", "desk", 1),
        ("press the button, then put the can on the plate", "desk", 1),
        ("push the can left, then push it forward", "desk", 1),
        ("press the button twice, then go home", "desk", 1),
        ("put any two blocks in the blue bowl", "desk", 2),
        ("open the drawer, put the can in it and close it, then press the button", "desk", 4),
        ("close the drawer, open it, then put the can on the plate", "filled", 2),
        ("swap the red block and the green block", "filled", 2),
        ("swap the red block and the green block", "filled", 4),
        ("turn on the lamp, then turn it off, then go home", "desk", 2),
    ],
)
def test_a_new_plan_is_the_rest_of_the_first(command: str, scene: str, done: int) -> None:
    """Words stand for what they stood for at first, and nothing that was done is repeated."""
    first, again = follow(command, scene, done)
    assert phrases(again) == phrases(first)[done:]


def test_what_held_at_first_is_not_undone_for_a_replan() -> None:
    """A drawer that was open when the command was given is not opened again once it was closed."""
    command = "open the drawer, put the yellow block in it, close it, then press the button"
    first, again = follow(command, "filled", 3)
    assert phrases(first)[-2:] == ["close the drawer", "press the button"]
    assert phrases(again) == ["press the button"]


def test_another_command_is_read_afresh() -> None:
    """What was meant is kept for the command it was said in, and no other."""
    planner, where = GrammarPlanner(), SCENES["row"]
    planner.plan("put the leftmost block on the plate", where, CONTRACTS, [])
    failed = result(planner.plan("pick up the can", where, CONTRACTS, []).subgoals[0], good=False)
    made = planner.plan("pick up the rightmost block", where, CONTRACTS, [failed])
    assert phrases(made) == ["pick up the blue block"]


def test_a_correction_is_about_what_was_meant_when_the_command_was_given() -> None:
    """The leftmost block is in the bowl by now, and another one is leftmost."""
    planner, where = GrammarPlanner(), SCENES["row"]
    command = "put the leftmost block in the blue bowl"
    first = planner.plan(command, where, CONTRACTS, [])
    moved = where
    for subgoal in first.subgoals:
        for effect in CONTRACTS[subgoal.skill].facts("effects", subgoal.args):
            moved = after(moved, effect)
    history = [result(subgoal, good=True) for subgoal in first.subgoals]
    changed = f"{command}, no, on the plate"
    wanted = ["pick up the red block", "put the red block on the plate"]
    assert phrases(planner.read(changed, moved, CONTRACTS)) == wanted
    assert phrases(planner.plan(changed, moved, CONTRACTS, history)) == wanted
    assert phrases(planner.read(command, moved, CONTRACTS)) != phrases(first)


def test_what_is_read_besides_changes_nothing_in_a_mission() -> None:
    planner, where = GrammarPlanner(), SCENES["row"]
    command = "put the leftmost block in the blue bowl"
    first = planner.plan(command, where, CONTRACTS, [])
    planner.read("go home", where, CONTRACTS)
    planner.read("put the rightmost block on the plate", where, CONTRACTS)
    shifted = where.moved("red block", TABLE, where.objects["blue block"].position + 0.05)
    failed = result(first.subgoals[0], good=False)
    assert phrases(planner.plan(command, shifted, CONTRACTS, [failed])) == phrases(first)


def test_a_thing_lost_on_the_way_is_looked_for_then_asked_about() -> None:
    """The words still stand for it, so the plan does not turn to another."""
    planner, where = GrammarPlanner(), SCENES["row"]
    command = "put the leftmost block in the blue bowl"
    first = planner.plan(command, where, CONTRACTS, [])
    without = Scene(0.0, {n: o for n, o in where.objects.items() if n != "red block"})
    history = [result(first.subgoals[0], good=False)]
    looking = planner.plan(command, without, CONTRACTS, history)
    assert phrases(looking) == ["look again from home"]
    asked = planner.plan(
        command, without, CONTRACTS, [*history, result(looking.subgoals[0], good=True)]
    )
    assert asked.question is not None
    assert "no red block" in asked.question
