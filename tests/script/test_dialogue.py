"""What a mission file says comes at its time, and what could not be said is told."""

from __future__ import annotations

from agent.events import SubgoalEnded
from agent.script.dialogue import Dialogue
from agent.script.schema import Command
from agent.types import Reason, SubgoalOutcome, SubgoalResult, Verdict, VerdictValue
from tests.script.samples import PICK


def ended(attempts: int = 1) -> SubgoalEnded:
    verdict = Verdict(VerdictValue.CONFIRMED, Reason.DONE, 1.0)
    return SubgoalEnded(1.0, SubgoalResult(PICK, SubgoalOutcome.SUCCESS, verdict, attempts, 5))


def dialogue(**more: object) -> Dialogue:
    return Dialogue(Command.model_validate({"say": "take it", **more}))


def test_answers_come_in_order_and_then_none() -> None:
    talk = dialogue(answers=("red", "green"))
    assert [talk.answer("Which?") for _ in range(3)] == ["red", "green", ""]
    assert list(talk.unsaid()) == []


def test_a_correction_comes_once_its_subgoal_has_ended() -> None:
    talk = dialogue(corrections=({"say": "no", "during": 2},))
    assert talk.wish(0.0) == ""
    talk.on_event(ended())
    # A look between plans is no subgoal of the plan.
    talk.on_event(ended(attempts=0))
    assert talk.wish(50.0) == ""
    talk.on_event(ended())
    assert [talk.wish(60.0), talk.wish(70.0)] == ["no", ""]


def test_corrections_come_one_at_a_time_and_not_before_their_second() -> None:
    talk = dialogue(corrections=({"say": "no", "at_s": 2.0}, {"say": "yes", "at_s": 0.0}))
    assert [talk.wish(t) for t in (0.0, 1.9, 2.0, 2.1)] == ["", "", "no", "yes"]


def test_what_could_not_be_said_is_told() -> None:
    talk = dialogue(answers=("red",), corrections=({"say": "no", "at_s": 9.0},))
    said = list(talk.unsaid())
    assert ["'red'" in said[0], "'no'" in said[1], len(said)] == [True, True, 2]
