"""A noun phrase as it was said, before it is known what it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.planner.lexicon import (
    ALL,
    COLOURS,
    DEMONSTRATIVES,
    DETERMINERS,
    NOUNS,
    NUMBERS,
    OTHER,
    PLURAL_PRONOUNS,
    PLURALS,
    PRONOUNS,
    QUANTIFIERS,
    SIZES,
)


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """What was said about one thing or several.

    Attributes:
        words: Colours, kinds and unknown words, all of which the thing must match.
        text: The same for a question, for example `"purple blocks"`.
        count: How many things are meant; None for all that match.
        other: Whether things named earlier in the command are excluded.
        definite: Whether a thing named just before may be meant.
        pronoun: Whether the phrase is a pronoun and `words` is empty.
        exceptions: What does not belong, as in "all but the red one".
    """

    words: tuple[str, ...]
    text: str
    count: int | None = 1
    other: bool = False
    definite: bool = True
    pronoun: bool = False
    exceptions: tuple[NounPhrase, ...] = ()


IT = NounPhrase((), "it", pronoun=True)
THEM = NounPhrase((), "them", count=None, pronoun=True)


def describes(token: str) -> bool:
    """Return whether a token can begin a noun phrase that the planner knows words of."""
    known = (DETERMINERS, PRONOUNS, NUMBERS, COLOURS, SIZES, NOUNS, PLURALS, QUANTIFIERS)
    return token in {"left", "right", "front", "back", "centre"} or any(token in k for k in known)


def noun_phrase(tokens: Sequence[str], exceptions: Sequence[NounPhrase] = ()) -> NounPhrase:
    """Read the tokens between two markers.

    Args:
        tokens: At least one token.
        exceptions: What was excluded from it.
    """
    said = [t for t in tokens if t not in QUANTIFIERS and t not in DETERMINERS]
    counts = [NUMBERS[t] for t in said if t in NUMBERS]
    said = [t for t in said if t not in NUMBERS and t not in SIZES]
    text = " ".join(said) or "thing"
    if len(said) == 1 and said[0] in PRONOUNS:
        count = counts[0] if counts else None if said[0] in PLURAL_PRONOUNS else 1
        return NounPhrase((), text, count=count, pronoun=True, exceptions=tuple(exceptions))
    # "that block" is a description, "that" alone was a pronoun.
    said = said[1:] if said and said[0] in DEMONSTRATIVES else said
    plural = any(t in PLURALS for t in said)
    if "both" in tokens and said and not plural:
        # "Both the red and the green block" announces a list, each member of which is one thing.
        counts = []
    nouns = [PLURALS.get(t, t) for t in said]
    words = tuple(kind for t in nouns if (kind := NOUNS.get(t, t)))
    every = ALL in tokens or plural
    return NounPhrase(
        words=words,
        text=" ".join(nouns) or "thing",
        count=counts[0] if counts else None if every else 1,
        other=OTHER in tokens,
        definite="a" not in tokens and "an" not in tokens,
        exceptions=tuple(exceptions),
    )
