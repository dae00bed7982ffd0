"""What an utterance is in a conversation, told from its words: a yes, a no, a correction."""

from __future__ import annotations

import re

_AGREES = frozenset(
    {"yes", "yes please", "yeah", "ok", "okay", "sure", "do it", "right", "correct"}
)
_REFUSES = frozenset({"no", "no thanks", "nope", "wrong", "do not", "don't", "leave it"})
_REPEATS = frozenset({"again", "try again", "y"})
_ASKS_WHAT_IS_DONE = re.compile(
    r"\b(what|where) are you (doing|up to|going)\b|\bwhat is (going on|happening)\b"
)
_CORRECTS = re.compile(r"^(no|not|actually|instead|i mean|i meant|rather|wait)\b|\binstead$")


def agrees(text: str) -> bool:
    """Return whether it is a yes."""
    return text in _AGREES


def refuses(text: str) -> bool:
    """Return whether it is a no."""
    return text in _REFUSES


def goes_on(text: str) -> bool:
    """Return whether it lets the robot do what it has asked about."""
    return agrees(text) or text in _REPEATS


def asks_what_is_done(text: str) -> bool:
    """Return whether it asks what the robot is doing."""
    return bool(_ASKS_WHAT_IS_DONE.search(text))


def corrects(text: str) -> bool:
    """Return whether it changes what was said before, as "no the green one" does."""
    return bool(_CORRECTS.search(text))


def bare(text: str) -> str:
    """Return a correction without the "no" that it may begin with."""
    return re.sub(r"^no,? ", "", text)
