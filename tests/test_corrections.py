"""The command is changed while it is being carried out."""

from __future__ import annotations

from collections.abc import Callable

from agent.events import Corrected, SubgoalEnded
from agent.types import MissionOutcome, Plan
from tests.parts import AFTER, ASKS, BEFORE, COMMAND, HELD, PLAN, Bench, subgoal

ELSEWHERE = subgoal("place_on", object="red block", target="plate")
OTHER = Plan(command=COMMAND, subgoals=(ELSEWHERE,))


def _after(subgoals: int, bench: Bench, wish: str) -> Callable[[float], str]:
    """Return a human who wishes something once so many subgoals have ended."""
    left = [wish]

    def say(time_s: float) -> str:
        ended = len(bench.recorder.of(SubgoalEnded))
        return left.pop() if left and ended >= subgoals else ""

    return say


def test_a_correction_is_taken_up_between_two_subgoals() -> None:
    """The new plan is made on what is seen then, by a planner that knows what has been done."""
    rest = Plan(command=COMMAND, subgoals=PLAN.subgoals[1:])
    bench = Bench(plans=[PLAN, rest], scenes=(BEFORE, BEFORE, HELD, HELD, AFTER, AFTER))
    result = bench.runtime.run(COMMAND, 0, wish=_after(1, bench, " the green one "))
    assert result.outcome is MissionOutcome.SUCCESS
    assert [event.wish for event in bench.recorder.of(Corrected)] == ["the green one"]
    assert bench.planner.commands == [COMMAND, f"{COMMAND}, no, the green one"]
    assert result.plan == rest
    assert [len(told) for told in bench.planner.histories] == [0, 1]


def test_nothing_is_begun_between_a_correction_and_its_plan() -> None:
    bench = Bench(plans=[PLAN, ASKS], scenes=(BEFORE, BEFORE, HELD, HELD))
    result = bench.runtime.run(COMMAND, 0, wish=_after(1, bench, "the other one"))
    assert (result.outcome, result.question) == (MissionOutcome.NEEDS_HELP, ASKS.question)
    assert len(bench.recorder.of(SubgoalEnded)) == 1


def test_a_correction_with_new_things_is_approved_anew() -> None:
    bench, asked = Bench(plans=[PLAN, OTHER], scenes=(BEFORE, BEFORE, HELD, HELD)), list[Plan]()

    def approve(plan: Plan) -> bool:
        asked.append(plan)
        return len(asked) == 1

    result = bench.runtime.run(COMMAND, 0, approve=approve, wish=_after(1, bench, "on the plate"))
    assert result.outcome is MissionOutcome.STOPPED
    assert asked == [PLAN, OTHER]


def test_blanks_are_no_wish() -> None:
    bench = Bench(plans=[PLAN], scenes=(BEFORE, BEFORE, HELD, HELD, AFTER, AFTER))
    result = bench.runtime.run(COMMAND, 0, wish=lambda time_s: "  ")
    assert result.outcome is MissionOutcome.SUCCESS
    assert not bench.recorder.of(Corrected)


def test_a_correction_during_the_closing_look_is_taken_up() -> None:
    """All was done when it was said, but the mission had not ended."""
    bench = Bench(
        plans=[PLAN, PLAN], scenes=(BEFORE, BEFORE, HELD, HELD, AFTER, AFTER, AFTER, AFTER)
    )
    looks = len(PLAN.subgoals) + 1
    result = bench.runtime.run(COMMAND, 0, wish=_after(looks, bench, "the green one"))
    assert [event.wish for event in bench.recorder.of(Corrected)] == ["the green one"]
    assert bench.planner.commands == [COMMAND, f"{COMMAND}, no, the green one"]
    assert result.outcome is MissionOutcome.SUCCESS
