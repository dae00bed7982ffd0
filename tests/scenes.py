"""Scenes for tests, made of names and positions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from agent.types import TABLE, Scene, SceneObject, Vector
from agent.workspace import (
    BLOCK,
    BLOCK_HALF,
    BUTTON,
    CAN,
    CAN_HEIGHT,
    DRAWER,
    TRAY_BEHIND_HANDLE,
    kind_of,
)

HOMES: dict[str, tuple[float, float]] = {
    "red block": (0.66, 0.22),
    "green block": (0.66, 0.32),
    "blue block": (0.60, -0.16),
    "yellow block": (0.74, -0.38),
    "blue bowl": (0.30, 0.28),
    "white bowl": (0.30, -0.28),
    "plate": (0.70, -0.27),
}
"""(x, y) m where each object lies unless said otherwise; no zone has anything in it."""
WHEN_NAMED: dict[str, tuple[float, float]] = {
    "can": (0.50, 0.15),
    "drawer": (0.22, 0.0),
    "button": (0.28, -0.16),
}
"""The same of what is only there when it is named; of the drawer, its handle when it is shut."""


def scene(
    *names: str,
    at: Mapping[str, tuple[float, float]] | None = None,
    on: Mapping[str, str] | None = None,
    presence: Mapping[str, float] | None = None,
    opening: float = 0.0,
    lit: bool = False,
) -> Scene:
    """Return a scene with these objects, or with every one of `HOMES` if none is named.

    Args:
        names: Names of the workspace.
        at: Name -> (x, y) m, where it differs from its home.
        on: Name -> what carries it, where that is not the table.
        presence: Name -> probability 0..1 that it is there, where that is not 1.
        opening: How far the drawer is out, m.
        lit: Whether the button's lamp is on.
    """
    carriers, places = dict(on or {}), {**HOMES, **WHEN_NAMED, **(at or {})}
    places["drawer"] = (places["drawer"][0] + opening, places["drawer"][1])
    parts, objects = {DRAWER: opening, BUTTON: float(lit)}, {}
    for name in names or tuple(HOMES):
        kind = kind_of(name) or "unknown"
        objects[name] = SceneObject(
            name=name,
            kind=kind,
            position=_position(name, carriers, places),
            presence=(presence or {}).get(name, 1.0),
            support=carriers.get(name, TABLE),
            articulation=parts.get(kind),
        )
    return Scene(time_s=0.0, objects=objects)


def tower(*names: str, base: str = TABLE, others: tuple[str, ...] = ()) -> Scene:
    """Return a scene with blocks stacked on each other, the lowest first, and other objects.

    Args:
        names: The blocks.
        base: What carries the lowest.
        others: What else is there.
    """
    return scene(*names, *others, on=dict(zip(names, (base, *names[:-1]), strict=True)))


def _position(
    name: str, carriers: Mapping[str, str], places: Mapping[str, tuple[float, float]]
) -> Vector:
    """Return where a thing is: (3,) m. What carries it says where; a block, also how high."""
    height = CAN_HEIGHT / 2 if kind_of(name) == CAN else BLOCK_HALF
    while carriers.get(name) in places:
        name = carriers[name]
        if kind_of(name) == BLOCK:
            height += 2 * BLOCK_HALF
        elif kind_of(name) == DRAWER:
            x, y = places[name]
            return np.array([x - TRAY_BEHIND_HANDLE, y, height])
    return np.array([*places[name], height])
