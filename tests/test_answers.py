"""A question is answered, and the mission goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from agent.events import Answered
from agent.facts import CERTAIN
from agent.parts import Budget
from agent.planner.grammar import GrammarPlanner
from agent.types import MissionOutcome
from tests.parts import AFTER, ASKS, BEFORE, COMMAND, DONE, HELD, MISSED, PLAN, Bench
from tests.scenes import scene

WELL = (BEFORE, BEFORE, HELD, HELD, AFTER, AFTER)


def _saying(*answers: str) -> Callable[[str], str]:
    """Return a human who says these things in turn, and then nothing."""
    left: Iterator[str] = iter(answers)
    return lambda question: next(left, "")


def test_an_unclear_command_is_made_clear() -> None:
    """Twice, as the first answer leaves it open; the robot has not moved before."""
    bench = Bench(plans=[ASKS, ASKS, PLAN], scenes=WELL)
    result = bench.runtime.run(COMMAND, 0, answer=_saying("the block", " the red one\n"))
    assert result.outcome is MissionOutcome.SUCCESS
    said = bench.recorder.of(Answered)
    assert [event.answer for event in said] == ["the block", "the red one"]
    assert {event.question for event in said} == {ASKS.question}
    assert bench.planner.commands[1] == f"{COMMAND}, no, the block"
    assert bench.planner.commands[2].endswith(", no, the red one")


@pytest.mark.parametrize("answers", [(), ("",), ("  ",)])
def test_nobody_answers(answers: tuple[str, ...]) -> None:
    bench = Bench(plans=[ASKS])
    result = bench.runtime.run(COMMAND, 0, answer=_saying(*answers))
    assert (result.outcome, result.question) == (MissionOutcome.NEEDS_HELP, ASKS.question)
    assert not bench.robot.sent
    assert not bench.recorder.of(Answered)


def test_an_answer_may_be_unclear_as_well() -> None:
    bench = Bench(plans=[ASKS])
    result = bench.runtime.run(COMMAND, 0, answer=_saying("hm"))
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert len(bench.recorder.of(Answered)) == 1


BUDGET = Budget(replans=0, attempts=1, seconds=60.0)


@pytest.mark.parametrize("answer", ["again", "Yes", "try again"])
def test_one_more_try_that_goes_well(answer: str) -> None:
    bench = Bench(verdicts=[MISSED, DONE], scenes=[BEFORE] * 3 + list(WELL[1:]), budget=BUDGET)
    result = bench.runtime.run(COMMAND, 0, answer=_saying(answer))
    assert result.outcome is MissionOutcome.SUCCESS
    assert bench.planner.commands == [COMMAND, COMMAND]
    assert len(bench.planner.histories[1]) == 1


@pytest.mark.parametrize("answer", ["leave it", "No"])
def test_it_is_left_as_it_is(answer: str) -> None:
    bench = Bench(verdicts=[MISSED], budget=BUDGET)
    result = bench.runtime.run(COMMAND, 0, answer=_saying(answer, "again"))
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert result.question is not None
    assert "I see the red block on the table. Shall I try again, or leave it?" in result.question
    assert len(bench.planner.histories) == 1


def test_another_wish_is_a_correction() -> None:
    bench = Bench(verdicts=[MISSED], plans=[PLAN, ASKS], budget=BUDGET)
    bench.runtime.run(COMMAND, 0, answer=_saying("the green one"))
    assert bench.planner.commands == [COMMAND, f"{COMMAND}, no, the green one"]


@pytest.mark.parametrize(
    ("command", "answer", "phrase"),
    [
        ("pick up the block", "the green one", "pick up the green block"),
        ("pick up the block", "green", "pick up the green block"),
        ("pick up the purple block", "the red one", "pick up the red block"),
        ("push the red block", "to the left", "push the red block left"),
        ("pick up the purple block", "push the red block left", "push the red block left"),
    ],
)
def test_the_grammar_takes_answers_as_they_are_meant(
    command: str, answer: str, phrase: str
) -> None:
    bench = Bench(scenes=[scene()], planner=GrammarPlanner(0.5, CERTAIN))
    result = bench.runtime.run(command, 0, dry_run=True, answer=_saying(answer))
    assert result.outcome is MissionOutcome.PLANNED
    assert [subgoal.phrase for subgoal in result.plan.subgoals] == [phrase]
