"""Whether the hand, and what it moves, have a free way past everything else in a scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.robots.tabletop.fixtures import BUTTON_HALF, CABINET_HALF, CABINET_X
from agent.robots.tabletop.model import BOWL_HEIGHT, PLATE_HEIGHT
from agent.types import TABLE, Scene, SceneObject, Vector
from agent.workspace import (
    BOWL,
    BOWL_RADIUS,
    BUTTON,
    CAN_RADIUS,
    DRAWER,
    DRAWER_TRAVEL,
    MOVABLE,
    PLATE,
    PLATE_RADIUS,
    half_height,
)
from skills.experts.push import PUSHED, standoff

_RADIUS = {BOWL: BOWL_RADIUS, PLATE: PLATE_RADIUS}
_TOP = {BOWL: BOWL_HEIGHT, PLATE: PLATE_HEIGHT, DRAWER: 2 * CABINET_HALF[1] + 0.003, BUTTON: 0.03}
_FINGER_AT, _FINGER_HALF = 0.047, np.array([0.018, 0.008])
"""How far to either side of the tool an open finger is along y, and its half size in x and y, m."""
_TIP_BELOW, _PALM_ABOVE, _PALM_HALF = 0.010, 0.066, np.array([0.034, 0.104])
"""From how far below the tool the fingers would hit, where the palm begins, its half size, m."""
_SHUT_HALF = 0.022
"""Half the width of shut fingers, m."""
_BESIDE, _BEYOND = 0.034, 0.046
"""Half the width of the way a pushed thing needs, and what it needs beyond its goal, m."""
_GOAL_LOW, _GOAL_HIGH = np.array([0.30, -0.36]), np.array([0.74, 0.36])
_HAND_LOW, _HAND_HIGH = np.array([0.27, -0.39]), np.array([0.77, 0.39])
_ARM_REACH = 0.79
"""How far from its base the arm reaches with the fingers straight down, m."""
_PULL_ROOM = 0.03
"""How far beyond the handle of an open drawer the hand reaches, m."""


@dataclass(frozen=True, slots=True, eq=False)
class _Box:
    """A rectangle on the table: (2,) m middle and half size; round corners add to it."""

    middle: Vector
    half: Vector
    rounded: float = 0.0

    def gap(self, other: _Box) -> float:
        """Return the distance between two outlines, m; negative where they overlap."""
        apart = np.abs(self.middle - other.middle) - self.half - other.half
        outside = float(np.linalg.norm(np.maximum(apart, 0.0)))
        return outside + min(float(apart.max()), 0.0) - self.rounded - other.rounded


def hand_fits(thing: SceneObject, scene: Scene) -> bool:
    """Return whether the open hand can come down around a thing without landing on another."""
    x, y, z = thing.position
    palm = _Box(np.array([x, y]), _PALM_HALF)
    fingers = [_Box(np.array([x, y + s * _FINGER_AT]), _FINGER_HALF) for s in (-1, 1)]
    for other in scene.objects.values():
        if other.name in (thing.name, thing.support) and other.kind != DRAWER:
            continue
        outline, top = _outline(other, inside=other.name == thing.support), _top(other)
        if top > z - _TIP_BELOW and any(finger.gap(outline) < 0 for finger in fingers):
            return False
        if top > z + _PALM_ABOVE and palm.gap(outline) < 0:
            return False
    return True


def way_is_free(thing: SceneObject, way: Vector, scene: Scene) -> bool:
    """Return whether a thing can be pushed along a (2,) unit vector, and the hand get behind it."""
    start = thing.position[:2]
    behind, goal = start - standoff(thing.kind) * way, start + PUSHED * way
    if not (_within(goal, _GOAL_LOW, _GOAL_HIGH) and _within(behind, _HAND_LOW, _HAND_HIGH)):
        return False
    if max(np.linalg.norm(goal), np.linalg.norm(behind)) > _ARM_REACH:
        return False
    ends = np.stack([behind - _SHUT_HALF * way, goal + _BEYOND * way])
    middle, length = ends.mean(0), np.abs(ends[1] - ends[0]) / 2
    swept = _Box(middle, length + _BESIDE * np.abs(way[::-1]))
    palm = _Box(middle, length + _PALM_HALF)
    for other in scene.objects.values():
        if other.support != TABLE and other.kind in MOVABLE and _top(other) < _PALM_ABOVE:
            continue
        if other.name != thing.name:
            box = palm if _top(other) > _PALM_ABOVE + 0.01 else swept
            if box.gap(_outline(other)) < 0:
                return False
    return True


def pull_is_free(drawer: SceneObject, scene: Scene) -> bool:
    """Return whether nothing stands where a drawer and the hand that pulls it will be."""
    shut = drawer.position[0] - (drawer.articulation or 0.0)
    far = shut + DRAWER_TRAVEL + _PULL_ROOM
    half = np.array([(far - drawer.position[0]) / 2, CABINET_HALF[0] + 0.005])
    swept = _Box(np.array([far - half[0], drawer.position[1]]), half)
    others = [o for o in scene.objects.values() if o.support == TABLE and o.name != drawer.name]
    return all(swept.gap(_outline(other)) >= 0 for other in others)


def _within(point: Vector, low: Vector, high: Vector) -> bool:
    return bool((point >= low).all() and (point <= high).all())


def _top(thing: SceneObject) -> float:
    """Return how high a thing reaches, m."""
    if thing.kind in MOVABLE:
        return float(thing.position[2] + half_height(thing.kind))
    return _TOP[thing.kind]


def _outline(thing: SceneObject, inside: bool = False) -> _Box:
    """Return a thing's outline; of a drawer only the cabinet, for what lies `inside` it."""
    middle = thing.position[:2]
    if thing.kind == BUTTON:
        return _Box(middle + np.array([0.017, 0.0]), np.array(BUTTON_HALF))
    if thing.kind != DRAWER:
        return _Box(middle, np.zeros(2), _RADIUS.get(thing.kind, CAN_RADIUS))
    shut = middle[0] - (thing.articulation or 0.0)
    low, high = shut + CABINET_X[0], shut + CABINET_X[1] if inside else middle[0] + 0.005
    half = np.array([(high - low) / 2, CABINET_HALF[0] + 0.003])
    return _Box(np.array([low + half[0], middle[1]]), half)
