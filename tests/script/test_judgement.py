"""Every expectation can be met and missed, and a miss says what was expected and what was found."""

from __future__ import annotations

from typing import Any

import pytest

from agent.script.judgement import judge
from agent.script.schema import Expectations
from agent.script.trace import Trace, together
from agent.types import MissionOutcome, Reason
from tests.script.samples import PICK, PLACE, scene, trace


def missed(expect: dict[str, Any], found: Trace) -> list[str]:
    return judge(Expectations.model_validate(expect), found)


@pytest.mark.parametrize(
    "expect",
    [
        {"outcome": "success"},
        {"outcome": ["failed", "success"]},
        {"world": ["in(red block, drawer)", "not on(red block, plate)", "open(drawer)"]},
        {"believes": ["in(red block, drawer)", "not lit(button)", "hand_empty()"]},
        {"plan": {"exactly": ["pick(red block)", "place_in(red block, *)"], "count": 2}},
        {"plan": {"contains": ["place_in"], "excludes": ["pick(can)", "push"]}},
        {"runs": {"contains": ["pick", "place_in"]}},
        {"reasons": {"seen": ["done"], "never": ["timeout"]}},
        {"replans": 0, "attempts": {"max": 1}, "seconds": {"min": 7, "max": 8}},
        {"wall_s": {"max": 5}, "ticks": 75, "tokens": 0, "agrees": True},
    ],
)
def test_what_came_about_is_no_miss(expect: dict[str, Any]) -> None:
    assert missed(expect, trace()) == []


@pytest.mark.parametrize(
    ("expect", "parts"),
    [
        ({"outcome": "failed"}, ["should be failed", "is success"]),
        ({"question": "which"}, ["'which'", "there is none"]),
        ({"world": ["on(red block, plate)"]}, ["on(red block, plate)", "in the drawer"]),
        ({"world": ["not in(red block, drawer)"]}, ["not in(red block", "in the drawer"]),
        ({"world": ["closed(drawer)"]}, ["10.0 cm out"]),
        ({"world": ["lit(button)"]}, ["lamp is off"]),
        ({"world": ["held(red block)"]}, ["held(red block)", "in the drawer"]),
        ({"world": ["clear(drawer)"]}, ["carries the red block"]),
        ({"world": ["moved(red block, left)"]}, ["moved(red block, left)"]),
        ({"world": ["in(can, drawer)"]}, ["there is no can"]),
        ({"world": ["not in(can, drawer)"]}, ["there is no can"]),
        ({"believes": ["toggled(button)"]}, ["robot's scene", "off, as it was off"]),
        ({"plan": {"exactly": ["pick"]}}, ["pick", "place_in(red block, drawer)"]),
        ({"plan": {"contains": ["place_in", "pick"]}}, ["in this order", "pick is missing"]),
        ({"runs": {"excludes": ["pick(*)"]}}, ["should not have pick(*)"]),
        ({"plan": {"count": 3}}, ["3 subgoals in the plan", "there are 2"]),
        ({"reasons": {"seen": ["dropped"]}}, ["for dropped", "reasons are done"]),
        ({"reasons": {"never": ["done"]}}, ["No verdict should be for done"]),
        ({"replans": {"min": 1}}, ["at least 1 replans", "there are 0"]),
        ({"seconds": {"max": 7}}, ["at most 7 seconds of robot time", "7.5"]),
        ({"wall_s": {"min": 5, "max": 6}}, ["between 5 and 6"]),
        ({"ticks": 3}, ["3 ticks", "75"]),
        ({"tokens": 1}, ["1 tokens", "0"]),
        ({"agrees": False}, ["should disagree", "world agrees"]),
        ({"asks": ["which"]}, ["Question 1", "none was answered"]),
    ],
)
def test_what_did_not_come_about_is_one_sentence(expect: dict[str, Any], parts: list[str]) -> None:
    sentences = missed(expect, trace())
    assert len(sentences) == 1
    assert sentences[0].endswith(".")
    for part in parts:
        assert part in sentences[0]


def test_what_is_held_must_hang_clear_of_the_table() -> None:
    resting = trace(world=(scene(), scene("hand")))
    assert missed({"world": ["held(red block)"]}, resting) != []


def test_questions_are_counted_and_compared_in_order() -> None:
    asked = trace(asked=("Which block?", "Which bowl?"))
    assert missed({"asks": ["block", "bowl"]}, asked) == []
    assert "2" in missed({"asks": ["block"]}, asked)[0]
    assert "Which block?" in missed({"asks": ["bowl", "bowl"]}, asked)[0]


def test_an_outcome_that_is_missed_says_why() -> None:
    found = trace(outcome=MissionOutcome.NEEDS_HELP, question="Which one?")
    assert missed({"outcome": "success"}, found)[0].endswith("needs_help: Which one?")
    assert missed({"question": "^Which"}, found) == []


def test_a_plan_the_world_cannot_judge_is_no_agreement() -> None:
    assert "no goal" in missed({"agrees": True}, trace(agrees=None))[0]
    assert "no goal" in missed({"agrees": False}, trace(agrees=None))[0]


def test_commands_together_are_as_good_as_the_first_that_fails() -> None:
    asked = trace(
        outcome=MissionOutcome.NEEDS_HELP,
        question="Which one?",
        plan=(),
        runs=(PICK, PICK),
        reasons=(Reason.STUCK,),
        attempts=2,
        agrees=False,
        world=(scene(), scene()),
    )
    whole = together([trace(), asked, trace()], continues=True)
    assert whole.outcome is MissionOutcome.NEEDS_HELP
    assert whole.question == "Which one?"
    assert whole.plan == (PICK, PLACE, PICK, PLACE)
    assert whole.runs == (PICK, PLACE, PICK, PICK, PICK, PLACE)
    assert (whole.attempts, whole.ticks, whole.seconds) == (2, 225, 22.5)
    assert whole.agrees is False
    assert Reason.STUCK in whole.reasons


def test_a_change_is_since_the_start_of_the_world() -> None:
    lit, dark = scene(lamp=1.0), scene(lamp=0.0)
    traces = [trace(world=(dark, lit)), trace(world=(lit, lit))]
    toggled = {"world": ["toggled(button)"]}
    assert missed(toggled, together(traces, continues=True)) == []
    assert len(missed(toggled, together(traces, continues=False))) == 1
