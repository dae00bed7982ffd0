"""What a mission file says to the robot while it carries out a command."""

from __future__ import annotations

from collections.abc import Iterator

from agent.events import Event, SubgoalEnded
from agent.script.schema import Command


class Dialogue:
    """Answers questions and corrects the command at its time; counts subgoals for that."""

    def __init__(self, command: Command) -> None:
        """Have said nothing yet."""
        self._answers, self._corrections = list(command.answers), list(command.corrections)
        self._ended = 0

    def on_event(self, event: Event) -> None:
        """Count the tries of subgoals; looks between plans are none."""
        if isinstance(event, SubgoalEnded) and event.result.attempts > 0:
            self._ended += 1

    def answer(self, question: str) -> str:
        """Return the next answer, nothing where there is none left."""
        return self._answers.pop(0) if self._answers else ""

    def wish(self, time_s: float) -> str:
        """Return the correction that has been said by now, if any."""
        if not self._corrections:
            return ""
        due = self._corrections[0]
        at_s = float("inf") if due.at_s is None else due.at_s
        if time_s < at_s and (due.during is None or self._ended < due.during):
            return ""
        return self._corrections.pop(0).say

    def unsaid(self) -> Iterator[str]:
        """Yield a sentence for everything that there was no occasion to say."""
        for said in self._answers:
            yield f"The robot should have asked, to be answered {said!r}, but it did not."
        for correction in self._corrections:
            yield f"{correction.say!r} should have been said, but the command had ended before."
