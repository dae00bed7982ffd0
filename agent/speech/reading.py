"""Which of several readings of one utterance was meant: the one that makes sense here.

A decoder knows sounds, the planner knows sense. Of what the decoder may have heard, what the
planner cannot read or the scene does not allow is set aside; what is left may still mean two
things.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.protocols import Transcript
from agent.types import Plan

_FIRST = 2
"""Alternatives that are looked at: of what is less likely than those, most makes sense too."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was made of an utterance.

    Attributes:
        text: The words it rests on: the likeliest that make sense, else the likeliest.
        plan: What would be done; the planner's question where nothing makes sense.
        others: Further readings that make sense and would do something else.
    """

    text: str
    plan: Plan
    others: tuple[str, ...] = ()


def read(transcript: Transcript, understand: Callable[[str], Plan]) -> Reading:
    """Return what an utterance means.

    Args:
        transcript: What may have been said.
        understand: Returns the plan of a text in the present scene, or its question.
    """
    texts = (transcript.text, *transcript.alternatives[:_FIRST])
    plans = {text: understand(text) for text in texts}
    sensible = {text: plan for text, plan in plans.items() if plan.subgoals}
    if not sensible:
        return Reading(transcript.text, plans[transcript.text])
    (text, plan), *rest = sensible.items()
    others = tuple(other for other, its in rest if its.subgoals != plan.subgoals)
    return Reading(text, plan, others)
