"""Goals of the verbs that take things from one place to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.planner.clauses import Clause
from agent.planner.context import Context, where_to, with_relations
from agent.planner.goals import Goal, takes, targets
from agent.planner.noun_phrase import NounPhrase, Quantity, Relation
from agent.planner.question import UnclearError, plurals, the

_TO = ("to", "into", "onto")
_TARGETING = ("in", "on", "at", *_TO)
_PARTICLES = ("in", "on", "into", "onto")


def pick(clause: Clause, context: Context) -> list[Goal]:
    """Return the goals of "pick up"; with a place to go to, it is a way of saying "put"."""
    related = tuple(p for p in clause.places if p.anchors)
    if any(p.kind in _TO for p in related) and not _is_superlative(clause.objects):
        return put(clause, context)
    if not clause.objects and not context.resolver.discourse.named and context.scene.held is None:
        raise UnclearError("What should I pick up?")
    clause = corrected(clause, context)
    kinds = takes(context.contracts, "pick", "object")
    names = context.things(clause, kinds, "pick up", related)
    context.resolver.discourse.mention(names)
    several = len(names) > 1 or any(p.quantity is Quantity.ALL for p in clause.objects)
    if several and any(p.kind == "from" for p in related):
        # "Take everything out of the bowl": the hand holds one thing, so they end on the table.
        return context.put_on_table(names)
    return [Goal("pick", name) for name in names]


def remove(clause: Clause, context: Context) -> list[Goal]:
    """Return the goals of "remove ... from ...": what is meant ends on the table itself."""
    names = context.things(clause, context.movable, "move", clause.places)
    context.resolver.discourse.mention(names)
    return context.put_on_table(names)


def let_go(clause: Clause, context: Context) -> list[Goal]:
    """Return the goals of "drop" and "let go of"; with a place, they are ways of saying "put"."""
    if clause.places or clause.particle in _PARTICLES:
        return put(clause, context)
    if not clause.objects:
        return [Goal("release")]
    names = context.things(clause, context.movable, "let go of")
    if len(names) > 1:
        raise where_to(names)
    context.resolver.discourse.mention(names)
    return [Goal("release", names[0])]


def put_down(clause: Clause, context: Context) -> list[Goal]:
    """Return the goal of setting down what is held where there is room for it."""
    held = context.scene.held
    if not clause.objects and held is not None:
        names = [held.name]
    else:
        names = context.things(clause, context.movable, "put down")
    if held is None or names != [held.name]:
        raise UnclearError(f"I am not holding {the(names)}. Where should I put it?")
    context.resolver.discourse.mention(names)
    return context.put_on_table(names)


def put(clause: Clause, context: Context) -> list[Goal]:
    """Return the goals of putting things somewhere.

    Of several places the last is where to, and those before it say which thing is meant; other
    readings count only where this one makes no sense.
    """
    clause = corrected(clause, context)
    if not clause.places and clause.particle in _PARTICLES:
        clause = replace(clause, places=(Relation(clause.particle),))
    if clause.places and clause.objects and all(p.kind == "from" for p in clause.places):
        return remove(clause, context)
    if not clause.places:
        if clause.particle == "down":
            return put_down(clause, context)
        if place := _meant_as_place(clause):
            raise _not_a_place(replace(clause, places=(place,)), context)
        raise _no_place(clause, context)
    found: list[tuple[list[str], str]] = []
    unclear: UnclearError | None = None
    for objects, place in _readings(clause, context):
        try:
            found.append(_resolved(replace(clause, objects=objects), place, context))
        except UnclearError as error:
            unclear = unclear or error
    if len({(tuple(names), target) for names, target in found}) > 1:
        options = " or ".join(f"{the(names)} to the {target}" for names, target in found)
        raise UnclearError(f"I can read that in two ways: {options}. Which do you mean?")
    if not found:
        raise unclear or _not_a_place(clause, context)
    names, target = found[0]
    context.resolver.discourse.put(names, target)
    return context.put(names, target)


def _resolved(clause: Clause, place: Relation, context: Context) -> tuple[list[str], str]:
    """Return the things and the place of one reading."""
    resolver = context.resolver
    phrases = clause.objects or (context.understood(context.movable),)
    first = list[str]()
    if all(not p.pronoun or p.pronoun == "held" for p in phrases):
        # What is to be moved is no place for itself, as in "put the red one on it".
        first = [n for p in phrases for n in resolver.matches(p, context.movable)]
    target = context.target(place, clause.denied, first if len(first) == 1 else ())
    inside = [o.name for o in context.scene.contents(target)]
    names = [
        n
        for p in phrases
        for n in resolver.find(p, context.movable, "move", [*inside, target])
        if n != target
    ]
    if not names:
        raise UnclearError(f"What should I put on the {target}?")
    return list(dict.fromkeys(names)), target


def _readings(
    clause: Clause, context: Context
) -> Iterator[tuple[tuple[NounPhrase, ...], Relation]]:
    """Yield what the objects and the place may be, the most natural reading first."""
    sources = [p for p in clause.places if p.kind == "from"]
    rest = [p for p in clause.places if p.kind != "from"]
    for at in range(len(rest) - 1, -1, -1):
        target, before, behind = rest[at], rest[:at], rest[at + 1 :]
        if target.kind not in _TARGETING or any(p.kind in _TO for p in behind):
            continue
        if any(p.kind in _TO for p in before) and not _is_superlative(clause.objects):
            continue
        if behind and target.anchors and target.anchors[0].kind == "table":
            continue
        if behind and target.anchors:
            anchor = with_relations(target.anchors[:1], behind)
            target = replace(target, anchors=anchor)
        objects = clause.objects
        if before or sources:
            objects = objects or (context.understood(context.movable),)
            if any(p.pronoun for p in objects) and before:
                continue
            objects = with_relations(objects, [*sources, *before])
        yield objects, target


def _is_superlative(objects: Sequence[NounPhrase]) -> bool:
    return bool(objects) and objects[-1].superlative in ("nearest", "farthest")


def _no_place(clause: Clause, context: Context) -> UnclearError:
    """Return the question about a verb that lacks its place."""
    if not clause.objects:
        return UnclearError("What should I put, and where?")
    return where_to(context.things(clause, context.movable, "move"))


def _meant_as_place(clause: Clause) -> Relation | None:
    """Return what "put it between the bowls" names as a place, None where it names none."""
    relations = clause.objects[-1].relations if clause.objects else ()
    return relations[-1] if relations and relations[-1].kind == "between" else None


def _not_a_place(clause: Clause, context: Context) -> UnclearError:
    """Return the question about a place where nothing can be put."""
    if clause.places[-1].kind == "from":
        return UnclearError("What should I put, and where?")
    asked = clause.places[-1].text
    kinds = plurals(targets(context.contracts))
    return UnclearError(f"I can put things only in or on {kinds}, not {asked}. Where should it go?")


def corrected(clause: Clause, context: Context) -> Clause:
    """Return a clause with an object or its place replaced, whichever the correction can be."""
    phrase = clause.correction
    if phrase is None:
        return clause
    resolver, every = context.resolver, targets(context.contracts)
    place = clause.places[-1] if clause.places else Relation("")
    old = place.anchors[0] if place.anchors else NounPhrase()
    alike = frozenset(resolver.kind(n) for n in resolver.matches(old, every)) & every
    as_object = bool(resolver.matches(phrase, context.movable))
    as_target = bool(place.anchors) and bool(resolver.matches(phrase, alike))
    if as_target and as_object:
        raise UnclearError(f"Is the {phrase.text} what I should move, or where to?")
    if place.anchors and not as_object and (as_target or resolver.matches(phrase, every)):
        places = (*clause.places[:-1], replace(place, anchors=(phrase,)))
        return replace(clause, places=places, correction=None)
    return replace(clause, objects=(*clause.objects[:-1], phrase), correction=None)
