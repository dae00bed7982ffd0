"""How the planner's parts say that they need to ask the human."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from agent.planner.vocabulary import EXAMPLE


class UnclearError(Exception):
    """A command cannot be carried out as it was understood; its text is the question to ask.

    It unwinds the parser and never leaves this package: the planner turns it into a plan that asks.

    Attributes:
        missing: Whether something named is not seen, so that looking again may help.
    """

    def __init__(self, question: str, *, missing: bool = False) -> None:
        """Take the question and whether a look may answer it."""
        super().__init__(question)
        self.missing = missing


def unread(text: str, known: Iterable[str] = ()) -> UnclearError:
    """Return the question about words the grammar has no place for.

    Args:
        text: What it could not read.
        known: Words that could have been meant.
    """
    near = difflib.get_close_matches(text, list(known), n=1, cutoff=0.7)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    return UnclearError(
        f"I could not read {text!r} in this command.{guess} I understand, for example, {EXAMPLE!r}."
    )


def listed(names: Iterable[str], last: str = "and") -> str:
    """Return `a, b and c`, with another word before the last name if asked for."""
    *head, tail = list(names) or ["nothing"]
    return f"{', '.join(head)} {last} {tail}" if head else tail


def the(names: Iterable[str], last: str = "and") -> str:
    """Return `the a, the b and the c`."""
    return listed((f"the {name}" for name in names), last)


def plurals(kinds: Iterable[str]) -> str:
    """Return `blocks and cans` for kinds of things."""
    return listed(sorted(f"{kind}s" for kind in kinds))
