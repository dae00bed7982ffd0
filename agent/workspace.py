"""The named places and objects of the tabletop, and where on them there is room.

Left and right, front and back are those of a person who stands behind the robot and looks where it
looks: front is away from the robot, left is +y.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from agent.types import TABLE, Scene, SceneObject, Vector

BLOCK, BOWL, PLATE, ZONE = "block", "bowl", "plate", "zone"

BLOCK_HALF = 0.02
"""Half the edge of a block, m."""
BOWL_RADIUS = 0.075
"""Outer radius of a bowl, m."""
PLATE_RADIUS = 0.085
"""Radius of the plate, m."""
CLEARANCE = 0.085
"""Distance between block centres at which the open fingers pass between them, m."""

OBJECTS: dict[str, str] = {
    "red block": BLOCK,
    "green block": BLOCK,
    "blue block": BLOCK,
    "yellow block": BLOCK,
    "blue bowl": BOWL,
    "white bowl": BOWL,
    "plate": PLATE,
}
"""Every object the tabletop can hold, name -> kind."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A rectangle of the table, m, base frame."""

    low: tuple[float, float]
    high: tuple[float, float]

    @property
    def centre(self) -> Vector:
        """(2,) m."""
        return np.asarray((np.array(self.low) + np.array(self.high)) / 2)

    def margin(self, position: Vector) -> float:
        """Return how far inside the border a point lies, m; negative outside. x and y count."""
        low, high = position[:2] - np.array(self.low), np.array(self.high) - position[:2]
        return float(min(low.min(), high.min()))

    def contains(self, position: Vector) -> bool:
        """Return whether the point lies in the rectangle; only x and y count."""
        return self.margin(position) >= 0


ZONES: dict[str, Zone] = {
    "left zone": Zone((0.38, 0.18), (0.62, 0.34)),
    "right zone": Zone((0.38, -0.34), (0.62, -0.18)),
    "front zone": Zone((0.61, -0.14), (0.74, 0.14)),
    "back zone": Zone((0.32, -0.14), (0.45, 0.14)),
    "centre zone": Zone((0.46, -0.12), (0.60, 0.12)),
}

WORKSPACE_LOW = np.array([0.26, -0.40, 0.019])
"""(3,) m: the tool never goes below or outside."""
WORKSPACE_HIGH = np.array([0.78, 0.40, 0.50])
"""(3,) m: the tool never goes above or outside."""


def kind_of(name: str) -> str | None:
    """Return the kind of an object or zone, None if there is no such name."""
    return ZONE if name in ZONES else OBJECTS.get(name)


def capacity(target: str) -> int:
    """Return how many blocks a target takes before the fingers get in the way."""
    return {BOWL: 3, PLATE: 2, ZONE: 3}.get(kind_of(target) or "", 0)


def spots(target: str, position: Vector | None) -> list[Vector]:
    """Return the (2,) m places on a target, best first.

    Args:
        target: A bowl, the plate or a zone.
        position: (3,) m centre of a bowl or the plate; None for a zone.
    """
    if target in ZONES:
        zone = ZONES[target]
        inset = 0.03
        low, high = np.array(zone.low) + inset, np.array(zone.high) - inset
        axes = [np.linspace(low[i], high[i], 1 + round((high[i] - low[i]) / 0.04)) for i in (0, 1)]
        grid = [np.array([x, y]) for x in axes[0] for y in axes[1]]
        return sorted([zone.centre, *grid], key=lambda p: float(np.linalg.norm(p - zone.centre)))
    if position is None:
        return []
    if kind_of(target) == PLATE:
        return [position[:2] + np.array([0.0, side * CLEARANCE / 2]) for side in (1.0, -1.0)]
    return [position[:2].copy()]


def _reach(obstacle: SceneObject) -> float:
    """Distance from the centre of an obstacle at which a block can be set down, m."""
    radius = {BOWL: BOWL_RADIUS, PLATE: PLATE_RADIUS}.get(obstacle.kind)
    return CLEARANCE if radius is None else radius + BLOCK_HALF + 0.035


def clear(spot: Vector, obstacles: Iterable[SceneObject]) -> bool:
    """Return whether a block fits at a (2,) m spot between the obstacles."""
    return all(float(np.linalg.norm(spot - o.position[:2])) >= _reach(o) - 0.005 for o in obstacles)


def free_spot(target: str, scene: Scene, moving: str = "") -> Vector | None:
    """Return the first (2,) m place on a target where a block fits, None if it is full.

    Args:
        target: A bowl, the plate or a zone.
        scene: What is on the table.
        moving: The block to be set down, which is no obstacle to itself.
    """
    inside = [o for o in scene.contents(target) if o.name != moving]
    kind = kind_of(target)
    carrier = scene.objects.get(target)
    if kind == BOWL:
        return (
            spots(target, carrier.position)[0]
            if carrier and len(inside) < capacity(target)
            else None
        )
    if kind == PLATE:
        obstacles: Sequence[SceneObject] = inside
    else:
        obstacles = [o for o in scene.objects.values() if o.support == TABLE and o.name != moving]
    candidates = spots(target, carrier.position if carrier else None)
    return next((spot for spot in candidates if clear(spot, obstacles)), None)
