"""What stands where, written to a model and its state."""

from __future__ import annotations

import mujoco
import numpy as np

from agent.robots.tabletop.fixtures import BUTTONS, DRAWERS, place
from agent.robots.tabletop.layout import Layout
from agent.robots.tabletop.model import DISTRACTORS, FLOOR_Z
from agent.types import Vector
from agent.workspace import FIXTURES, OBJECTS

_PARKED_X, _PARKED_APART = -4.0, 0.6


class Furnisher:
    """Puts what a layout has on the table, and the rest out of sight, where nothing touches it."""

    def __init__(self, model: mujoco.MjModel) -> None:
        """Remember what touches what."""
        self._model = model
        self._contype, self._conaffinity = model.geom_contype.copy(), model.geom_conaffinity.copy()
        self._geoms = {
            name: [
                geom
                for geom in range(model.ngeom)
                if model.body_rootid[model.geom_bodyid[geom]]
                == model.body_rootid[model.body(name).id]
            ]
            for name in (*OBJECTS, *DISTRACTORS)
        }

    def __call__(self, data: mujoco.MjData, layout: Layout) -> None:
        """Put everything where it belongs."""
        for index, name in enumerate((*OBJECTS, *DISTRACTORS)):
            thing, odd = layout.scene.objects.get(name), layout.distractors.get(name)
            there = thing is not None or odd is not None
            self._touchable(name, there)
            parked = np.array([_PARKED_X - _PARKED_APART * index, 0.0, FLOOR_Z])
            if OBJECTS.get(name) in FIXTURES:
                opening = thing.articulation or 0.0 if thing and name in DRAWERS else 0.0
                origin = np.array([*thing.position[:2], 0.0]) if thing else parked
                place(self._model, name, origin - np.array([opening, 0.0, 0.0]))
                data.qpos[self._model.joint(name).qposadr[0]] = opening
            elif thing is not None:
                put(self._model, data, name, thing.position, layout.yaws[name])
            elif odd is not None:
                put(self._model, data, name, np.array([*odd[:2], DISTRACTORS[name].height]), odd[2])
            else:
                put(self._model, data, name, parked, 0.0)

    def _touchable(self, name: str, there: bool) -> None:
        """Let a thing be touched, and fall, only where it is there: it costs time every step."""
        geoms = self._geoms[name]
        self._model.geom_contype[geoms] = self._contype[geoms] if there else 0
        self._model.geom_conaffinity[geoms] = self._conaffinity[geoms] if there else 0
        self._model.body_gravcomp[self._model.body(name).id] = (
            0.0 if there or name in BUTTONS else 1.0
        )


def put(
    model: mujoco.MjModel, data: mujoco.MjData, name: str, position: Vector, yaw: float
) -> None:
    """Set a free body down at rest: (3,) m, base frame, and yaw in rad."""
    joint = model.joint(name)
    start, speed = joint.qposadr[0], joint.dofadr[0]
    data.qpos[start : start + 7] = [*position, np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]
    data.qvel[speed : speed + 6] = 0.0
