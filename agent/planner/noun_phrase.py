"""Noun phrases and what relates them, as they were said: what they stand for comes later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from agent.planner.relations import CARRYING
from agent.planner.vocabulary import COLOURS


class Quantity(Enum):
    """How many of what a description fits are meant."""

    DEFINITE = "definite"
    ANY = "any"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Relation:
    """A preposition with what it relates to.

    Attributes:
        kind: A preposition of the vocabulary.
        anchors: What it relates to; none in "put it inside" and for `held`.
        negated: Whether the relation must not hold.
    """

    kind: str
    anchors: tuple[NounPhrase, ...] = ()
    negated: bool = False

    @property
    def text(self) -> str:
        """What was said, for a question."""
        words = " and ".join(a.spoken for a in self.anchors)
        kind = "in the hand" if self.kind == "held" else self.kind
        return f"{'not ' if self.negated else ''}{kind} {words}".strip()


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """What was said about one thing or several.

    Attributes:
        words: Colours and words that are not known; a thing must match all of them.
        kind: The noun's kind, empty where any kind may be meant.
        quantity: Whether all, some or just these are meant.
        count: How many, None where the number is open.
        pronoun: A pronoun of the vocabulary, empty for a description.
        other: Whether things named earlier in the command are excluded.
        superlative: The end of an order that is meant: a side, `nearest` or `farthest`.
        state: What state it must be in.
        relations: How it must stand to other things.
        exceptions: What does not belong, as in "all but the red one".
        alternatives: What would do as well, as in "the red or the green one".
    """

    words: tuple[str, ...] = ()
    kind: str = ""
    quantity: Quantity = Quantity.DEFINITE
    count: int | None = 1
    pronoun: str = ""
    other: bool = False
    superlative: str = ""
    state: str = ""
    relations: tuple[Relation, ...] = ()
    exceptions: tuple[NounPhrase, ...] = ()
    alternatives: tuple[NounPhrase, ...] = ()

    @property
    def text(self) -> str:
        """The description in the singular, without an article, for a question."""
        if self.pronoun:
            return self.pronoun
        parts = [self.superlative, self.state, *self.words]
        named = self.words and self.words[-1] not in COLOURS
        noun = self.kind or ("" if named else "one" if any(parts) else "thing")
        return " ".join(p for p in (*parts, noun, *(r.text for r in self.relations)) if p)

    @property
    def spoken(self) -> str:
        """The description with the article it goes by."""
        indefinite = self.quantity is Quantity.ANY
        if self.pronoun:
            return self.pronoun
        several = "s" if self.quantity is Quantity.ALL and self.kind and not self.relations else ""
        return f"{'a' if indefinite else 'the'} {self.text}{several}"

    @property
    def plural(self) -> bool:
        """Whether more than one thing may be meant."""
        return self.count != 1 or self.pronoun == "them"


IT = NounPhrase(pronoun="it")
THEM = NounPhrase(pronoun="them", count=None)
THERE = NounPhrase(pronoun="there")


def nested(relations: Sequence[Relation]) -> tuple[Relation, ...]:
    """Return "in the bowl on the left" with the later relations about the first one's anchor."""
    first, *others = relations
    if not first.anchors or first.kind not in CARRYING:
        return tuple(relations)
    anchor = replace(first.anchors[0], relations=(*first.anchors[0].relations, *others))
    return (replace(first, anchors=(anchor,)),)
