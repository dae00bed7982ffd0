"""How many things a noun phrase is about."""

from __future__ import annotations

from agent.planner.noun_phrase import NounPhrase, Quantity
from agent.planner.question import UnclearError
from agent.planner.tokens import Reader


def whole(word: str) -> NounPhrase:
    """Return the phrase of "everything", "something" or "nothing"."""
    meant = {"something": Quantity.ANY, "nothing": Quantity.NONE}.get(word, Quantity.ALL)
    return NounPhrase(quantity=meant, count=1 if word == "something" else None)


def number(reader: Reader) -> int | None:
    """Read a number, None where there is none."""
    value = reader.accept("number")
    return None if value is None else int(value)


def amount(
    quantity: str | None, article: str | None, said: int | None, plural: bool, phrase: NounPhrase
) -> tuple[Quantity, int | None]:
    """Return how many things are meant, from what was said around the noun."""
    if quantity == "no":
        return Quantity.NONE, None
    if quantity == "both":
        # "Both the red and the green block" announces a list, each member of which is one thing.
        single = not plural and (phrase.words or phrase.kind)
        return Quantity.DEFINITE, 1 if single else 2
    if quantity == "all":
        return (Quantity.DEFINITE, said) if said else (Quantity.ALL, None)
    if quantity == "any":
        return Quantity.ANY, said or 1
    if said is not None:
        return (Quantity.DEFINITE if article == "the" or phrase.other else Quantity.ANY), said
    if plural:
        if article == "a":
            raise UnclearError(f"How many {phrase.text}s do you mean by 'some'?")
        return Quantity.ALL, None
    return (Quantity.ANY if article == "a" else Quantity.DEFINITE), 1
