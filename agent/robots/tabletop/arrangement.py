"""What stands where when a scene begins, drawn at random so that everything can be reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from agent.robots.tabletop.fixtures import CABINET_HALF, CAP_Z, HANDLE_Z
from agent.spots import free_spot
from agent.types import TABLE, Scene, SceneObject, Vector
from agent.workspace import (
    BLOCK,
    BLOCK_HALF,
    BOWL,
    BOWL_RADIUS,
    BUTTON,
    CAN,
    CAN_RADIUS,
    DRAWER,
    DRAWER_OPEN,
    DRAWER_TRAVEL,
    FIXTURES,
    MOVABLE,
    OBJECTS,
    PLATE,
    PLATE_RADIUS,
    half_height,
)

AREA_LOW = np.array([0.35, -0.28])
AREA_HIGH = np.array([0.69, 0.28])
MOST_THINGS = 8
ODD = "odd"
"""Stands for the kind of what nobody speaks of."""
_RADIUS = {
    BLOCK: 0.028,
    CAN: CAN_RADIUS,
    BOWL: BOWL_RADIUS,
    PLATE: PLATE_RADIUS,
    BUTTON: 0.055,
    ODD: 0.04,
}
_FINGER_ROOM = {BLOCK: 0.037, CAN: 0.037, BOWL: 0.012, PLATE: 0.012, BUTTON: 0.03, ODD: 0.012}
"""Room each thing needs beyond its radius so that open fingers reach what is carried, m."""
_INSET = {BOWL: 0.03, PLATE: 0.03, BUTTON: 0.02}
_DRAWER_X, _DRAWER_Y = (0.262, 0.268), (0.255, 0.29)
_PANEL_ROOM = 0.02
"""What is kept free around where the drawer's front may be, m."""
_HAND_AHEAD, _HAND_ASIDE = 0.10, 0.085
"""How far ahead of an open drawer's handle, and to either side, the hand needs room, m."""
_TRIES, _PATIENCE = 60, 8
_FEWEST_MOVABLE = 2
_ODD_OUTSIDE_M = 0.06
_SHARES = {DRAWER: 0.55, BUTTON: 0.5, PLATE: 0.6, CAN: 0.5}
_CARRIED, _HIDDEN = 0.3, 0.3
"""Share of things that begin on or in another, and of shut drawers that may hide one."""
_JITTER = {BOWL: 0.013, PLATE: 0.008, DRAWER: 0.008, BLOCK: 0.004}
"""How far from its best place a thing may lie on or in another, along x and y, m."""
_SHUT, _OUT = 0.45, 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """What is there at the start.

    Attributes:
        scene: Everything, as it is set down; it settles by a few millimetres.
        yaws: Name -> heading in rad.
    """

    scene: Scene
    yaws: dict[str, float]


def sample_arrangement(rng: np.random.Generator, outside_m: float) -> Arrangement:
    """Draw what is there and where, none touching another it does not stand on or in.

    Args:
        rng: The source of chance.
        outside_m: How far beyond the usual area things may stand, m. Unless it is 0, the first
            block or can that stands on the table itself is exactly so far outside.
    """
    names = _choose(rng)
    attempts = count(1)
    while (scene := _arrange(names, rng, outside_m)) is None:
        movable = sum(OBJECTS[name] in MOVABLE for name in names)
        if next(attempts) % _PATIENCE == 0 and movable > _FEWEST_MOVABLE:
            names.pop()
    yaws = {name: float(rng.uniform(-np.pi / 4, np.pi / 4)) for name in scene.objects}
    return Arrangement(scene, yaws)


def _choose(rng: np.random.Generator) -> list[str]:
    """Choose the things, those that need most room first."""
    by_kind = {
        kind: [n for n, k in OBJECTS.items() if k == kind]
        for kind in dict.fromkeys(OBJECTS.values())
    }
    there = {kind: by_kind[kind] for kind, share in _SHARES.items() if rng.random() < share}
    bowls = rng.permutation(by_kind[BOWL])[: rng.choice(3, p=(0.1, 0.5, 0.4))]
    blocks = rng.permutation(by_kind[BLOCK])[: rng.integers(2, 5)]
    large = [*there.get(DRAWER, []), *there.get(PLATE, []), *bowls, *there.get(BUTTON, [])]
    small = [str(name) for name in rng.permutation([*blocks, *there.get(CAN, [])])]
    return [*map(str, large), *small][:MOST_THINGS]


def _arrange(names: Sequence[str], rng: np.random.Generator, outside_m: float) -> Scene | None:
    """Return a scene of these things, None when one finds no place."""
    scene, beyond = Scene(0.0), outside_m
    for name in names:
        kind = OBJECTS[name]
        thing = None
        if kind in FIXTURES:
            thing = _fixture(name, kind, scene, rng)
        elif kind in MOVABLE and rng.random() < _CARRIED and _some_loose(name, names, scene):
            thing = _carried(name, kind, scene, rng)
        if thing is None:
            thing = _standing(name, kind, scene, rng, outside_m, beyond)
            beyond = 0.0 if kind in MOVABLE else beyond
        if thing is None:
            return None
        scene = Scene(0.0, {**scene.objects, name: thing})
    return scene


def _some_loose(name: str, names: Sequence[str], scene: Scene) -> bool:
    """Return whether a block or can stands on the table, or one that may is still to come."""
    standing = any(o.kind in MOVABLE and o.support == TABLE for o in scene.objects.values())
    return standing or name != names[-1]


