"""A clause: one verb with what belongs to it, as it was said."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.planner.noun_phrase import THERE, NounPhrase, Relation
from agent.planner.phrases import begins, exceptions, noun_phrase, noun_phrases, relation
from agent.planner.question import UnclearError, unread
from agent.planner.tokens import Reader, Token

MOVING = ("push", "pull", "move")
"""Verbs that take a direction."""
_ALONE = ("home", "look", "wait")
_CONTENT = ("noun", "plural", "colour", "size", "number")


@dataclass(frozen=True, slots=True)
class Clause:
    """One verb with what belongs to it.

    Attributes:
        verb: A verb of the vocabulary.
        objects: What is to be handled; empty where it is understood.
        places: Prepositions in the order said: which object, and where to.
        denied: Where it shall not go, as in "not in the white bowl".
        direction: Which way to push.
        particle: What completes the verb, as "on" in "turn it on".
        amount: Whether "a bit" was said.
        times: How often.
        negated: Whether it is what must not be done.
        correction: What replaces an object or the place, whichever it can stand for.
        context: What was named before in the sentence though it is carried out later.
    """

    verb: str
    objects: tuple[NounPhrase, ...] = ()
    places: tuple[Relation, ...] = ()
    denied: tuple[Relation, ...] = ()
    direction: str = ""
    particle: str = ""
    amount: bool = False
    times: int = 1
    negated: bool = False
    correction: NounPhrase | None = None
    context: tuple[NounPhrase, ...] = ()

    @property
    def named(self) -> tuple[NounPhrase, ...]:
        """Everything the clause names, the objects last."""
        return (*(a for place in self.places for a in place.anchors), *self.objects)


def opens_clause(reader: Reader) -> bool:
    """Return whether a clause can begin here, with its verb or without."""
    return reader.sees("verb") or _fragment_ahead(reader)


def _fragment_ahead(reader: Reader) -> bool:
    return begins(reader.peek()) or reader.sees("preposition") or reader.sees("direction")


def read_clause(reader: Reader, previous: Clause | None) -> Clause:
    """Read one clause; without a verb it takes that of the clause before.

    Raises:
        UnclearError: Where nothing that is understood stands here.
    """
    start = reader.at
    if reader.sees("verb"):
        return _parts(reader, Clause(reader.take().senses["verb"]))
    if not _fragment_ahead(reader):
        raise unread(reader.peek().text)
    shared = previous.verb if previous and previous.verb not in _ALONE else "put"
    clause = _parts(reader, Clause(shared))
    if reader.at == start:
        raise unread(reader.peek().text)
    if clause.places and not clause.objects and (fronted := _behind_place(reader, clause)):
        return fronted
    if previous is None or not clause.objects:
        return clause if clause.verb != "pick" or clause.objects else replace(clause, verb="put")
    if not clause.places and not clause.direction:
        # "Put the red block in the bowl, and the green one too."
        clause = replace(
            clause,
            places=previous.places,
            direction=previous.direction,
            particle=clause.particle or previous.particle,
        )
    return clause


def _behind_place(reader: Reader, place: Clause) -> Clause | None:
    """Read "into the bowl put the red block", None where no verb follows the place."""
    start = reader.at
    reader.accept("join", "comma")
    if reader.sees("verb", "put", "move", "drop", "stack"):
        clause = _parts(reader, Clause(reader.take().senses["verb"]))
        return replace(clause, places=(*clause.places, *place.places))
    reader.at = start
    return None


def _parts(reader: Reader, clause: Clause) -> Clause:
    """Read what belongs to a verb until something else begins."""
    while True:
        start = reader.at
        clause = _part(reader, clause)
        if reader.at == start:
            return clause


def _part(reader: Reader, clause: Clause) -> Clause:
    """Read one part of a clause; reading nothing means that there is none."""
    here, following = reader.peek(), reader.peek(1)
    if clause.verb in _ALONE:
        return clause
    if (corrected := _corrected(reader, clause)) is not None:
        return corrected
    if clause.verb == "give" and here.has("det", "a") and following.has("verb"):
        reader.take()
        return replace(clause, verb=reader.take().senses["verb"])
    if _is_direction(reader, clause):
        return _with_direction(reader, clause)
    if here.has("preposition", "to") and following.has("verb"):
        reader.take()
        verb = reader.take().senses["verb"]
        reader.accept("pronoun", "it")
        return replace(clause, verb=verb, objects=clause.objects or _last_anchor(clause), places=())
    if here.has("times") and not (here.has("order") and opens_clause_after(reader)):
        return replace(clause, times=int(reader.take().senses["times"]))
    if here.has("pronoun", "there"):
        reader.take()
        return replace(clause, places=(*clause.places, Relation("to", (THERE,))))
    if reader.accept("amount") is not None:
        return replace(clause, amount=True)
    if here.has("preposition"):
        return _with_place(reader, clause)
    if clause.objects and here.has("state", "open", "closed", "lit", "unlit"):
        if here.has("verb") and begins(following):
            return clause
        return replace(clause, particle=reader.take().senses["state"])
    if here.has("particle"):
        return replace(clause, particle=reader.take().senses["particle"])
    if here.has("join", "comma") and clause.places and _is_denial(following, reader.peek(2)):
        reader.take()
        return clause
    if _is_denial(here, following):
        reader.take()
        denied = relation(reader)
        reader.accept("join", "but")
        return replace(clause, denied=(*clause.denied, denied))
    return _with_objects(reader, clause)


def _is_denial(token: Token, following: Token) -> bool:
    """Return whether "not in" begins here."""
    return (token.has("not") or token.has("except")) and following.has("preposition")


def opens_clause_after(reader: Reader) -> bool:
    """Return whether a clause can begin behind the next token."""
    return reader.peek(1).has("verb") or begins(reader.peek(1))


def _with_objects(reader: Reader, clause: Clause) -> Clause:
    """Read the objects, what is left out of them, and what would do as well."""
    if not clause.objects and not clause.places and begins(reader.peek(), lenient=True):
        clause = replace(clause, objects=tuple(noun_phrases(reader, lenient=True)))
        return clause if clause.verb == "pick" else _with_place_of_exception(reader, clause)
    if not clause.objects and reader.sees("state", "lit") and begins(reader.peek(1)):
        return clause
    if clause.objects and (left_out := exceptions(reader)):
        return replace(clause, objects=_without(clause.objects, left_out))
    if reader.sees("or") and clause.places and clause.places[-1].anchors:
        return _or_place(reader, clause)
    comma = reader.sees("join", "comma") and reader.peek(1).has("preposition")
    if comma and clause.objects and not clause.places and begins(reader.peek(2)):
        reader.take()
    return clause


def _with_place_of_exception(reader: Reader, clause: Clause) -> Clause:
    """Give the verb its place back in "put all blocks except the red one in the bowl"."""
    last = clause.objects[-1]
    if not last.exceptions or not last.exceptions[-1].relations or reader.sees("preposition"):
        return clause
    left_out = last.exceptions[-1]
    *kept, place = left_out.relations
    left_out = replace(left_out, relations=tuple(kept))
    last = replace(last, exceptions=(*last.exceptions[:-1], left_out))
    return replace(clause, objects=(*clause.objects[:-1], last), places=(place,))


def _without(objects: tuple[NounPhrase, ...], left_out: list[NounPhrase]) -> tuple[NounPhrase, ...]:
    last = objects[-1]
    return (*objects[:-1], replace(last, exceptions=(*last.exceptions, *left_out)))


def _or_place(reader: Reader, clause: Clause) -> Clause:
    """Read "in the blue bowl or on the plate"."""
    start = reader.at
    reader.take()
    if reader.sees("preposition"):
        others = relation(reader).anchors
    elif begins(reader.peek()):
        others = (noun_phrase(reader),)
    else:
        reader.at = start
        return clause
    *before, last = clause.places
    anchor = last.anchors[0]
    if not anchor.kind and anchor.words and others:
        anchor = replace(anchor, kind=others[0].kind)
    anchor = replace(anchor, alternatives=(*anchor.alternatives, *others))
    return replace(clause, places=(*before, replace(last, anchors=(anchor,))))


def _is_direction(reader: Reader, clause: Clause) -> bool:
    """Return whether "left", "to the left" or "towards you" says which way to push."""
    if clause.verb not in MOVING or not (clause.objects or clause.verb != "move"):
        return False
    ahead = 0
    if reader.sees("preposition", "to") and not reader.sees("direction"):
        ahead = 2 if reader.peek(1).has("det") else 1
    token, following = reader.peek(ahead), reader.peek(ahead + 1)
    if not token.has("direction") or any(following.has(c) for c in _CONTENT):
        return False
    # "Move it to the left" names a part of the table, "push it to the left" a way to go.
    return not (clause.verb == "move" and ahead and token.has("side") and not clause.amount)


def _with_direction(reader: Reader, clause: Clause) -> Clause:
    while not reader.sees("direction"):
        reader.take()
    direction = reader.take().senses["direction"]
    if clause.direction and clause.direction != direction:
        raise UnclearError(
            f"Should I push it {clause.direction} or {direction}? I can do one, then the other."
        )
    return replace(clause, direction=direction)


def _with_place(reader: Reader, clause: Clause) -> Clause:
    """Read a preposition; one that relates to nothing completes the verb."""
    here, following = reader.peek(), reader.peek(1)
    if not here.has("preposition", "held") and not begins(following, lenient=True):
        reader.take()
        value = here.senses.get("state") if here.has("state") else here.senses["preposition"]
        return replace(clause, particle=str(value))
    place = relation(reader)
    if place.anchors and place.anchors[0].exceptions and clause.objects:
        # "Put all blocks in the bowl except the red one": what is left out is a block.
        anchor = place.anchors[0]
        if clause.objects[-1].plural:
            objects = _without(clause.objects, list(anchor.exceptions))
            place = replace(place, anchors=(replace(anchor, exceptions=()),))
            clause = replace(clause, objects=objects)
    return replace(clause, places=(*clause.places, place))


def _last_anchor(clause: Clause) -> tuple[NounPhrase, ...]:
    """Return what "pull on the drawer to open it" is about."""
    return clause.places[-1].anchors if clause.places else ()


def _corrected(reader: Reader, clause: Clause) -> Clause | None:
    """Read "no, the green one" or "actually on the plate"; None where there is no such thing."""
    start, said = reader.at, False
    while True:
        if reader.accept("correct"):
            said = True
        elif not reader.accept("join", "comma", "and", "stop", "but"):
            break
    if said and not reader.sees("verb"):
        if reader.sees("direction") and clause.direction:
            return replace(clause, direction=reader.take().senses["direction"])
        if begins(reader.peek(), lenient=True):
            return _replacing(reader, clause)
        if reader.sees("preposition") and begins(reader.peek(1), lenient=True):
            return replace(clause, places=(relation(reader),), denied=())
    reader.at = start
    if said and reader.peek().text == "instead":
        reader.take()
        return replace(clause)
    return None


def _replacing(reader: Reader, clause: Clause) -> Clause:
    """Read what replaces the last object, or what may replace the place instead."""
    phrase = noun_phrase(reader, lenient=True)
    last = clause.objects[-1] if clause.objects else NounPhrase()
    if phrase.words and not phrase.kind and last.kind and not clause.places:
        phrase = replace(phrase, kind=last.kind)
    objects = (*clause.objects[:-1], phrase)
    if reader.sees("preposition") and begins(reader.peek(1), lenient=True):
        return replace(clause, objects=objects, places=(relation(reader),))
    if clause.places or clause.denied:
        return replace(clause, correction=phrase)
    return replace(clause, objects=objects)
