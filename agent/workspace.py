"""The named places and objects of the tabletop.

Left and right, front and back are those of a person who stands behind the robot and looks where it
looks: front is away from the robot, left is +y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.types import Vector

BLOCK, BOWL, PLATE, ZONE = "block", "bowl", "plate", "zone"

BLOCK_HALF = 0.02
"""Half the edge of a block, m."""
BOWL_RADIUS = 0.075
"""Outer radius of a bowl, m."""
PLATE_RADIUS = 0.085
"""Radius of the plate, m."""

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
