"""The start of a scene, drawn from a seed: what is there, where, and what it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from agent.robots.tabletop.arrangement import sample_arrangement, sample_distractors
from agent.robots.tabletop.model import DISTRACTORS
from agent.types import Scene, Vector
from agent.workspace import OBJECTS

_COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.80, 0.10, 0.10),
    "green": (0.12, 0.60, 0.16),
    "blue": (0.10, 0.22, 0.78),
    "yellow": (0.88, 0.76, 0.10),
    "white": (0.88, 0.88, 0.86),
    "plate": (0.72, 0.70, 0.66),
    "can": (0.08, 0.55, 0.56),
}
_ODD_COLOURS = ((0.45, 0.15, 0.55), (0.95, 0.62, 0.72), (0.06, 0.06, 0.07), (0.33, 0.20, 0.10))
_TABLES = (
    (0.55, 0.43, 0.31),
    (0.42, 0.33, 0.25),
    (0.52, 0.52, 0.53),
    (0.36, 0.38, 0.41),
    (0.66, 0.60, 0.50),
)
_ASPECTS = ("arrangement", "colours", "table", "light", "camera", "start", "distractors")


class TableLook(StrEnum):
    """What the table is covered with."""

    PLAIN = "plain"
    VARIED = "varied"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class Variation:
    """How far scenes stray from the nominal one.

    The defaults are those of a table whose cameras were calibrated and then touched; networks are
    trained on `WIDE`, so that they learn to tell from the image where the camera is.

    Attributes:
        camera_m: Largest shift of the front camera, m.
        camera_rad: Largest turn of the front camera, rad.
        camera_exact: Whether the camera strays exactly so far, in any direction.
        light: Scale of how far the lights stray in place and strength.
        table: What the table is covered with; nothing is trained on what is unseen.
        distractors: Share of scenes with one to three things nobody speaks of.
        start: Scale of how far from home the tool starts.
        outside_m: How far outside the usual area things stand, m.
    """

    camera_m: float = 0.008
    camera_rad: float = 0.008
    camera_exact: bool = False
    light: float = 1.0
    table: TableLook = TableLook.PLAIN
    distractors: float = 0.0
    start: float = 1.0
    outside_m: float = 0.0


NOMINAL = Variation()
WIDE = Variation(
    camera_m=0.05,
    camera_rad=0.085,
    light=1.6,
    table=TableLook.VARIED,
    distractors=0.4,
    start=1.6,
)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Everything about a scene that a seed decides.

    Attributes:
        scene: What is there at the start, a few millimetres above where it will settle.
        yaws: Name -> heading in rad.
        distractors: Name -> (3,) m, m, rad of things nobody speaks of.
        colours: Name -> (3,) RGB 0..1.
        table: (3,) RGB 0..1.
        texture: Number of the table's texture; 0 is none.
        tape: (3,) RGB 0..1 of the lines around the zones.
        lights: (2, 3) positions in m.
        brightness: (2,) diffuse strength of the lights.
        camera_shift: (3,) m added to the front camera's position.
        camera_turn: (3,) rad rotation vector applied to the front camera.
        wrist_shift: (3,) m added to the wrist camera's position.
        start: (4,) offset of the tool from home at the start: m, m, m, yaw in rad.
    """

    scene: Scene
    yaws: dict[str, float]
    distractors: dict[str, Vector]
    colours: dict[str, Vector]
    table: Vector
    texture: int
    tape: Vector
    lights: Vector
    brightness: Vector
    camera_shift: Vector
    camera_turn: Vector
    wrist_shift: Vector
    start: Vector


def sample_layout(seed: int, variation: Variation = NOMINAL) -> Layout:
    """Draw a scene; every aspect has its own chance, so that varying one leaves the others."""
    rng = {aspect: np.random.default_rng([seed, i]) for i, aspect in enumerate(_ASPECTS)}
    arranged = sample_arrangement(rng["arrangement"], variation.outside_m)
    table, texture = _table(rng["table"], variation.table)
    contrast = rng["table"].choice([-0.22, 0.22]) + rng["table"].uniform(-0.05, 0.05, 3)
    shift, turn = _stray(rng["camera"], variation)
    light = rng["light"]
    strength = light.uniform(-1, 1, 2) * variation.light
    odd = {}
    if rng["distractors"].random() < variation.distractors:
        odd = sample_distractors(tuple(DISTRACTORS), arranged.scene, rng["distractors"])
    return Layout(
        scene=arranged.scene,
        yaws=arranged.yaws,
        distractors=odd,
        colours=_colours(rng["colours"]),
        table=table,
        texture=texture,
        tape=np.clip(table + contrast, 0, 1),
        lights=np.array([[0.5, 0.6, 1.6], [0.4, -0.7, 1.4]])
        + light.uniform(-0.35, 0.35, (2, 3)) * variation.light,
        brightness=np.maximum(0.05, np.array([0.5, 0.275]) + strength * np.array([0.15, 0.125])),
        camera_shift=shift,
        camera_turn=turn,
        wrist_shift=rng["camera"].uniform(-0.003, 0.003, 3),
        start=rng["start"].uniform(-1, 1, 4) * np.array([0.03, 0.05, 0.03, 0.15]) * variation.start,
    )


def _colours(rng: np.random.Generator) -> dict[str, Vector]:
    named = {
        name: np.array(_COLOURS[name.split()[0]]) for name in OBJECTS if name.split()[0] in _COLOURS
    }
    odd = {
        name: np.array(_ODD_COLOURS[int(rng.integers(len(_ODD_COLOURS)))]) for name in DISTRACTORS
    }
    return {
        name: np.clip(colour + rng.uniform(-0.06, 0.06, 3), 0, 1)
        for name, colour in {**named, **odd}.items()
    }


def _table(rng: np.random.Generator, look: TableLook) -> tuple[Vector, int]:
    """Return (3,) RGB and the number of a texture."""
    base, spread = np.array(_TABLES[rng.integers(len(_TABLES))]), rng.uniform(-0.05, 0.05, 3)
    any_colour, draw = rng.uniform(0.2, 0.8, 3), rng.random()
    if look == TableLook.PLAIN:
        return np.clip(base + spread, 0, 1), 0
    if look == TableLook.UNSEEN:
        # Not so strong that what is red is lost on a red table.
        return np.clip(0.65 * any_colour + 0.35 * any_colour.mean() + 0.1, 0, 1), 3
    muted = 0.5 * base + 0.5 * any_colour
    return np.clip(base + spread if draw < 0.5 else muted, 0, 1), int(rng.choice([0, 0, 1, 2]))


def _stray(rng: np.random.Generator, variation: Variation) -> tuple[Vector, Vector]:
    """Return how far the front camera is from its place: (3,) m, and (3,) rad."""
    directions = rng.normal(size=(2, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    # Small shifts stay common however wide the range is.
    reach = rng.random() * rng.random(2) ** (1 / 3)
    if variation.camera_exact:
        reach = np.ones(2)
    far = reach * (variation.camera_m, variation.camera_rad)
    return far[0] * directions[0], far[1] * directions[1]
