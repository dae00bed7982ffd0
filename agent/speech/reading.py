"""Which of several readings of one utterance was meant: the one that makes sense here.

A decoder knows sounds, the planner knows sense. Of what the decoder may have heard, what the
planner cannot read or the scene does not allow is set aside; what is left may still mean two
things, and is then asked about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from agent.protocols import Transcript
from agent.types import Plan


class Heard(StrEnum):
    """What becomes of an utterance."""

    PLAN = "plan"
    ASK = "ask"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Limits:
    """When readings count.

    Attributes:
        confidence: Below it nothing that was said is taken for a command, 0..1.
        first: Alternatives beyond the first so many are not looked at.
    """

    confidence: float = 0.4
    first: int = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What was made of an utterance.

    Attributes:
        heard: Whether there is one plan, a question, or nothing that was meant for the robot.
        text: The words it rests on; empty where it is rejected.
        plan: Of `PLAN` what would be done; of `ASK` the planner's question, where it has one.
        others: Of `ASK`, further readings that make sense and would do something else.
    """

    heard: Heard
    text: str = ""
    plan: Plan | None = None
    others: tuple[str, ...] = ()


def read(
    transcript: Transcript, understands: Callable[[str], Plan], limits: Limits | None = None
) -> Reading:
    """Return what an utterance means.

    Args:
        transcript: What may have been said.
        understands: Returns the plan of a text in the present scene, or its question.
        limits: When readings count.
    """
    limits = limits or Limits()
    if not transcript.text or transcript.confidence < limits.confidence:
        return Reading(Heard.REJECT)
    texts = (transcript.text, *transcript.alternatives[: limits.first])
    plans = {text: understands(text) for text in dict.fromkeys(texts)}
    sensible = {text: plan for text, plan in plans.items() if plan.question is None}
    if not sensible:
        return Reading(Heard.ASK, transcript.text, plans[transcript.text])
    (text, plan), *rest = sensible.items()
    others = tuple(other for other, its in rest if its.subgoals != plan.subgoals)
    if others or text != transcript.text:
        return Reading(Heard.ASK, text, plan, others)
    return Reading(Heard.PLAN, text, plan)
