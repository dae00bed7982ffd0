"""Where on a bowl, the plate, a zone, a block or in the drawer there is room for one more thing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from agent.types import TABLE, Scene, SceneObject, Vector
from agent.workspace import (
    BLOCK,
    BOWL,
    BOWL_RADIUS,
    BUTTON,
    CAN,
    DRAWER,
    DRAWER_TRAVEL,
    PLATE,
    PLATE_RADIUS,
    TOWER_HEIGHT,
    TRAY_BEHIND_HANDLE,
    ZONES,
    Zone,
    capacity,
    kind_of,
)

_BESIDE = {
    BLOCK: (0.060, 0.085),
    CAN: (0.064, 0.088),
    BOWL: (BOWL_RADIUS + 0.040, BOWL_RADIUS + 0.055),
    PLATE: (PLATE_RADIUS + 0.038, PLATE_RADIUS + 0.038),
    DRAWER: (0.06, 0.13),
    BUTTON: (0.075, 0.095),
}
"""Kind -> (x, y) m from its position at which a block or can can be set down beside it.

The open fingers reach out along y, and pass above a plate.
"""
BORDER = 0.025
"""Least distance of a block's centre from the border of its zone, m."""
_COMFORT_BORDER, _COMFORT_ROOM = 0.05, 0.025
"""What is kept from a zone's border, and beyond the least room from others, where it can be, m."""
_COMFORT_WEIGHT = 4.0
_TOLERANCE, _ROUNDING = 0.004, 1e-6
_PITCH = 0.01
_BOWL_OFFSET, _PLATE_OFFSET = 0.022, 0.042
_IN_THE_MIDDLE = 0.012
"""How far from a bowl's middle a thing must be to be on one side of it, m."""
_THIRD = math.tau / 3
TRAY_OFFSET, _TRAY_ROOM = 0.042, 0.06
"""How far from the tray's middle along y its two places are, and what they need from others, m."""


def room_at(spots: Vector, obstacle: SceneObject) -> Vector:
    """Return how much more room than needed blocks at (n, 2) m spots leave, (n,) m."""
    offset = spots - _reached(obstacle)
    need = np.array(_BESIDE[obstacle.kind])
    return np.asarray((np.linalg.norm(offset / need, axis=-1) - 1) * need[0])


def _reached(obstacle: SceneObject) -> Vector:
    """Return (2,) m where a thing may come to be in the way: a drawer's handle when it is out."""
    where = obstacle.position[:2].copy()
    if obstacle.kind == DRAWER:
        where[0] += DRAWER_TRAVEL - (obstacle.articulation or 0.0)
    return where


def free_spot(
    target: str, scene: Scene, moving: str = "", near: Vector | None = None
) -> Vector | None:
    """Return the best (2,) m place on a target for a block or can, None if there is no room.

    In a zone that is the place nearest to `near` that is well clear of its border and of what
    stands about, so that who follows it comes to rest: places it moves over are as good. In a bowl
    and on the plate it depends on what is there already: things lie beside each other, in a bowl on
    the side that is nearer to `near`. A drawer has two places, and a block carries one other.

    Args:
        target: A bowl, the drawer, the plate, a zone or a block.
        scene: What is on the table.
        moving: What is to be set down, which is no obstacle to itself.
        near: (2,) m; the middle of the zone or the table by default.
    """
    if target in ZONES:
        about = [o for o in scene.objects.values() if o.support == TABLE and o.name != moving]
        return _in_zone(ZONES[target], about, ZONES[target].centre if near is None else near)
    carrier = scene.objects.get(target)
    inside = [o for o in scene.contents(target) if o.name != moving]
    if carrier is None or target == moving or len(inside) >= capacity(target):
        return None
    centre = carrier.position[:2]
    if carrier.kind == BOWL:
        return np.asarray(centre + _BOWL_OFFSET * _away(centre, inside, near))
    if carrier.kind == DRAWER:
        return _in_tray(centre, inside, np.zeros(2) if near is None else near)
    if carrier.kind == BLOCK:
        return centre.copy() if _may_stack(carrier, scene, moving) else None
    spot = np.asarray(centre + _PLATE_OFFSET * _opposite(centre, inside))
    fits = all(room_at(spot[None], o)[0] >= -_TOLERANCE for o in inside)
    return spot if fits and carrier.kind == PLATE else None


