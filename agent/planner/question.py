"""How the planner's parts say that they need to ask the human."""

from __future__ import annotations

from collections.abc import Iterable


class UnclearError(Exception):
    """A command cannot be carried out as it was understood; its text is the question to ask.

    It unwinds the parser and never leaves this package: the planner turns it into a plan that asks.

    Attributes:
        missing: Whether something named is not seen, so that looking again may help.
        offer: Whether the question should go on to say what the robot can do.
    """

    def __init__(self, question: str, *, missing: bool = False, offer: bool = False) -> None:
        """Take the question and what may be done about it."""
        super().__init__(question)
        self.missing = missing
        self.offer = offer


def listed(names: Iterable[str], last: str = "and") -> str:
    """Return `a, b and c`, with another word before the last name if asked for."""
    *head, tail = list(names) or ["nothing"]
    return f"{', '.join(head)} {last} {tail}" if head else tail
