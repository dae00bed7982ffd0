"""What the robot says of its own accord: what it will do, what went wrong, what it must know."""

from __future__ import annotations

from collections.abc import Callable

from agent.events import (
    Event,
    MissionEnded,
    MissionStarted,
    Planned,
    Stopped,
    SubgoalEnded,
    SubgoalStarted,
    VerdictGiven,
)
from agent.types import MissionOutcome, MissionResult, Plan, Reason, Subgoal, SubgoalOutcome

_FEW = 3
"""Steps that are named one by one; of more only the number is said."""
_WRONG = {
    Reason.GRASP_MISSED: "I missed it.",
    Reason.WRONG_OBJECT: "That was the wrong one.",
    Reason.DROPPED: "I dropped it.",
    Reason.TARGET_MOVED: "It was moved.",
    Reason.STUCK: "I am stuck.",
    Reason.BLOCKED: "Something is in the way.",
    Reason.TIMEOUT: "That takes too long.",
    Reason.NOT_ACHIEVED: "That did not work.",
    Reason.LOW_CONFIDENCE: "I am not sure that it worked.",
    Reason.ONE_WITNESS: "I look again whether it worked.",
    Reason.NO_PROGRESS: "I get nowhere with it.",
    Reason.OUT_OF_DISTRIBUTION: "I do not know this situation.",
    Reason.POLICY_INVALID: "My own control has failed.",
    Reason.POLICY_LOST: "My own control does not answer.",
    Reason.CAMERA_LOST: "I cannot see.",
    Reason.ROBOT_LOST: "I do not feel my arm.",
    Reason.OUT_OF_LIMITS: "I may not move that far.",
}
_ENDS = {
    MissionOutcome.SUCCESS: "Done.",
    MissionOutcome.FAILED: "I could not do it.",
    # Without the stop word, which is listened for while the robot speaks, too.
    MissionOutcome.STOPPED: "I hold still now.",
}


class Replies:
    """Hears the events of missions and says the few a person nearby wants to know."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Take what speaks and prints; it must return at once.

        Args:
            say: Is told one short sentence after another.
        """
        self._say = say
        self._forget()

    def _forget(self) -> None:
        self._running: Subgoal | None = None
        self._replans, self._total, self._done = 0, 0, 0
        self._last: Reason | None = None

    def doing(self) -> str:
        """Return the answer to "what are you doing?"."""
        if self._running is None:
            return "I am thinking." if self._total else "Nothing at the moment."
        step = f"Step {self._done + 1} of {self._total}: " if self._done < self._total else ""
        return _sentence(f"{step}{self._running.phrase}")

    def on_event(self, event: Event) -> None:
        """Say one event, if it is worth a sentence."""
        match event:
            case MissionStarted():
                self._forget()
            case Planned(problems=()) if event.plan.subgoals:
                self._planned(event)
            case SubgoalStarted():
                self._running = event.subgoal
            case VerdictGiven(verdict=verdict):
                self._wrong(verdict.reason)
            case SubgoalEnded(result=result):
                self._running = None
                # A look between plans is no part of them.
                self._done += result.outcome is SubgoalOutcome.SUCCESS and result.attempts > 0
            case Stopped():
                self._running = None
            case MissionEnded():
                self._ended(event.result)

    def _planned(self, event: Planned) -> None:
        self._total, self._done = len(event.plan.subgoals), 0
        if event.replans > self._replans:
            self._replans = event.replans
            self._say("I try it another way.")
        else:
            self._say(intention(event.plan))

    def _wrong(self, reason: Reason) -> None:
        """Say what went wrong, once for each thing in a row."""
        if reason in _WRONG and reason is not self._last:
            self._say(_WRONG[reason])
        self._last = reason

    def _ended(self, result: MissionResult) -> None:
        self._forget()
        if result.question:
            self._say(result.question)
        elif result.outcome in _ENDS:
            self._say(_ENDS[result.outcome])


def intention(plan: Plan) -> str:
    """Return what a plan's author says of it, or else its steps in one short sentence."""
    if plan.reply:
        return plan.reply
    phrases = [subgoal.phrase for subgoal in plan.subgoals]
    if len(phrases) > _FEW:
        return f"I will do that in {len(phrases)} steps, beginning with: {phrases[0]}."
    return f"I will {', then '.join(phrases)}."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
