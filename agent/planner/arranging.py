"""Goals of the verbs that arrange several things: stack, swap, empty, tidy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from agent.facts import whereabouts
from agent.planner.clauses import Clause
from agent.planner.context import Context, done
from agent.planner.goals import Goal, takes, targets
from agent.planner.noun_phrase import NounPhrase
from agent.planner.placement import container, parking_zone
from agent.planner.putting import put
from agent.planner.question import UnclearError, listed, the
from agent.spots import free_spot
from agent.types import TABLE
from agent.workspace import BLOCK, PLATE, TOWER_HEIGHT, ZONES


def stack(clause: Clause, context: Context) -> list[Goal]:
    """Return the goals of a tower; the first block named is the lowest.

    A single block, or one that is stacked "on" something, is simply put there.
    """
    on_each_other = any(a.pronoun == "each other" for p in clause.places for a in p.anchors)
    if on_each_other:
        clause = replace(clause, places=())
    kinds = takes(context.contracts, "place_on", "object") & {BLOCK}
    clause = _on_latest_block(clause, context)
    if clause.places and len(clause.objects) == 1 and not clause.objects[0].plural:
        return put(clause, context)
    if not clause.objects and not context.resolver.discourse.named:
        raise UnclearError("Which blocks should I stack, and on what?")
    names = context.things(clause, kinds, "stack")
    base = None
    if clause.places:
        base = context.target(clause.places[-1], clause.denied, names)
        names = [name for name in names if name != base]
    if len(names) < 2 and base is None:
        raise UnclearError(f"On what should I stack {the(names)}? {context.resolver.view()}")
    on_block = base is not None and context.resolver.kind(base) == BLOCK
    if len(names) + on_block > TOWER_HEIGHT:
        raise UnclearError(
            f"A tower is at most {TOWER_HEIGHT} blocks high, and you name {the(names)}. "
            "Which of them should I stack?"
        )
    context.resolver.discourse.mention(names)
    return [*_base(names[0], base, context), *_storeys(names, context)]


def _on_latest_block(clause: Clause, context: Context) -> Clause:
    """Return "stack it on that" with the block that was named last rather than its place."""
    place = clause.places[-1] if clause.places else None
    if place is None or not place.anchors or not place.anchors[0].pronoun:
        return clause
    own = {n for p in clause.objects for n in context.resolver.matches(p, context.movable)}

    def fits(name: str) -> bool:
        block = context.resolver.kind(name) == BLOCK and name not in own
        return block and free_spot(name, context.scene) is not None

    found = context.resolver.discourse.one(fits)
    if len(found) != 1:
        return clause
    anchor = NounPhrase(tuple(found[0].removesuffix(f" {BLOCK}").split()), BLOCK)
    return replace(clause, places=(*clause.places[:-1], replace(place, anchors=(anchor,))))


def _base(lowest: str, base: str | None, context: Context) -> list[Goal]:
    """Return the goals that bring the lowest block to where a tower can stand."""
    if base is not None:
        return context.put([lowest], base)
    support = context.scene.objects[lowest].support if lowest in context.scene.objects else TABLE
    if support == TABLE or context.resolver.kind(support) == PLATE:
        return []
    return context.put_on_table([lowest])


def _storeys(names: Sequence[str], context: Context) -> list[Goal]:
    return [goal for low, top in pairwise(names) for goal in context.put([top], low)]


def swap(clause: Clause, context: Context) -> list[Goal]:
    """Return the goals of two things changing places by way of a free zone."""
    names = context.things(clause, context.movable, "swap")
    if len(names) == 1 and clause.places and clause.places[-1].anchors:
        phrases = clause.places[-1].anchors
        names += [n for p in phrases for n in context.resolver.find(p, context.movable, "swap")]
    if len(names) != 2:
        raise UnclearError(f"I can swap two things; you name {the(names)}. Which two?")
    first, second = names
    places = [_place_of(name, context) for name in names]
    if places[0] == places[1]:
        raise UnclearError(
            f"{the(names).capitalize()} are both {whereabouts(first, context.scene)}, "
            "so there is nothing to swap. What should I do?"
        )
    zone = parking_zone(first, context.scene, places)
    if zone is None:
        raise UnclearError("There is no free zone to put one of them meanwhile. What comes first?")
    context.resolver.discourse.mention(names)
    aside = [] if places[0] == zone else context.put([first], zone)
    return [*aside, *context.put([second], places[0]), *context.put([first], places[1])]


def _place_of(name: str, context: Context) -> str:
    """Return the place a thing is at, which must be one that something can be put in or on."""
    thing = context.scene.objects[name]
    if thing.support == TABLE:
        zone = next((z for z, area in ZONES.items() if area.contains(thing.position)), None)
        if zone is not None:
            return zone
        raise UnclearError(
            f"The {name} stands on the table outside of every zone, so I cannot put anything in "
            f"its place. Where should the other one go: {listed(ZONES, 'or')}?"
        )
    if context.resolver.kind(thing.support) in targets(context.contracts):
        return thing.support
    raise UnclearError(f"The {name} is {whereabouts(name, context.scene)}. Put it down first?")


def empty(clause: Clause, context: Context) -> list[Goal]:
    """Return the goals of emptying something: onto the table unless a place is said."""
    kinds = targets(context.contracts)
    into = [p for p in clause.places if p.kind in ("into", "onto", "in", "on", "to")]
    behind = [p for p in clause.places if p not in into]
    emptied = context.things(clause, kinds, "empty", behind)
    names = [name for place in emptied for name in _contents(place, context)]
    context.resolver.discourse.mention(emptied)
    if not into:
        context.resolver.discourse.mention(names)
        in_zone = emptied[0] in ZONES
        return _elsewhere(names, context) if in_zone else context.put_on_table(names)
    target = context.target(into[-1], clause.denied, emptied)
    context.resolver.discourse.put(names, target)
    return context.put(names, target)


def _contents(place: str, context: Context) -> list[str]:
    """Return what lies in or on a place, the topmost of a tower first."""
    if place in ZONES:
        loose = [o for o in context.scene.contents(TABLE) if o.kind in context.movable]
        return [o.name for o in loose if ZONES[place].contains(o.position)]
    return [
        name
        for thing in context.scene.contents(place)
        for name in (*_contents(thing.name, context), thing.name)
    ]


def _elsewhere(names: Sequence[str], context: Context) -> list[Goal]:
    """Return the goals of bringing things that stand in a zone to others."""
    goals, scene = list[Goal](), context.scene
    for name in names:
        own = [z for z, area in ZONES.items() if area.contains(scene.objects[name].position)]
        zone = parking_zone(name, scene, own)
        if zone is None or zone in own:
            raise UnclearError(f"There is no other zone with room for the {name}. Where to?")
        goals += context.put([name], zone)
        scene = done(scene, goals[-1])
    return goals


def clear(clause: Clause, context: Context) -> list[Goal]:
    """Return the goals of "clear the table" or "clear the plate"."""
    table = not clause.objects or all(p.kind == "table" for p in clause.objects)
    return tidy(clause, context) if table else empty(clause, context)


def tidy(clause: Clause, context: Context) -> list[Goal]:
    """Return the goals of putting away what stands on the table, or what is named."""
    named = tuple(p for p in clause.objects if p.kind != "table")
    if named and all(_is_container(p, context) for p in named):
        return empty(clause, context)
    if named:
        names = context.things(replace(clause, objects=named), context.movable, "tidy up")
    else:
        names = [
            n
            for n, o in context.scene.objects.items()
            if o.kind in context.movable and o.support not in _containers(context)
        ]
    into = [p for p in clause.places if p.kind in ("into", "in", "onto", "on", "to")]
    if into and into[-1].anchors and into[-1].anchors[0].kind != "table":
        return context.put(names, context.target(into[-1], clause.denied, names))
    goals, scene = list[Goal](), context.scene
    for name in _topmost_first(names, context):
        place = container(name, scene)
        if place is None:
            raise UnclearError(
                f"I see no bowl or drawer with room for the {name}. Where should it go?"
            )
        goals += context.put([name], place)
        scene = done(scene, goals[-1])
    context.resolver.discourse.mention(names)
    return goals


def _is_container(phrase: NounPhrase, context: Context) -> bool:
    kinds = targets(context.contracts) - context.movable
    return bool(phrase.kind) and bool(context.resolver.matches(phrase, kinds))


def _containers(context: Context) -> list[str]:
    put_in = takes(context.contracts, "place_in", "target")
    return [n for n, o in context.scene.objects.items() if o.kind in put_in]


def _topmost_first(names: Sequence[str], context: Context) -> list[str]:
    """Return things so that what stands on another comes before it."""

    def height(name: str) -> int:
        support = context.scene.objects[name].support
        return 1 + height(support) if context.resolver.kind(support) == BLOCK else 0

    return sorted(names, key=height, reverse=True)
