"""How things stand to each other, as words say it: left of, next to, in, nearest to.

Sides are those of a person who stands behind the robot and looks where it looks: left is +y, and
in front is away from the robot, as it is for the zones of the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from agent.facts import holds
from agent.types import HAND, TABLE, Fact, Scene, Vector
from agent.workspace import ZONES

CARRYING = ("in", "on", "at", "from", "into", "onto", "to")
"""Prepositions that say what carries a thing."""
SIDES = {
    "left of": (0.0, 1.0),
    "right of": (0.0, -1.0),
    "in front of": (1.0, 0.0),
    "behind": (-1.0, 0.0),
}
_ENDS = {"left": (0.0, 1.0), "right": (0.0, -1.0), "front": (1.0, 0.0), "back": (-1.0, 0.0)}
_SIDE_LEAST, _SIDE_SLOPE = 0.02, 1.8
"""How far to a side, m, and how much more to the front or back than that, still is that side."""
_STRAIGHT = 0.35
"""The same for what stands straight to that side."""
_NEAR = 0.17
"""Up to this distance two things are next to each other, m."""
_BETWEEN_WIDTH = 0.09
"""How far from the line between two things something still is between them, m."""
_SAME = 0.012
"""Differences in distance below this decide nothing, m."""
_CENTRE = ZONES["centre zone"].centre


def stands(name: str, kind: str, anchors: Sequence[str], scene: Scene) -> bool:
    """Return whether a thing stands to others as a preposition says.

    Args:
        name: The thing.
        kind: A preposition of the vocabulary other than nearest and farthest.
        anchors: What it relates to: two things for `between`, else one.
        scene: Where they are.
    """
    if name in ZONES and kind in ("held", "under", *CARRYING):
        return False
    if kind == "held":
        return scene.objects[name].support == HAND
    if kind in CARRYING:
        return _carried(name, anchors[0], scene)
    if kind == "under":
        return anchors[0] in scene.objects and scene.objects[anchors[0]].support == name
    offset = _where(name, scene) - _where(anchors[0], scene)
    if kind in SIDES:
        way = np.array(SIDES[kind])
        along, across = float(offset @ way), float(abs(offset @ way[::-1]))
        return along > _SIDE_LEAST and across < _SIDE_SLOPE * along
    if kind == "between":
        return _between(_where(name, scene), *(_where(a, scene) for a in anchors[:2]))
    return float(np.linalg.norm(offset)) <= _NEAR


def aligned(name: str, side: str, anchor: str, scene: Scene) -> bool:
    """Return whether a thing stands straight to a side of another, rather than askew."""
    offset = _where(name, scene) - _where(anchor, scene)
    way = np.array(SIDES[side])
    return float(abs(offset @ way[::-1])) <= _STRAIGHT * float(offset @ way)


def _carried(name: str, carrier: str, scene: Scene) -> bool:
    if carrier in (TABLE, HAND):
        return scene.objects[name].support == carrier
    return holds(Fact(predicate="on", args=(name, carrier)), scene)


def _where(name: str, scene: Scene) -> Vector:
    """Return the (2,) m place of a thing or a zone, and the middle of the table for all of it."""
    if name in scene.objects:
        return scene.objects[name].position[:2]
    return ZONES[name].centre if name in ZONES else _CENTRE


def _between(spot: Vector, one: Vector, other: Vector) -> bool:
    line = other - one
    length = float(np.linalg.norm(line))
    if length < _SAME:
        return False
    along = float((spot - one) @ line) / length
    across = abs(float(np.cross(np.append(line, 0), np.append(spot - one, 0))[2])) / length
    return 0 < along < length and across <= _BETWEEN_WIDTH


def extreme(
    names: Iterable[str], end: str, anchor: str | None, count: int, scene: Scene
) -> list[str]:
    """Return the `count` things at one end of an order; more where it does not tell them apart.

    Args:
        names: The things.
        end: `nearest` or `farthest`, or a side of the table.
        anchor: What they are near to or far from; the robot by default.
        count: How many are meant.
        scene: Where they are.
    """
    origin = np.zeros(2) if anchor is None else _where(anchor, scene)

    def cost(name: str) -> float:
        if end == "centre":
            return float(np.linalg.norm(_where(name, scene) - _CENTRE))
        if end in _ENDS:
            return -float(_where(name, scene) @ np.array(_ENDS[end]))
        distance = float(np.linalg.norm(_where(name, scene) - origin))
        return distance if end == "nearest" else -distance

    ranked = sorted((n for n in names if n != anchor), key=cost)
    if len(ranked) <= count:
        return ranked
    border = cost(ranked[count - 1])
    clearly = [n for n in ranked if cost(n) < border + _SAME]
    return clearly if len(clearly) > count else ranked[:count]
