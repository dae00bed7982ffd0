"""Commands drawn from a seed, each with the facts that must hold when it is done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.facts import after, holds
from agent.robots.tabletop.layout import sample_layout
from agent.spots import free_spot
from agent.types import TABLE, Fact, Predicate, Scene
from agent.workspace import BLOCK, BOWL, PLATE, ZONE, ZONES, kind_of
from skills.dataset import in_sight

_JOINTS = (" and ", ", then ", " and then ", ", and ")
_SAME_TARGET = 0.3
_TOWER = 3
_FREE: tuple[Predicate, ...] = ("reachable", "clear")
_INTO = ("put the {o} in the {t}", "place the {o} into the {t}", "drop the {o} in the {t}")
_ONTO = ("put the {o} on the {t}", "place the {o} onto the {t}", "move the {o} to the {t}")
_ZONE = {
    "left zone": ("put the {o} on the left", "move the {o} to the left side"),
    "right zone": ("put the {o} on the right", "move the {o} to the right side"),
    "front zone": ("put the {o} at the front", "move the {o} to the front"),
    "back zone": ("put the {o} at the back", "move the {o} to the back"),
    "centre zone": ("put the {o} in the middle", "move the {o} to the centre"),
}


@dataclass(frozen=True, slots=True)
class Command:
    """A sentence and what it means."""

    text: str
    goals: tuple[Fact, ...]


def initial_scene(seed: int) -> Scene:
    """Return the scene of a seed as it is laid out, without running the world."""
    return sample_layout(seed).scene


def draw_command(seed: int, objects: int) -> Command | None:
    """Draw a command that moves so many blocks; None where the scene has no room for it."""
    rng = np.random.default_rng([seed, 31])
    scene = initial_scene(seed)
    blocks = _free_blocks(scene)
    if len(blocks) < objects:
        return None
    chosen = [str(b) for b in rng.permutation(blocks)[:objects]]
    shared = objects > 1 and rng.random() < _SAME_TARGET
    clauses, goals, target = [], [], ""
    for name in chosen:
        if not (shared and target):
            drawn = _draw_target(scene, name, rng)
            if drawn is None:
                return None
            target = drawn
        fact = _goal(name, target)
        if free_spot(target, scene, name) is None or holds(fact, scene):
            return None
        scene = after(scene, fact)
        goals.append(fact)
        clauses.append(_clause(name, target, rng))
    if shared:
        listed = " and ".join(f"the {name}" for name in chosen)
        text = _clause("@", target, rng).replace("the @", listed)
    else:
        text = str(rng.choice(_JOINTS)).join(clauses)
    return Command(text, tuple(goals))


def draw_stack(seed: int) -> Command | None:
    """Draw a command that stacks three blocks in order; None where the scene has not three free.

    The lowest one stays where it stands.
    """
    rng = np.random.default_rng([seed, 37])
    scene = initial_scene(seed)
    blocks = _free_blocks(scene)
    if len(blocks) < _TOWER:
        return None
    low, middle, top = (str(b) for b in rng.permutation(blocks)[:_TOWER])
    goals = (Fact(predicate="on", args=(middle, low)), Fact(predicate="on", args=(top, middle)))
    if scene.objects[low].support != TABLE or free_spot(low, scene, middle) is None:
        return None
    return Command(f"stack the {middle} on the {low}, then the {top} on the {middle}", goals)


def _free_blocks(scene: Scene) -> list[str]:
    """Return the blocks in sight that can be picked up as they stand."""
    return [
        name
        for name, thing in in_sight(scene).objects.items()
        if thing.kind == BLOCK and all(holds(fact, scene) for fact in _free_to_go(name))
    ]


def _draw_target(scene: Scene, name: str, rng: np.random.Generator) -> str | None:
    """Draw a place with room where the block is not yet; carriers twice as often as zones."""
    places = [
        t
        for t in [*scene.objects, *ZONES]
        if kind_of(t) in (BOWL, PLATE, ZONE)
        and free_spot(t, scene, name) is not None
        and not holds(_goal(name, t), scene)
    ]
    if not places:
        return None
    weights = np.array([1.0 if t in ZONES else 2.0 for t in places])
    return str(rng.choice(places, p=weights / weights.sum()))


def _free_to_go(name: str) -> tuple[Fact, ...]:
    """Return what lets a thing be picked up as it stands."""
    return tuple(Fact(predicate=p, args=(name,)) for p in _FREE)


def _goal(name: str, target: str) -> Fact:
    return Fact(predicate="in" if kind_of(target) == BOWL else "on", args=(name, target))


def _clause(name: str, target: str, rng: np.random.Generator) -> str:
    templates = _ZONE.get(target) or (_INTO if kind_of(target) == BOWL else _ONTO)
    return str(rng.choice(templates)).format(o=name, t=target)
