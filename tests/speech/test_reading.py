"""Of several readings, the one that makes sense; another one that does is told of."""

from __future__ import annotations

import pytest

from agent.protocols import Transcript
from agent.speech.reading import read
from agent.types import Plan, Subgoal

SENSE = {
    "go home": Plan(command="go home", subgoals=(Subgoal(skill="home", phrase="go home"),)),
    "please go home": Plan(command="x", subgoals=(Subgoal(skill="home", phrase="go home"),)),
    "wait": Plan(command="wait", subgoals=(Subgoal(skill="wait", phrase="wait"),)),
}


def understand(text: str) -> Plan:
    return SENSE.get(text, Plan(command=text, question="What?"))


@pytest.mark.parametrize(
    ("text", "alternatives", "chosen", "others"),
    [
        ("go home", (), "go home", ()),
        ("go home", ("please go home",), "go home", ()),
        ("go home", ("goat home",), "go home", ()),
        ("go home", ("wait",), "go home", ("wait",)),
        ("goat home", ("go home",), "go home", ()),
        ("goat home", ("moat home", "go home"), "go home", ()),
    ],
)
def test_the_likeliest_that_makes_sense_is_taken(
    text: str, alternatives: tuple[str, ...], chosen: str, others: tuple[str, ...]
) -> None:
    reading = read(Transcript(text, 0.9, 0.0, alternatives), understand)
    assert (reading.text, reading.plan, reading.others) == (chosen, SENSE[chosen], others)


def test_where_nothing_makes_sense_the_likeliest_is_asked_about() -> None:
    reading = read(Transcript("goat home", 0.9, 0.0, ("moat home",)), understand)
    assert (reading.text, reading.plan.question) == ("goat home", "What?")
