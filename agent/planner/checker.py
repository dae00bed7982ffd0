"""Asks a language model that sees whether a subgoal succeeded, from two pictures."""

from __future__ import annotations

from collections.abc import Sequence

from agent.events import Turn
from agent.pictures import png
from agent.planner.answer import MalformedReply, check_schema, read_check
from agent.planner.chat import ChatFault, Fault, Request
from agent.planner.consultant import Consultant
from agent.planner.prompts import Prompts
from agent.protocols import Answer, Checked
from agent.types import Image

CHECK = "check"
"""The decision that is asked for, by which an episode tells checks from plans."""


class PictureChecker:
    """Checks the subgoals of one mission, so many times at most."""

    def __init__(self, consultant: Consultant, prompts: Prompts, calls: int) -> None:
        """Make a checker for one mission.

        Args:
            consultant: Asks the model.
            prompts: How it is asked.
            calls: How often it may be asked.
        """
        self._consultant, self._prompts, self._left = consultant, prompts, calls

    def check(
        self, phrase: str, facts: Sequence[str], before: Image, after: Image, time_s: float
    ) -> Checked | None:
        """Return what the model tells, see `Checker.check`; the calling thread waits for it."""
        if self._left <= 0:
            return Checked(Answer.UNKNOWN, Fault.OVER_BUDGET.value)
        self._left -= 1
        turns = (Turn("user", self._prompts.check(phrase, facts)),)
        # The first picture goes first, as the prompt says.
        pictures = {"before": png(before), "after": png(after)}
        try:
            reply = self._consultant.ask(Request(CHECK, turns, check_schema(), pictures), time_s)
        except ChatFault as failed:
            if failed.fault is Fault.STOPPED:
                return None
            return Checked(Answer.UNKNOWN, failed.fault.value)
        tokens = reply.tokens_in + reply.tokens_out
        try:
            return Checked(read_check(reply.text), tokens=tokens)
        except MalformedReply:
            return Checked(Answer.UNKNOWN, Fault.MALFORMED.value, tokens)
