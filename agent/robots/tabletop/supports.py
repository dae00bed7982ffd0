"""What carries what, told from where things truly are. Privileged."""

from __future__ import annotations

import numpy as np

from agent.robots.tabletop.fixtures import CABINET_HALF
from agent.robots.tabletop.model import BOWL_HEIGHT
from agent.types import TABLE, Vector
from agent.workspace import (
    BLOCK,
    BLOCK_HALF,
    BOWL,
    BOWL_RADIUS,
    DRAWER,
    MOVABLE,
    OBJECTS,
    PLATE,
    PLATE_RADIUS,
    TRAY_BEHIND_HANDLE,
    half_height,
)

_TRAY_HALF, _STACKED_M = 0.05, 0.026
"""Half the length of a drawer's tray, and how far off its middle a block stands on another, m."""


def support_of(name: str, places: dict[str, Vector]) -> str:
    """Return what carries a thing; all that is in a bowl or drawer is carried by that.

    Args:
        name: The thing.
        places: Name -> (3,) m, base frame, of everything that is there.
    """
    kind, half = OBJECTS[name], half_height(OBJECTS[name])
    if kind not in MOVABLE:
        return TABLE
    by_kind: dict[str, list[tuple[str, Vector]]] = {}
    for target, centre in places.items():
        if target != name:
            by_kind.setdefault(OBJECTS[target], []).append((target, places[name] - centre))
    for target, offset in by_kind.get(BOWL, []):
        level = float(np.linalg.norm(offset[:2]))
        if level < BOWL_RADIUS and offset[2] < BOWL_HEIGHT + half + 0.02:
            return target
    for target, offset in by_kind.get(DRAWER, []):
        length, width = abs(offset[0] + TRAY_BEHIND_HANDLE), abs(offset[1])
        if length < _TRAY_HALF and width < CABINET_HALF[0] and offset[2] < half + 0.03:
            return target
    for target, offset in by_kind.get(BLOCK, []):
        above = offset[2] - BLOCK_HALF - half
        if np.linalg.norm(offset[:2]) < _STACKED_M and abs(above) < 0.008:
            below = support_of(target, places)
            return below if OBJECTS.get(below) in (BOWL, DRAWER) else target
    for target, offset in by_kind.get(PLATE, []):
        level = float(np.linalg.norm(offset[:2]))
        if level < PLATE_RADIUS and 0.0 < offset[2] - half < 0.06:
            return target
    return TABLE