def _may_stack(carrier: SceneObject, scene: Scene, moving: str) -> bool:
    """Return whether a block may carry another: on the table or the plate, and not too high up."""
    thing, height = scene.objects.get(moving), 1
    while carrier.support in scene.objects and scene.objects[carrier.support].kind == BLOCK:
        carrier, height = scene.objects[carrier.support], height + 1
    stands = carrier.support == TABLE or kind_of(carrier.support) == PLATE
    return stands and height < TOWER_HEIGHT and (thing is None or thing.kind == BLOCK)


def _in_tray(handle: Vector, inside: list[SceneObject], near: Vector) -> Vector | None:
    """Return the free one of the tray's two places that is nearer, None when both are taken."""
    middle = handle - np.array([TRAY_BEHIND_HANDLE, 0.0])
    spots = [middle + np.array([0.0, side * TRAY_OFFSET]) for side in (-1, 1)]
    free = [s for s in spots if all(abs(o.position[1] - s[1]) > _TRAY_ROOM for o in inside)]
    return min(free, key=lambda spot: float(np.linalg.norm(spot - near)), default=None)


def _in_zone(zone: Zone, about: list[SceneObject], near: Vector) -> Vector | None:
    low, high = np.array(zone.low) + BORDER, np.array(zone.high) - BORDER
    x, y = (np.arange(low[i], high[i] + _PITCH / 2, _PITCH) for i in (0, 1))
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    spots = np.vstack([np.clip(near, low, high), grid])
    costs = cost_in(zone, about, spots, near)
    best = int(np.argmin(costs))
    return spots[best] if np.isfinite(costs[best]) else None


def cost_in(zone: Zone, about: Sequence[SceneObject], spots: Vector, near: Vector) -> Vector:
    """Return what is against putting a thing at each of (n, 2) m spots: (n,) m.

    It is how far a spot is from where one would like it, and some more where the spot is close to
    the zone's border or to another thing; infinite where there is no room.

    Args:
        zone: Where the thing is to go.
        about: What stands on the table.
        spots: The places.
        near: (2,) m where one would like it to be.
    """
    border = np.minimum(spots - zone.low, np.array(zone.high) - spots).min(-1)
    cost = np.linalg.norm(spots - near, axis=-1)
    cost = cost + _COMFORT_WEIGHT * np.maximum(0, _COMFORT_BORDER - border)
    fits = border >= BORDER - _ROUNDING
    for obstacle in about:
        room = room_at(spots, obstacle)
        cost = cost + _COMFORT_WEIGHT * np.maximum(0, _COMFORT_ROOM - room)
        fits &= room >= -_TOLERANCE
    return np.asarray(np.where(fits, cost, np.inf))


def _away(centre: Vector, inside: list[SceneObject], near: Vector | None) -> Vector:
    """Return the (2,) unit direction in which a bowl has room, of several the one towards `near`.

    Beside one thing that is a third of a turn to either side of it, which leaves room for another
    one. Of a thing in the very middle it cannot be told on which side it is, and every way is good.
    """
    offsets = [o.position[:2] - centre for o in inside]
    angles = [math.atan2(y, x) for x, y in offsets]
    if not angles:
        angle = 0.0
    elif len(angles) == 1:
        aside = min(1.0, float(np.linalg.norm(offsets[0])) / _IN_THE_MIDDLE)
        least, most = aside * _THIRD, math.pi - aside * (math.pi - _THIRD)
        x, y = offsets[0] if near is None else near - centre
        turn = math.remainder(math.atan2(y, x) - angles[0], math.tau)
        angle = angles[0] + math.copysign(min(max(abs(turn), least), most), turn)
    else:
        # Of two blocks the middle of the wider gap between them is farthest from both.
        first, second = sorted(angles)
        angle = (first + second) / 2 + (math.pi if second - first < math.pi else 0.0)
    return np.array([math.cos(angle), math.sin(angle)])


def _opposite(centre: Vector, inside: list[SceneObject]) -> Vector:
    """Return the (2,) unit direction away from what lies on a plate; forward when it is empty."""
    if not inside:
        return np.array([1.0, 0.0])
    offset = centre - inside[0].position[:2]
    distance = float(np.linalg.norm(offset))
    return np.asarray(offset / distance) if distance > 1e-6 else np.array([1.0, 0.0])
