"""The named places and objects of the tabletop.

Left and right, front and back are those of a person who stands behind the robot and looks where it
looks: front is away from the robot, left is +y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.types import Vector

BLOCK, CAN, BOWL, PLATE = "block", "can", "bowl", "plate"
DRAWER, BUTTON, ZONE, DIRECTION = "drawer", "button", "zone", "direction"

MOVABLE = (BLOCK, CAN)
"""What the hand can carry and push."""
FIXTURES = (DRAWER, BUTTON)
"""What stays where it is and has a part that moves: it has an articulation."""

BLOCK_HALF = 0.02
"""Half the edge of a block, m."""
CAN_RADIUS, CAN_HEIGHT = 0.026, 0.065
"""Radius and height of the can, m."""
BOWL_RADIUS = 0.075
"""Outer radius of a bowl, m."""
PLATE_RADIUS = 0.085
"""Radius of the plate, m."""

DRAWER_TRAVEL = 0.10
"""How far the drawer slides out, away from the robot, m."""
DRAWER_OPEN, DRAWER_CLOSED = 0.075, 0.015
"""From which opening the drawer counts as open, and up to which as closed, m."""
TRAY_BEHIND_HANDLE = 0.084
"""How far the middle of the drawer's tray lies towards the robot from its handle, m."""
PUSH_LEAST, PUSH_DISTANCE = 0.05, 0.09
"""How far a push must move a thing to count, and how far it usually does, m."""
TOWER_HEIGHT = 3
"""Most blocks that stand on each other."""

OBJECTS: dict[str, str] = {
    "red block": BLOCK,
    "green block": BLOCK,
    "blue block": BLOCK,
    "yellow block": BLOCK,
    "can": CAN,
    "blue bowl": BOWL,
    "white bowl": BOWL,
    "plate": PLATE,
    "drawer": DRAWER,
    "button": BUTTON,
}
"""Every object the tabletop can hold, name -> kind."""

DIRECTIONS: dict[str, tuple[float, float]] = {
    "left": (0.0, 1.0),
    "right": (0.0, -1.0),
    "forward": (1.0, 0.0),
    "back": (-1.0, 0.0),
}
"""Where a thing can be pushed, name -> (x, y) unit vector, base frame."""


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

FINGERS_MET = 0.3
"""Gripper opening, 0..1, below which the fingers have met: nothing is between them."""
FINGERS_APART = 0.85
"""Gripper opening, 0..1, above which the fingers are wider apart than anything they hold."""
WORKSPACE_LOW = np.array([0.20, -0.40, 0.019])
"""(3,) m: the tool never goes below or outside."""
WORKSPACE_HIGH = np.array([0.78, 0.40, 0.50])
"""(3,) m: the tool never goes above or outside."""


def kind_of(name: str) -> str | None:
    """Return the kind of an object, zone or direction, None if there is no such name."""
    if name in ZONES:
        return ZONE
    return DIRECTION if name in DIRECTIONS else OBJECTS.get(name)


def capacity(target: str) -> int:
    """Return how many things a target takes before the fingers get in the way."""
    room = {BOWL: 3, PLATE: 2, ZONE: 3, DRAWER: 2, BLOCK: 1}
    return room.get(kind_of(target) or "", 0)


def half_height(kind: str) -> float:
    """Return how high a thing's origin lies above what carries it, m."""
    return {BLOCK: BLOCK_HALF, CAN: CAN_HEIGHT / 2}.get(kind, 0.0)
