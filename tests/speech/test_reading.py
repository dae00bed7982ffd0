"""Of several readings, the one that makes sense; two that do are asked about."""

from __future__ import annotations

import pytest

from agent.protocols import Transcript
from agent.speech.reading import Heard, read
from agent.types import Plan, Subgoal

SENSE = {
    "go home": Plan(command="go home", subgoals=(Subgoal(skill="home", phrase="go home"),)),
    "please go home": Plan(command="x", subgoals=(Subgoal(skill="home", phrase="go home"),)),
    "wait": Plan(command="wait", subgoals=(Subgoal(skill="wait", phrase="wait"),)),
}


def understands(text: str) -> Plan:
    return SENSE.get(text, Plan(command=text, question="What?"))


@pytest.mark.parametrize(
    ("text", "others", "confidence", "heard"),
    [
        ("go home", (), 0.9, Heard.PLAN),
        ("go home", ("please go home",), 0.9, Heard.PLAN),
        ("go home", ("goat home",), 0.9, Heard.PLAN),
        ("go home", ("wait",), 0.9, Heard.ASK),
        ("goat home", ("go home",), 0.9, Heard.ASK),
        ("goat home", (), 0.9, Heard.ASK),
        ("go home", (), 0.1, Heard.REJECT),
        ("", (), 0.9, Heard.REJECT),
    ],
)
def test_what_becomes_of_readings(
    text: str, others: tuple[str, ...], confidence: float, heard: Heard
) -> None:
    reading = read(Transcript(text, confidence, 0.0, others), understands)
    assert reading.heard is heard
    if heard is Heard.PLAN:
        assert reading.plan == SENSE["go home"]
