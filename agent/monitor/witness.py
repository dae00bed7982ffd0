"""A third witness of success, which compares a picture from the start with one of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.protocols import Answer, Checked, Checker
from agent.types import Image, Observation, Reason, Verdict, VerdictValue

CAMERA = "front"
"""Whose pictures are compared; the one on the hand sees another place each time."""
_NO_PICTURE = Checked(Answer.UNKNOWN, "no_picture")


class PictureWitness:
    """May object to a confirmation, and by itself can never make one.

    It is only asked about what the success head and the scene agree on already, or about what the
    scene says of a policy without such a head, where its "yes" is the second witness. A "no"
    withholds the confirmation, so that the robot looks again from home and goes on from what it
    sees there; it settles nothing about the mission, whose goals are judged by the last look. Where
    it does not know, fails or may not be asked any more it is no witness: things go on as without
    it, and the evidence says so.
    """

    def __init__(self, checker: Checker) -> None:
        """Keep whom to ask."""
        self._checker = checker

    def reset(self, phrase: str, facts: Sequence[str]) -> None:
        """Begin with a subgoal and what holds when it is done; of nothing, nothing is asked."""
        self._phrase, self._facts = phrase, tuple(facts)
        self._first: Mapping[str, Image] | None = None

    def look(self, observation: Observation) -> None:
        """Keep what is seen first: nothing has moved by then."""
        if self._first is None:
            self._first = observation.images

    def weigh(self, confirmed: Verdict, observation: Observation) -> Verdict | None:
        """Return a confirmation, or what is left of it; None where the robot was stopped meanwhile.

        The answer is waited for between two ticks: no action is sent, so the arm holds still, and
        the subgoal ends with it, so none is ever sent on a picture that has become old.
        """
        if not self._facts:
            return confirmed
        checked = self.ask(observation)
        if checked is None:
            return None
        evidence = {**confirmed.evidence, **_told(checked)}
        if checked.answer is Answer.NO:
            doubted = (VerdictValue.INSUFFICIENT, Reason.LOW_CONFIDENCE)
            return Verdict(*doubted, confirmed.confidence, evidence)
        return replace(confirmed, evidence=evidence)

    def second(self, alone: Verdict, observation: Observation) -> Verdict | None:
        """Return a confirmation of what only the scene says, or what it is without one.

        Only a "yes" confirms, and only a "no" objects. None where the robot was stopped meanwhile.
        """
        checked = self.ask(observation)
        if checked is None:
            return None
        evidence = {**alone.evidence, **_told(checked)}
        if checked.answer is Answer.YES:
            return Verdict(VerdictValue.CONFIRMED, Reason.DONE, alone.confidence, evidence)
        reason = Reason.LOW_CONFIDENCE if checked.answer is Answer.NO else alone.reason
        return replace(alone, reason=reason, evidence=evidence)

    def ask(self, observation: Observation) -> Checked | None:
        """Return what the first picture and the one of now tell, None where the robot was stopped.

        The calling thread waits for it.
        """
        before, after = (self._first or {}).get(CAMERA), observation.images.get(CAMERA)
        if before is None or after is None:
            return _NO_PICTURE
        return self._checker.check(self._phrase, self._facts, before, after, observation.time_s)


def _told(checked: Checked) -> dict[str, str]:
    """Return what came of a look, as evidence."""
    fault = {} if checked.fault is None else {"vlm_fault": checked.fault}
    return {"vlm": checked.answer.value, **fault}
