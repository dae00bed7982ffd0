"""The start of a scene, drawn from a seed: what is there, where, and what it looks like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.types import Vector
from agent.workspace import BLOCK, BOWL, BOWL_RADIUS, OBJECTS, PLATE, PLATE_RADIUS

AREA_LOW = np.array([0.35, -0.28])
AREA_HIGH = np.array([0.69, 0.28])
_RADIUS = {BLOCK: 0.028, BOWL: BOWL_RADIUS, PLATE: PLATE_RADIUS}
_FINGER_ROOM = {BLOCK: 0.037, BOWL: 0.012, PLATE: 0.012}
"""Room each object needs beyond its radius so that open fingers reach the blocks, m."""
_TRIES = 200

_COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.80, 0.10, 0.10),
    "green": (0.12, 0.60, 0.16),
    "blue": (0.10, 0.22, 0.78),
    "yellow": (0.88, 0.76, 0.10),
    "white": (0.88, 0.88, 0.86),
    "plate": (0.72, 0.70, 0.66),
}
_TABLES = (
    (0.55, 0.43, 0.31),
    (0.42, 0.33, 0.25),
    (0.52, 0.52, 0.53),
    (0.36, 0.38, 0.41),
    (0.66, 0.60, 0.50),
)


@dataclass(frozen=True, slots=True)
class Variation:
    """How far scenes stray from the nominal one.

    The defaults are those of a table whose cameras were calibrated and then touched; networks are
    trained on `WIDE`, so that they learn to tell from the image where the camera is.

    Attributes:
        camera_m: Largest shift of the front camera along each axis, m.
        camera_rad: Largest turn of the front camera about each axis, rad.
    """

    camera_m: float = 0.005
    camera_rad: float = 0.005


NOMINAL = Variation()
WIDE = Variation(camera_m=0.035, camera_rad=0.06)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Everything about a scene that a seed decides.

    Attributes:
        poses: Object name -> (x, y, yaw) in m, m, rad, for the objects that are there.
        colours: Object name -> (3,) RGB 0..1.
        table: (3,) RGB 0..1.
        tape: (3,) RGB 0..1 of the lines around the zones.
        lights: (2, 3) positions in m.
        brightness: (2,) diffuse strength of the lights.
        camera_shift: (3,) m added to the front camera's position.
        camera_turn: (3,) rad rotation vector applied to the front camera.
        wrist_shift: (3,) m added to the wrist camera's position.
        start: (4,) offset of the tool from home at the start: m, m, m, yaw in rad.
    """

    poses: dict[str, Vector]
    colours: dict[str, Vector]
    table: Vector
    tape: Vector
    lights: Vector
    brightness: Vector
    camera_shift: Vector
    camera_turn: Vector
    wrist_shift: Vector
    start: Vector


def sample_layout(rng: np.random.Generator, variation: Variation = NOMINAL) -> Layout:
    """Draw a scene: two to four blocks, one or two bowls, often the plate, none touching."""
    colours = {
        name: np.clip(np.array(_COLOURS[name.split()[0]]) + rng.uniform(-0.06, 0.06, 3), 0, 1)
        for name in OBJECTS
    }
    poses = None
    while poses is None:
        poses = _place(_choose(rng), rng)
    table = np.array(_TABLES[rng.integers(len(_TABLES))])
    table = np.clip(table + rng.uniform(-0.05, 0.05, 3), 0, 1)
    # Small shifts stay common however wide the range is.
    strayed = rng.random()
    return Layout(
        poses=poses,
        colours=colours,
        table=table,
        tape=np.clip(table + rng.choice([-0.22, 0.22]) + rng.uniform(-0.05, 0.05, 3), 0, 1),
        lights=np.array([[0.5, 0.6, 1.6], [0.4, -0.7, 1.4]]) + rng.uniform(-0.35, 0.35, (2, 3)),
        brightness=rng.uniform((0.35, 0.15), (0.65, 0.4)),
        camera_shift=strayed * variation.camera_m * rng.uniform(-1, 1, 3),
        camera_turn=strayed * variation.camera_rad * rng.uniform(-1, 1, 3),
        wrist_shift=rng.uniform(-0.003, 0.003, 3),
        start=rng.uniform(-1, 1, 4) * np.array([0.03, 0.05, 0.03, 0.15]),
    )


def _choose(rng: np.random.Generator) -> list[str]:
    """Choose the objects, largest first so that they find room."""
    by_kind = {kind: [n for n, k in OBJECTS.items() if k == kind] for kind in (PLATE, BOWL, BLOCK)}
    plates = by_kind[PLATE] if rng.random() < 0.75 else []
    bowls = rng.permutation(by_kind[BOWL])[: rng.integers(1, 3)]
    blocks = rng.permutation(by_kind[BLOCK])[: rng.integers(2, 5)]
    return [*plates, *map(str, bowls), *map(str, blocks)]


def _place(names: list[str], rng: np.random.Generator) -> dict[str, Vector] | None:
    """Return poses that leave room between all objects, None when no place is found."""
    poses: dict[str, Vector] = {}
    for name in names:
        kind = OBJECTS[name]
        inset = 0.0 if kind == BLOCK else 0.03
        for _ in range(_TRIES):
            xy = rng.uniform(AREA_LOW + inset, AREA_HIGH - inset)
            if all(
                np.linalg.norm(xy - pose[:2]) > _gap(kind, OBJECTS[other])
                for other, pose in poses.items()
            ):
                poses[name] = np.array([*xy, rng.uniform(-np.pi / 4, np.pi / 4)])
                break
        else:
            return None
    return poses


def _gap(kind: str, other: str) -> float:
    room = max(_FINGER_ROOM[kind], _FINGER_ROOM[other]) if BLOCK in (kind, other) else 0.012
    return _RADIUS[kind] + _RADIUS[other] + room
