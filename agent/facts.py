"""Whether a fact holds in a scene, and how sure that is.

The agent asks this of scenes estimated from images; scoring asks it of the world's own scene.

==================== =============================================================================
held(x)              the hand holds it
hand_empty()         the hand holds nothing
in(x, t), on(x, t)   the bowl, drawer, plate or block `t` carries it, or it stands in the zone `t`
room(t)              there is space on or in `t` for one more thing
open(t), closed(t)   the drawer is out, or shut; a bowl is always open
lit(b), unlit(b)     the button's lamp is on, or off
clear(x)             nothing stands on it
reachable(x)         it does not lie in a drawer that is not open
loose(x)             it stands on the table itself, and nothing stands on it
moved(x, d)          since before, it has gone in direction `d` and still stands on the table
toggled(b)           since before, the button's lamp has changed
==================== =============================================================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from agent.spots import free_spot
from agent.types import HAND, TABLE, Fact, Plan, Scene, SceneObject, SkillContract, Vector
from agent.workspace import (
    BLOCK,
    BLOCK_HALF,
    BOWL,
    DIRECTIONS,
    DRAWER,
    DRAWER_CLOSED,
    DRAWER_OPEN,
    DRAWER_TRAVEL,
    PUSH_DISTANCE,
    PUSH_LEAST,
    ZONES,
    half_height,
)

_POSITION_SIGMA_M = 0.01
"""Standard deviation of an estimated position or opening, m, rounded up for its long tails."""
_LIT = 0.5
CERTAIN = 0.8
"""Probability from which a fact counts, by default."""


def holds(fact: Fact, scene: Scene, before: Scene | None = None) -> bool:
    """Return whether a fact is true of a scene as it stands.

    Args:
        fact: What to ask.
        scene: Of what.
        before: The scene that `moved` and `toggled` compare with; without one they are false.

    Raises:
        ValueError: The fact does not have the arguments its predicate takes.
    """
    match fact.predicate, fact.args:
        case "hand_empty", ():
            return scene.held is None
        case "room", (target,):
            held = scene.held
            return free_spot(target, scene, held.name if held else "") is not None
        case (("in" | "on"), (name, target)):
            return name in scene.objects and _carries(target, scene.objects[name])
        case "moved", (name, direction):
            return _moved(name, direction, scene, before)
        case "toggled", (name,):
            lamps = [_lamp(name, s) for s in (scene, before) if s is not None]
            return None not in lamps and len(set(lamps)) == 2
        case (
            ("held" | "open" | "closed" | "lit" | "unlit" | "clear" | "reachable" | "loose"),
            (name,),
        ):
            return name in scene.objects and _is(fact.predicate, scene.objects[name], scene)
    raise ValueError(f"{fact} does not have the arguments its predicate takes.")


def _is(predicate: str, thing: SceneObject, scene: Scene) -> bool:
    """Return whether a fact about one thing that is there is true."""
    match predicate:
        case "held":
            return thing.support == HAND
        case "open":
            return thing.kind != DRAWER or (thing.articulation or 0.0) >= DRAWER_OPEN
        case "closed":
            return thing.kind == DRAWER and (thing.articulation or 0.0) <= DRAWER_CLOSED
        case "lit" | "unlit":
            return _lamp(thing.name, scene) is (predicate == "lit")
        case "clear":
            return not scene.contents(thing.name)
        case "reachable":
            carrier = scene.objects.get(thing.support)
            return carrier is None or _is("open", carrier, scene)
    return thing.support == TABLE and _is("clear", thing, scene)


def _carries(target: str, thing: SceneObject) -> bool:
    if target in ZONES:
        return thing.support == TABLE and ZONES[target].contains(thing.position)
    return thing.support == target


def _lamp(name: str, scene: Scene) -> bool | None:
    """Return whether a lamp is on, None where none is known."""
    thing = scene.objects.get(name)
    return None if thing is None or thing.articulation is None else thing.articulation >= _LIT


def _moved(name: str, direction: str, scene: Scene, before: Scene | None) -> bool:
    if before is None or name not in scene.objects or name not in before.objects:
        return False
    thing = scene.objects[name]
    return thing.support == TABLE and _gone(name, direction, scene, before) >= PUSH_LEAST


def _gone(name: str, direction: str, scene: Scene, before: Scene) -> float:
    """Return how far a thing has gone in a direction, m."""
    way = scene.objects[name].position - before.objects[name].position
    return float(way[:2] @ np.array(DIRECTIONS[direction]))


def confidence(fact: Fact, scene: Scene, before: Scene | None = None) -> float:
    """Return the probability, 0..1, that the scene is right about a fact."""
    if fact.predicate == "hand_empty":
        name = scene.held.name if scene.held else ""
    else:
        name = fact.args[0]
    thing = scene.objects.get(name)
    if thing is None:
        # An object that is not seen could be anywhere; a zone and an empty hand are certain.
        return 1.0 if fact.predicate in ("hand_empty", "room") else 0.0
    sure = thing.presence
    match fact.predicate:
        case "open" | "closed" if thing.kind == DRAWER:
            border = DRAWER_OPEN if fact.predicate == "open" else DRAWER_CLOSED
            margin = abs((thing.articulation or 0.0) - border)
            return sure * thing.articulation_confidence * _right_side(margin)
        case "lit" | "unlit":
            return sure * thing.articulation_confidence
        case "toggled":
            was = before.objects.get(name) if before else None
            return (
                sure * thing.articulation_confidence * (was.articulation_confidence if was else 0)
            )
        case "open" | "closed" | "clear" | "room":
            return sure
    sure *= thing.support_confidence
    if fact.predicate == "on" and fact.args[1] in ZONES and thing.support == TABLE:
        # Near a zone's border the estimated position says little about which side it is on.
        sure *= _right_side(abs(ZONES[fact.args[1]].margin(thing.position)))
    if fact.predicate == "moved":
        if before is None or name not in before.objects:
            return 0.0
        sure *= _right_side(abs(_gone(name, fact.args[1], scene, before) - PUSH_LEAST))
    return sure


def _right_side(margin: float) -> float:
    """Return the probability that what is measured this far from a border is on that side of it."""
    return (1 + math.erf(margin / (_POSITION_SIGMA_M * math.sqrt(2)))) / 2


def seen_to_hold(fact: Fact, scene: Scene, certainty: float, before: Scene | None = None) -> bool:
    """Return whether a fact holds, with at least this probability (0..1) that it does."""
    return holds(fact, scene, before) and confidence(fact, scene, before) >= certainty


def after(scene: Scene, effect: Fact) -> Scene:
    """Return the scene once an effect has come about, positions included."""
    match effect.predicate, effect.args:
        case "held", (name,):
            return scene.moved(name, HAND, scene.objects[name].position)
        case (("in" | "on"), (name, target)):
            return scene.moved(
                name, TABLE if target in ZONES else target, _put(name, target, scene)
            )
        case "hand_empty", () if scene.held is not None:
            return scene.moved(scene.held.name, TABLE, scene.held.position)
        case (("open" | "closed"), (name,)):
            return _slid(scene, name, DRAWER_TRAVEL if effect.predicate == "open" else 0.0)
        case "toggled", (name,):
            lamp = 0.0 if _lamp(name, scene) else 1.0
            known = replace(scene.objects[name], articulation_confidence=1.0)
            return _with(scene, replace(known, articulation=lamp))
        case "moved", (name, direction):
            where = scene.objects[name].position.copy()
            where[:2] += PUSH_DISTANCE * np.array(DIRECTIONS[direction])
            return scene.moved(name, TABLE, where)
    return scene


def _put(name: str, target: str, scene: Scene) -> Vector:
    """Return where a thing comes to stand on a target: (3,) m."""
    where = scene.objects[name].position.copy()
    spot = free_spot(target, scene, name)
    if spot is not None:
        where[:2] = spot
    carrier = scene.objects.get(target)
    if carrier is not None and carrier.kind == BLOCK:
        where[2] = carrier.position[2] + BLOCK_HALF + half_height(scene.objects[name].kind)
    return where


def _slid(scene: Scene, name: str, opening: float) -> Scene:
    """Return the scene with a drawer out this far, m; what lies in it goes with it."""
    drawer = scene.objects[name]
    way = np.array([opening - (drawer.articulation or 0.0), 0.0, 0.0])
    for thing in (drawer, *scene.contents(name)):
        scene = _with(scene, replace(thing, position=thing.position + way))
    known = replace(scene.objects[name], articulation_confidence=1.0)
    return _with(scene, replace(known, articulation=opening))


def _with(scene: Scene, thing: SceneObject) -> Scene:
    return replace(scene, objects={**scene.objects, thing.name: thing})


def expected(plan: Plan, scene: Scene, contracts: Mapping[str, SkillContract]) -> tuple[Fact, ...]:
    """Return what should be true of the objects at the end of a plan.

    Later effects on the same object override earlier ones, and an object let go in mid-air has no
    place it should be in. What the hand holds at the start counts until it is put down. A lamp's
    last state is named outright; a thing pushed in several directions, or carried before it was
    pushed, is nowhere that compares with the start.
    """
    facts: dict[str, Fact] = {}
    ways: dict[str, set[str]] = {}
    if scene.held is not None:
        facts[scene.held.name] = Fact(predicate="held", args=(scene.held.name,))
        ways[scene.held.name] = {"held"}
    for subgoal in plan.subgoals:
        contract = contracts.get(subgoal.skill)
        for effect in contract.facts("effects", subgoal.args) if contract else ():
            if effect.predicate == "hand_empty":
                facts = {name: f for name, f in facts.items() if f.predicate != "held"}
                continue
            scene = after(scene, effect) if effect.args[0] in scene.objects else scene
            name = effect.args[0]
            facts[name] = _lasting(effect, scene)
            if effect.predicate == "moved":
                ways.setdefault(name, set()).add(effect.args[1])
            elif effect.predicate in ("held", "in", "on"):
                ways[name] = {effect.predicate}
    several = {name for name, taken in ways.items() if len(taken) > 1}
    return tuple(fact for name, fact in facts.items() if name not in several)


def _lasting(effect: Fact, scene: Scene) -> Fact:
    """Return an effect as it can be told at the end: a lamp is lit or not."""
    if effect.predicate != "toggled":
        return effect
    lit = _lamp(effect.args[0], scene)
    return Fact(predicate="lit" if lit else "unlit", args=effect.args)


def whereabouts(name: str, scene: Scene) -> str:
    """Return where a thing is, as in "in the blue bowl"."""
    thing = scene.objects.get(name)
    if thing is None:
        return "not in sight" if name not in ZONES else "a part of the table"
    if thing.support == HAND:
        return "in my hand"
    carrier = scene.objects.get(thing.support)
    inside = carrier is not None and carrier.kind in (BOWL, DRAWER)
    return f"{'in' if inside else 'on'} the {thing.support}"
