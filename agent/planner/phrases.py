"""Reads noun phrases and prepositions out of tokens."""

from __future__ import annotations

from dataclasses import replace

from agent.planner.noun_phrase import THEM, NounPhrase, Quantity, Relation
from agent.planner.quantities import amount, number, whole
from agent.planner.question import UnclearError
from agent.planner.tokens import Reader, Token

_BEGINNINGS = (
    "det",
    "pronoun",
    "quantity",
    "whole",
    "number",
    "colour",
    "superlative",
    "size",
    "other",
    "noun",
    "plural",
    "side",
    "zone",
)
_BINDING = ("nearest", "farthest", "between", "outside", "held")
"""Prepositions that say which thing is meant and never where to put one."""


def begins(token: Token, *, lenient: bool = False) -> bool:
    """Return whether a noun phrase can begin with a token.

    Args:
        token: The token.
        lenient: Whether a word that is not known may be a thing's name, as behind a verb.
    """
    if token.has("correct"):
        return False
    if any(token.has(category) for category in _BEGINNINGS):
        return True
    return lenient and bool(token.text) and not token.senses


def noun_phrases(
    reader: Reader, *, lenient: bool = False, greedy: bool = False
) -> list[NounPhrase]:
    """Read "the red, the green and the yellow blocks", corrections among them applied."""
    found = [noun_phrase(reader, lenient=lenient, greedy=greedy)]
    while True:
        start = reader.at
        marks = _marks(reader)
        if not marks or not begins(reader.peek()) or reader.sees("verb"):
            reader.at = start
            return _sharing_the_noun(found)
        phrase = noun_phrase(reader, greedy=greedy)
        if "correct" in marks:
            found[-1] = phrase
        elif "or" in marks:
            found[-1] = replace(found[-1], alternatives=(*found[-1].alternatives, phrase))
        else:
            found.append(phrase)


def _marks(reader: Reader) -> set[str]:
    """Pass over what may stand between two members of a list; return what it was."""
    seen = set[str]()
    while True:
        if reader.accept("correct"):
            seen.add("correct")
        elif reader.accept("or"):
            seen.add("or")
        elif (join := reader.accept("join", "and", "comma")) is not None:
            seen.add(join)
        else:
            return seen


def _sharing_the_noun(found: list[NounPhrase]) -> list[NounPhrase]:
    """Give "the red and green blocks" its noun in both members, each of which is one thing."""
    last = found[-1]
    shared = []
    for phrase in found[:-1]:
        bare = phrase.words and not phrase.kind and not phrase.pronoun and last.words
        shared.append(replace(phrase, kind=last.kind) if bare else phrase)
    if len(found) > 1 and last.words and last.quantity is Quantity.ALL and shared[-1].words:
        last = replace(last, quantity=Quantity.DEFINITE, count=1)
    elif last.alternatives and not last.kind:
        kind = last.alternatives[-1].kind
        last = replace(last, kind=kind if last.words else "")
    return [*shared, last]


def noun_phrase(reader: Reader, *, lenient: bool = False, greedy: bool = False) -> NounPhrase:
    """Read one noun phrase with what is bound to it.

    Args:
        reader: Stands at its first token.
        lenient: Whether it may begin with a word that is not known.
        greedy: Whether every preposition that follows belongs to it.
    """
    start = reader.at
    phrase = _pronoun(reader)
    if phrase is None:
        phrase = _description(reader)
    phrase = _bound(reader, phrase, greedy=greedy)
    if phrase.exceptions or phrase.pronoun or phrase.relations or phrase != NounPhrase():
        return phrase
    said = reader.text(start)
    if "one" in said or "thing" in said or "object" in said or "item" in said:
        return phrase
    raise UnclearError(f"What do you mean by {said!r}? A part of the command is missing.")


def _pronoun(reader: Reader) -> NounPhrase | None:
    """Read a pronoun; "that" before a noun is no pronoun."""
    if not reader.sees("pronoun"):
        counted = reader.peek(1).has("pronoun", "them")
        if counted and (reader.sees("quantity", "both") or reader.sees("quantity", "all")):
            both = reader.take().has("quantity", "both")
            reader.take()
            return replace(THEM, count=2 if both else None)
        return None
    follows = reader.peek(1)
    content = any(follows.has(c) for c in ("colour", "noun", "plural", "number", "size", "other"))
    if reader.sees("det") and (content or not (follows.senses or not follows.text)):
        return None
    value = reader.take().senses["pronoun"]
    return NounPhrase(pronoun=value, count=None if value == "them" else 1)


def _description(reader: Reader) -> NounPhrase:
    """Read quantity, article, number, adjectives and noun."""
    quantity = reader.accept("quantity")
    all_of_it = reader.accept("whole")
    if all_of_it in ("everything", "something", "nothing"):
        return whole(all_of_it)
    article = reader.accept("det")
    quantity = quantity or (reader.accept("quantity") if article is None else None)
    count = None if article and reader.peek().text == "one" else number(reader)
    if count is not None and reader.accept("of") is not None:
        reader.accept("det")
        article = None
    other = reader.accept("other") is not None or all_of_it is not None
    if count is None and reader.peek().text != "one":
        count = number(reader)
    phrase = replace(_adjectives(reader), other=other)
    if count is None and phrase.superlative:
        count, article = number(reader), "the"
    phrase, plural = _noun(reader, phrase)
    if all_of_it:
        return replace(phrase, quantity=Quantity.ALL, count=None)
    if quantity == "both" and phrase == NounPhrase() and not plural:
        return replace(THEM, count=2)
    meant, count = amount(quantity, article, count, plural, phrase)
    return replace(phrase, quantity=meant, count=count)


