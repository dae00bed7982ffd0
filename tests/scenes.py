"""Scenes for tests, made of names and positions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from agent.types import TABLE, Scene, SceneObject
from agent.workspace import kind_of

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


def scene(
    *names: str,
    at: Mapping[str, tuple[float, float]] | None = None,
    on: Mapping[str, str] | None = None,
    presence: Mapping[str, float] | None = None,
) -> Scene:
    """Return a scene with these objects, or with every object if none is named.

    Args:
        names: Names of the workspace.
        at: Name -> (x, y) m, where it differs from `HOMES`.
        on: Name -> what carries it, where that is not the table.
        presence: Name -> probability 0..1 that it is there, where that is not 1.
    """
    carriers, places, sure = dict(on or {}), {**HOMES, **(at or {})}, dict(presence or {})
    objects = {}
    for name in names or tuple(HOMES):
        x, y = places[carriers[name]] if carriers.get(name) in places else places[name]
        objects[name] = SceneObject(
            name=name,
            kind=kind_of(name) or "unknown",
            position=np.array([x, y, 0.02]),
            presence=sure.get(name, 1.0),
            support=carriers.get(name, TABLE),
        )
    return Scene(time_s=0.0, objects=objects)
