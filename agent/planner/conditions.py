"""Conditions on the scene, as in "if the drawer is open", as they were said."""

from __future__ import annotations

from dataclasses import dataclass

from agent.planner.noun_phrase import NounPhrase, Quantity, Relation
from agent.planner.phrases import begins, noun_phrase, relation
from agent.planner.question import UnclearError, unread
from agent.planner.tokens import Reader

HOLDS_NOTHING = Relation("held")


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so or not.

    Attributes:
        subject: What it is about.
        state: A state of the vocabulary; empty where only relations matter.
        relations: How the subject must stand to other things.
        negated: Whether it must not be so.
        also: Conditions joined to this one.
        either: Whether one of all these is enough.
        context: What was named before in the sentence.
    """

    subject: NounPhrase
    state: str = ""
    relations: tuple[Relation, ...] = ()
    negated: bool = False
    also: tuple[Condition, ...] = ()
    either: bool = False
    context: tuple[NounPhrase, ...] = ()

    @property
    def text(self) -> str:
        """The condition in words, for a reply or a question."""
        said = " and ".join([*filter(None, [self.state]), *(r.text for r in self.relations)])
        denied = "not " if self.negated else ""
        if not said:
            return f"there is {denied}{self.subject.spoken}"
        return f"{self.subject.spoken} is {denied}{said}"


def read_condition(reader: Reader) -> Condition:
    """Read what follows "if", with all that is joined to it by "and" or "or"."""
    first, also, either = _single(reader), list[Condition](), False
    while True:
        start = reader.at
        by_or = reader.accept("or") is not None
        if not by_or and not reader.accept("join", "and"):
            break
        if not _ahead(reader):
            reader.at = start
            break
        either |= by_or
        also.append(_single(reader))
    return Condition(
        first.subject, first.state, first.relations, first.negated, tuple(also), either
    )


def _ahead(reader: Reader) -> bool:
    """Return whether another condition follows, and not something to do."""
    if reader.sees("there be"):
        return True
    start = reader.at
    if not (begins(reader.peek()) or reader.sees("quantity", "no")) or reader.sees("verb"):
        return False
    try:
        noun_phrase(reader)
    except UnclearError:
        return False
    follows = reader.sees("be") or reader.sees("not")
    reader.at = start
    return follows


def _single(reader: Reader) -> Condition:
    """Read one condition."""
    if reader.accept("there be"):
        subject = noun_phrase(reader, lenient=True, greedy=True)
        return Condition(subject)
    if reader.sees("preposition", "held"):
        return _holding(reader)
    start = reader.at
    subject = noun_phrase(reader, lenient=True)
    if reader.accept("carry"):
        carried = noun_phrase(reader, lenient=True)
        return Condition(carried, relations=(Relation("in", (subject,)),))
    negated = False
    while True:
        if reader.accept("not") is not None:
            negated = not negated
        elif reader.accept("be") is None and reader.accept("relative") is None:
            break
    return _predicate(reader, subject, negated, start)


def _holding(reader: Reader) -> Condition:
    """Read "you are holding the red block"."""
    reader.take()
    subject = noun_phrase(reader, lenient=True)
    return Condition(subject, relations=(HOLDS_NOTHING,))


def _predicate(reader: Reader, subject: NounPhrase, negated: bool, start: int) -> Condition:
    """Read what is said of a subject."""
    preposition = reader.sees("preposition") and begins(reader.peek(1), lenient=True)
    if reader.sees("preposition", "held") or preposition:
        relations = [relation(reader)]
        while reader.sees("preposition") and begins(reader.peek(1)):
            relations.append(relation(reader))
        return Condition(subject, relations=tuple(relations), negated=negated)
    if reader.sees("state"):
        return Condition(subject, state=reader.take().senses["state"], negated=negated)
    if subject.relations or subject.quantity is Quantity.NONE:
        return Condition(subject, negated=negated)
    said = reader.peek().text or reader.text(start)
    if reader.peek().senses or not reader.peek().text:
        raise unread(said)
    raise UnclearError(
        f"I cannot tell whether {subject.spoken} is {said!r}. I can tell whether a thing is open, "
        "closed, on, off, empty or full, and where it is. What should I do?"
    )