def _fixture(name: str, kind: str, scene: Scene, rng: np.random.Generator) -> SceneObject | None:
    if kind == BUTTON:
        button = _standing(name, kind, scene, rng)
        if button is None:
            return None
        position, lamp = np.array([*button.position[:2], CAP_Z]), float(rng.integers(2))
        return SceneObject(name, kind, position, articulation=lamp)
    draw = rng.random()
    if draw < _SHUT:
        opening = 0.0
    elif draw < _SHUT + _OUT:
        opening = float(rng.uniform(0.9, 1.0)) * DRAWER_TRAVEL
    else:
        opening = float(rng.uniform(0.0, 1.0)) * DRAWER_TRAVEL
    handle = np.array([rng.uniform(*_DRAWER_X), rng.choice([-1, 1]) * rng.uniform(*_DRAWER_Y), 0.0])
    return SceneObject(
        name, kind, handle + np.array([opening, 0.0, HANDLE_Z]), articulation=opening
    )


def _carried(name: str, kind: str, scene: Scene, rng: np.random.Generator) -> SceneObject | None:
    """Put a thing on or into another that has room, None where none has."""
    held = SceneObject(name, kind, np.array([0.5, 0.0, 0.3]))
    known = Scene(0.0, {**scene.objects, name: held})
    carriers = []
    for target, carrier in scene.objects.items():
        shut = carrier.kind == DRAWER and (carrier.articulation or 0.0) < DRAWER_OPEN
        near = rng.uniform(-1, 1, 2)
        spot = free_spot(target, known, name, near)
        # Two things fall against each other in a bowl, and would not stay where they are put.
        full = carrier.kind == BOWL and scene.contents(target)
        if spot is not None and not full and (not shut or rng.random() < _HIDDEN):
            carriers.append((carrier, spot))
    if not carriers:
        return None
    carrier, spot = carriers[int(rng.integers(len(carriers)))]
    height = {BOWL: 0.008, PLATE: 0.013, DRAWER: 0.008, BLOCK: carrier.position[2] + BLOCK_HALF}
    if carrier.kind == BOWL:
        spot = carrier.position[:2]
    jitter = rng.uniform(-1, 1, 2) * _JITTER[carrier.kind]
    position = np.array([*(spot + jitter), height[carrier.kind] + half_height(kind)])
    return SceneObject(name, kind, position, support=carrier.name)


def _standing(
    name: str,
    kind: str,
    scene: Scene,
    rng: np.random.Generator,
    outside_m: float = 0.0,
    beyond_m: float = 0.0,
) -> SceneObject | None:
    """Stand a thing on the table, clear of all others; None when no place is found.

    Args:
        name: What.
        kind: Of which kind.
        scene: What is there.
        rng: The source of chance.
        outside_m: How far the area is widened, m.
        beyond_m: How far outside the usual area a block or can stands exactly; 0 for anywhere.
    """
    inset = _INSET.get(kind, 0.0)
    low, high = AREA_LOW + inset - outside_m, AREA_HIGH - inset + outside_m
    for _ in range(_TRIES):
        spot = rng.uniform(low, high)
        if beyond_m and kind in MOVABLE:
            axis = int(rng.integers(2))
            borders = (AREA_LOW[axis] - beyond_m, AREA_HIGH[axis] + beyond_m)
            spot[axis] = borders[int(rng.integers(2))]
        if all(_apart(spot, kind, other) for other in scene.objects.values()):
            return SceneObject(name, kind, np.array([*spot, half_height(kind)]))
    return None


def _apart(spot: Vector, kind: str, other: SceneObject) -> bool:
    """Return whether a thing of a kind may stand at a (2,) m spot beside another."""
    if other.kind == DRAWER:
        return _clear_of_drawer(spot, _RADIUS[kind], other)
    if other.support != TABLE:
        return True
    room = 0.012
    if {kind, other.kind} & {*MOVABLE, BUTTON}:
        room = max(_FINGER_ROOM[kind], _FINGER_ROOM[other.kind])
    return _gap(spot, kind, other) > room


def _gap(spot: Vector, kind: str, other: SceneObject) -> float:
    """Return how far the outlines of two things are apart, m, each taken for a disc."""
    distance = float(np.linalg.norm(spot - other.position[:2]))
    return distance - _RADIUS[kind] - _RADIUS[other.kind]


def touches_nothing(spot: Vector, kind: str, scene: Scene) -> bool:
    """Return whether a thing of a kind can stand at a (2,) m spot of the table, however close."""
    return all(
        _clear_of_drawer(spot, _RADIUS[kind], other)
        if other.kind == DRAWER
        else other.support != TABLE or _gap(spot, kind, other) > 0
        for other in scene.objects.values()
    )


def _clear_of_drawer(spot: Vector, radius: float, drawer: SceneObject) -> bool:
    """Return whether a disc leaves room for the drawer, and for the hand in front of its handle."""
    handle = drawer.position[:2] - np.array([drawer.articulation or 0.0, 0.0])
    ahead, aside = spot[0] - handle[0] - DRAWER_TRAVEL, abs(spot[1] - handle[1])
    panel = ahead > _PANEL_ROOM + radius or aside > CABINET_HALF[0] + _PANEL_ROOM + radius
    hand = ahead > _HAND_AHEAD + radius or aside > _HAND_ASIDE + radius
    return bool(panel and hand)


def sample_distractors(
    names: Sequence[str], scene: Scene, rng: np.random.Generator
) -> dict[str, Vector]:
    """Return (3,) m, m, rad where things stand that nobody speaks of, clear of all others."""
    there: dict[str, Vector] = {}
    for name in rng.permutation(names)[: rng.integers(1, 4)]:
        thing = _standing(str(name), ODD, scene, rng, _ODD_OUTSIDE_M)
        if thing is not None:
            scene = Scene(0.0, {**scene.objects, str(name): thing})
            there[str(name)] = np.array([*thing.position[:2], rng.uniform(-np.pi, np.pi)])
    return there
