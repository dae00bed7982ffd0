"""Where things go that were given no place, and why there is no room where they should."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from agent.facts import whereabouts
from agent.planner.question import UnclearError, the
from agent.spots import free_spot
from agent.types import TABLE, Scene
from agent.workspace import (
    BLOCK,
    BOWL,
    CAN,
    DRAWER,
    PUSH_DISTANCE,
    TOWER_HEIGHT,
    WORKSPACE_HIGH,
    WORKSPACE_LOW,
    ZONES,
    capacity,
)
from agent.workspace import DIRECTIONS as WAYS


def parking_zone(name: str, scene: Scene, avoid: Collection[str] = ()) -> str | None:
    """Return the nearest zone with room for a thing, None where all are full.

    Args:
        name: What is to be set down.
        scene: What is on the table.
        avoid: Zones to be left free for something else, as far as that can be.
    """
    position = scene.objects[name].position[:2]

    def cost(zone: str) -> tuple[bool, float]:
        return zone in avoid, float(np.linalg.norm(ZONES[zone].centre - position))

    for zone in sorted(ZONES, key=cost):
        if free_spot(zone, scene, name, position) is not None:
            return zone
    return None


def container(name: str, scene: Scene) -> str | None:
    """Return where a thing is put to tidy it away: the nearest bowl with room, or the drawer."""
    thing = scene.objects[name]

    def cost(other: str) -> tuple[bool, float]:
        carrier = scene.objects[other]
        distance = float(np.linalg.norm(carrier.position[:2] - thing.position[:2]))
        # A can is too tall for a bowl to look tidy in, a block is at home there.
        return carrier.kind == (BOWL if thing.kind == CAN else DRAWER), distance

    fitting = [
        n
        for n, o in scene.objects.items()
        if o.kind in (BOWL, DRAWER) and free_spot(n, scene, name) is not None
    ]
    return min(fitting, key=cost, default=None)


def leaves_the_table(name: str, direction: str, scene: Scene) -> bool:
    """Return whether a push would take a thing out of the workspace."""
    spot = scene.objects[name].position[:2] + PUSH_DISTANCE * np.array(WAYS[direction])
    return bool((spot < WORKSPACE_LOW[:2]).any() or (spot > WORKSPACE_HIGH[:2]).any())


def possible_pushes(name: str, scene: Scene) -> list[str]:
    """Return the directions in which a thing can be pushed."""
    return [way for way in WAYS if not leaves_the_table(name, way, scene)]


def no_room(name: str, target: str, scene: Scene) -> UnclearError:
    """Return the question about a thing for which a target has no room."""
    carrier = scene.objects.get(target)
    inside = [o.name for o in scene.contents(target) if o.name != name]
    if carrier is not None and carrier.kind == BLOCK:
        return UnclearError(f"{_not_on_block(name, target, inside, scene)} Where should it go?")
    if carrier is None and target in ZONES:
        about = (o for o in scene.objects.values() if o.support == TABLE and o.name != name)
        inside = [o.name for o in about if ZONES[target].contains(o.position)]
    holds = f"; it holds {the(inside)} and takes at most {capacity(target)}" if inside else ""
    spare = spare_places(name, scene, target)
    other = f" There is room in or on {the(spare, 'or')}." if spare else ""
    return UnclearError(
        f"There is no room for the {name} in or on the {target}{holds}.{other} Where should it go?"
    )


def _not_on_block(name: str, target: str, inside: Iterable[str], scene: Scene) -> str:
    """Return why nothing more can be stacked on a block."""
    if scene.objects[name].kind != BLOCK:
        return f"Only a block can stand on a block, so the {name} cannot go on the {target}."
    on_it = list(inside)
    if on_it:
        return f"There is no room on the {target}: {the(on_it)} stands on it."
    carrier = scene.objects.get(scene.objects[target].support)
    if carrier is not None and carrier.kind == BLOCK:
        return f"A tower is at most {TOWER_HEIGHT} blocks high."
    where = whereabouts(target, scene)
    return f"Nothing can be stacked on the {target} while it is {where}."


def spare_places(name: str, scene: Scene, but: str) -> list[str]:
    """Return other places with room for a thing."""
    places = [n for n, o in scene.objects.items() if o.kind not in (BLOCK, CAN)]
    return [p for p in (*places, *ZONES) if p != but and free_spot(p, scene, name) is not None][:4]
