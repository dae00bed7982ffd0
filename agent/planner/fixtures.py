"""Goals of the verbs that push, open and close things, and press buttons."""

from __future__ import annotations

from dataclasses import replace

from agent.planner.clauses import Clause
from agent.planner.context import Context
from agent.planner.goals import Goal, takes
from agent.planner.noun_phrase import Relation
from agent.planner.placement import possible_pushes
from agent.planner.question import UnclearError, listed, plurals, the
from agent.workspace import BUTTON, DIRECTIONS, DRAWER

_SHUTTING = ("closed", "in", "into", "back")
_OPENING = ("open", "out", "from")
_SIDE_WAYS = {"left": "left", "right": "right", "front": "forward", "back": "back"}


def about_fixture(clause: Clause, context: Context) -> Clause | None:
    """Return "pull the drawer out" as "open", "push the button" as "press"; None for no such thing.

    Args:
        clause: With a verb that can mean several skills.
        context: Knows what the objects are.
    """
    kinds = frozenset({DRAWER, BUTTON})
    phrases = clause.objects or tuple(a for p in clause.places for a in p.anchors)
    if not phrases or clause.direction:
        return None
    named = [p for p in phrases if p.kind in (DRAWER, BUTTON) or p.pronoun]
    found = {
        context.resolver.kind(n)
        for p in named
        for n in context.resolver.matches(replace(p, alternatives=()), kinds | context.movable)
    }
    if DRAWER in found and clause.particle in (*_OPENING, *_SHUTTING):
        verb = "open" if clause.particle in _OPENING else "close"
        return replace(clause, verb=verb, particle="", objects=phrases, places=())
    if found == {BUTTON} and clause.verb == "push":
        return replace(clause, verb="press", objects=phrases, places=(), particle="")
    if found == {DRAWER} and clause.verb in ("push", "pull"):
        verb = "close" if clause.verb == "push" else "open"
        return replace(clause, verb=verb, objects=phrases, places=(), particle="")
    return None


def push(clause: Clause, context: Context) -> list[Goal]:
    """Return the goals of pushing things a hand's breadth."""
    way, places = _way(clause)
    kinds = takes(context.contracts, "push", "object")
    names = context.things(clause, kinds, "push", places)
    if way is None:
        ways = [w for w in DIRECTIONS if any(w in possible_pushes(n, context.scene) for n in names)]
        raise UnclearError(f"Which way should I push {the(names)}: {listed(ways, 'or')}?")
    context.resolver.discourse.mention(names)
    goals = [Goal("push", name, direction=way) for name in names]
    return goals * clause.times


def _way(clause: Clause) -> tuple[str | None, tuple[Relation, ...]]:
    """Return which way to push, and the places that only say which thing is meant."""
    places = list(clause.places)
    way = clause.direction or None
    for place in clause.places:
        anchor = place.anchors[0] if place.anchors else None
        is_side = anchor is not None and anchor.kind == "side"
        side = anchor.words[0] if anchor and is_side and anchor.words else ""
        if place.kind in ("to", "on", "at") and side in _SIDE_WAYS and way is None:
            way = _SIDE_WAYS[side]
            places.remove(place)
        elif place.kind in ("to", "into", "onto") or (place.kind == "from" and way is None):
            raise UnclearError(
                f"I can push things only left, right, forward or back, not {place.text}. "
                "Should I push it one of these ways, or put it there?"
            )
    return way, tuple(places)


def slide(clause: Clause, context: Context, skill: str) -> list[Goal]:
    """Return the goals of opening or closing drawers."""
    kinds = takes(context.contracts, skill, "object")
    names = context.things(clause, kinds, skill, [p for p in clause.places if p.anchors])
    context.resolver.discourse.mention(names)
    return [Goal(skill, name) for name in names]


def press(clause: Clause, context: Context, state: str = "") -> list[Goal]:
    """Return the goals of pressing a button, or of its lamp being on or off."""
    kinds = takes(context.contracts, "press", "object")
    can = "turn on and off" if state else "press"
    names = context.things(clause, kinds, can, [p for p in clause.places if p.anchors])
    context.resolver.discourse.mention(names)
    return [Goal("press", name, state=state) for name in names] * (1 if state else clause.times)


def turn(clause: Clause, context: Context) -> list[Goal]:
    """Return the goals of "turn the lamp on" or "turn it off"."""
    if clause.particle not in ("lit", "unlit"):
        kinds = plurals(takes(context.contracts, "press", "object"))
        raise UnclearError(f"Should I turn it on or off? I can do that with lamps of {kinds}.")
    return press(clause, context, clause.particle)