def _adjectives(reader: Reader) -> NounPhrase:
    """Read colours, sizes, states and superlatives, and words that are not known."""
    words: list[str] = []
    superlative = state = ""
    while True:
        here, following = reader.peek(), reader.peek(1)
        named = any(following.has(c) for c in ("noun", "plural", "colour", "size", "number"))
        named_state = named and not here.has("preposition")
        if here.has("colour"):
            words.append(reader.take().senses["colour"])
        elif here.has("size"):
            reader.take()
        elif here.has("superlative"):
            superlative = reader.take().senses["superlative"]
        elif here.has("side") and named:
            superlative = reader.take().senses["side"]
        elif here.has("state", "open", "closed", "empty", "full", "lit", "unlit") and named_state:
            state = reader.take().senses["state"]
        elif here.text and not here.senses:
            words.append(reader.take().text)
        else:
            return NounPhrase(tuple(words), superlative=superlative, state=state)


def _noun(reader: Reader, phrase: NounPhrase) -> tuple[NounPhrase, bool]:
    """Read the noun, or the place that stands for one; return whether it was a plural."""
    here = reader.peek()
    if here.has("zone"):
        side = reader.take().senses["zone"].removesuffix(" zone")
        return replace(phrase, words=(*phrase.words, side), kind="zone"), False
    if here.has("plural"):
        return replace(phrase, kind=reader.take().senses["plural"]), True
    if here.has("noun"):
        return replace(phrase, kind=reader.take().senses["noun"]), False
    if here.has("side") and not phrase.words:
        return replace(phrase, words=(reader.take().senses["side"],), kind="side"), False
    return phrase, False


def _bound(reader: Reader, phrase: NounPhrase, *, greedy: bool) -> NounPhrase:
    """Read relative clauses, exceptions and the prepositions that belong to a phrase."""
    while True:
        start = reader.at
        relative = reader.accept("relative") is not None
        negated = reader.accept("not") is not None
        if relative and reader.sees("state") and not begins(reader.peek(1)):
            state = reader.take().senses["state"]
            phrase = replace(phrase, state=f"not {state}" if negated else state)
            continue
        if relative and reader.sees("colour"):
            phrase = _coloured(phrase, reader.take().senses["colour"], negated=negated)
            continue
        if relative and reader.sees("superlative") and not reader.sees("preposition"):
            phrase = replace(phrase, superlative=reader.take().senses["superlative"])
            continue
        # "Put the red block not on the plate but in the bowl": there the verb's place is denied.
        bound = relative or greedy or reader.sees("preposition", *_BINDING)
        bound = bound or (negated and phrase.plural)
        if reader.sees("preposition") and bound:
            related = relation(reader, negated=negated)
            if related.anchors or related.kind == "held":
                related_too = _also_related(reader) if relative else ()
                relations = (*phrase.relations, related, *related_too)
                phrase = replace(phrase, relations=relations)
                continue
        elif not relative and not negated and reader.sees("superlative"):
            phrase = replace(phrase, superlative=reader.take().senses["superlative"])
            continue
        elif not relative and negated and begins(reader.peek()):
            phrase = replace(phrase, exceptions=(*phrase.exceptions, *noun_phrases(reader)))
            continue
        reader.at = start
        left_out = exceptions(reader)
        if not left_out:
            return phrase
        phrase = replace(phrase, exceptions=(*phrase.exceptions, *left_out))


def _coloured(phrase: NounPhrase, colour: str, *, negated: bool) -> NounPhrase:
    """Return "blocks that are red", or those that are not."""
    if not negated:
        return replace(phrase, words=(*phrase.words, colour))
    other = NounPhrase((colour,), phrase.kind, Quantity.ALL, None)
    return replace(phrase, exceptions=(*phrase.exceptions, other))


def _also_related(reader: Reader) -> tuple[Relation, ...]:
    """Read "and not on the plate" behind a relative clause."""
    found: list[Relation] = []
    while True:
        start = reader.at
        negated = reader.accept("except") is not None
        if negated or reader.accept("join", "and"):
            negated |= reader.accept("not") is not None
            if reader.sees("preposition") and begins(reader.peek(1)):
                found.append(relation(reader, negated=negated))
                continue
        reader.at = start
        return tuple(found)


def exceptions(reader: Reader) -> list[NounPhrase]:
    """Read what is left out, as in "except the red one"; nothing where nothing is."""
    start = reader.at
    reader.accept("join", "comma")
    marked = reader.accept("except") is not None or reader.accept("join", "but") is not None
    if not marked and (reader.accept("not") is not None):
        marked = True
    if marked and begins(reader.peek()):
        return noun_phrases(reader, greedy=True)
    reader.at = start
    return []


def relation(reader: Reader, *, negated: bool = False) -> Relation:
    """Read a preposition and what it relates to."""
    kind = reader.take().senses["preposition"]
    negated |= kind == "outside"
    kind = "in" if kind == "outside" else kind
    if kind == "held" or not begins(reader.peek(), lenient=True):
        return Relation(kind, (), negated)
    anchors = [noun_phrase(reader, lenient=True)]
    if kind == "between" and not anchors[0].plural and reader.sees("join", "and"):
        reader.take()
        anchors.append(noun_phrase(reader))
    on_a_side = kind in ("left of", "right of", "behind", "in front of")
    if on_a_side and anchors[0].kind == "table":
        side = {"behind": "back", "in front of": "front"}.get(kind, kind.removesuffix(" of"))
        return Relation("on", (NounPhrase((side,), "zone"),), negated)
    return Relation(kind, tuple(anchors), negated)
