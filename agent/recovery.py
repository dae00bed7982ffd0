"""What can be done about a subgoal that failed, and what is tried first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from agent.types import Reason, Verdict


class Recovery(StrEnum):
    """One way on from a failure, cheapest first.

    AGAIN begins the same subgoal where the arm is: a regrasp. FROM_HOME looks from home first and
    then comes anew. REPLAN looks from home and asks for a new plan, which may open a drawer again
    or choose another thing. ASK ends the mission with a question.
    """

    AGAIN = "again"
    FROM_HOME = "from_home"
    REPLAN = "replan"
    ASK = "ask"


_PATIENT = (Recovery.FROM_HOME, Recovery.REPLAN)
_BY_REASON: Mapping[Reason, tuple[Recovery, ...]] = MappingProxyType(
    {
        Reason.GRASP_MISSED: (Recovery.AGAIN, *_PATIENT),
        Reason.NOT_ACHIEVED: (Recovery.AGAIN, *_PATIENT),
        Reason.DROPPED: (Recovery.REPLAN,),
        Reason.TARGET_MOVED: _PATIENT,
        Reason.STUCK: _PATIENT,
        Reason.BLOCKED: _PATIENT,
        Reason.TIMEOUT: _PATIENT,
        Reason.LOW_CONFIDENCE: _PATIENT,
        Reason.ONE_WITNESS: _PATIENT,
        Reason.NO_PROGRESS: _PATIENT,
        Reason.OUT_OF_DISTRIBUTION: _PATIENT,
    }
)
HELD = frozenset({Reason.POLICY_INVALID, Reason.POLICY_LOST, Reason.CAMERA_LOST, Reason.ROBOT_LOST})
"""Failures of the agent itself: nothing it could do would be watched, so the robot is held."""


def usual(reason: Reason) -> Sequence[Recovery]:
    """Return what to try after a failure, first things first, where nothing is remembered."""
    return _BY_REASON.get(reason, (Recovery.REPLAN,))


def why_held(verdict: Verdict) -> str | None:
    """Return in words why the robot is held, where the agent itself failed."""
    if verdict.reason not in HELD:
        return None
    told = "; ".join(f"{key}: {value}" for key, value in verdict.evidence.items())
    return f"I hold still: {verdict.reason.value.replace('_', ' ')} ({told})."
