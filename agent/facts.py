"""Whether a fact holds in a scene, and how sure that is.

The agent asks this of scenes estimated from images; scoring asks it of the world's own scene.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from agent.spots import free_spot
from agent.types import HAND, TABLE, Fact, Plan, Scene, SkillContract
from agent.workspace import ZONES

_POSITION_SIGMA_M = 0.01
"""Standard deviation of an estimated position, m, rounded up for its long tails."""
CERTAIN = 0.8
"""Probability from which a fact counts, by default."""


def holds(fact: Fact, scene: Scene) -> bool:
    """Return whether a fact is true of a scene as it stands."""
    match fact.predicate, fact.args:
        case "hand_empty", ():
            return scene.held is None
        case "held", (name,):
            return name in scene.objects and scene.objects[name].support == HAND
        case "room", (target,):
            held = scene.held
            return free_spot(target, scene, held.name if held else "") is not None
        case (("in" | "on"), (name, target)):
            found = scene.objects.get(name)
            if found is None:
                return False
            if target in ZONES:
                return found.support == TABLE and ZONES[target].contains(found.position)
            return found.support == target
    raise ValueError(f"{fact} does not have the arguments its predicate takes.")


def confidence(fact: Fact, scene: Scene) -> float:
    """Return the probability, 0..1, that the scene is right about a fact."""
    if fact.predicate == "hand_empty":
        name = scene.held.name if scene.held else ""
    else:
        name = fact.args[0]
    subject = scene.objects.get(name)
    if subject is None:
        # An object that is not seen could be anywhere; a zone and an empty hand are certain.
        return 0.0 if fact.predicate in ("held", "in", "on") else 1.0
    sure = subject.support_confidence * subject.presence
    if fact.predicate == "on" and fact.args[1] in ZONES and subject.support == TABLE:
        # Near a zone's border the estimated position says little about which side it is on.
        margin = abs(ZONES[fact.args[1]].margin(subject.position))
        sure *= (1 + math.erf(margin / (_POSITION_SIGMA_M * math.sqrt(2)))) / 2
    return sure


def seen_to_hold(fact: Fact, scene: Scene, certainty: float) -> bool:
    """Return whether a fact holds, with at least this probability (0..1) that it does."""
    return holds(fact, scene) and confidence(fact, scene) >= certainty


def after(scene: Scene, effect: Fact) -> Scene:
    """Return the scene once an effect has come about, positions included."""
    if effect.predicate == "held":
        name = effect.args[0]
        return scene.moved(name, HAND, scene.objects[name].position)
    if effect.predicate in ("in", "on"):
        name, target = effect.args
        spot = free_spot(target, scene, name)
        where = scene.objects[name].position.copy()
        if spot is not None:
            where[:2] = spot
        return scene.moved(name, TABLE if target in ZONES else target, where)
    if effect.predicate == "hand_empty" and scene.held is not None:
        return scene.moved(scene.held.name, TABLE, scene.held.position)
    return scene


def expected(plan: Plan, scene: Scene, contracts: Mapping[str, SkillContract]) -> tuple[Fact, ...]:
    """Return what should be true of the objects at the end of a plan.

    Later effects on the same object override earlier ones, and an object let go in mid-air has no
    place it should be in. What the hand holds at the start counts until it is put down.
    """
    facts: dict[str, Fact] = {}
    if scene.held is not None:
        facts[scene.held.name] = Fact(predicate="held", args=(scene.held.name,))
    for subgoal in plan.subgoals:
        contract = contracts.get(subgoal.skill)
        for effect in contract.facts("effects", subgoal.args) if contract else ():
            if effect.predicate == "hand_empty":
                facts = {name: f for name, f in facts.items() if f.predicate != "held"}
            elif effect.args:
                facts[effect.args[0]] = effect
    return tuple(facts.values())
