"""What a layout looks like: colours, the table's cover, lights and cameras, written to a model."""

from __future__ import annotations

import mujoco
import numpy as np

from agent.robots.panda import look_at
from agent.robots.tabletop.layout import Layout
from agent.robots.tabletop.model import CAMERA_EYE, CAMERA_TARGET, TABLE_TEXTURES, TAPE

_LID_RGB = (0.92, 0.52, 0.32)


class Dresser:
    """Writes a layout's looks to one model; every field that a layout touches is written anew."""

    def __init__(self, model: mujoco.MjModel) -> None:
        """Remember what the looks are relative to."""
        self._model = model
        self._wrist_eye = model.cam_pos[model.camera("wrist").id].copy()
        self._tape = [i for i in range(model.ngeom) if model.geom(i).name.startswith(TAPE)]

    def __call__(self, layout: Layout) -> None:
        """Set colours, lights and cameras."""
        model = self._model
        for name, colour in layout.colours.items():
            geoms = np.flatnonzero(model.geom_bodyid == model.body(name).id)
            model.geom_rgba[geoms, :3] = colour
            model.geom_rgba[geoms, 3] = 1.0
        model.geom_rgba[model.geom("plate rim").id, :3] = layout.colours["plate"] * 0.88
        model.geom_rgba[model.geom("can lid").id, :3] = _LID_RGB
        model.geom_rgba[model.geom("table").id, :3] = layout.table
        texture = list(TABLE_TEXTURES)[layout.texture - 1] if layout.texture else None
        model.geom_matid[model.geom("table").id] = model.material(texture).id if texture else -1
        model.geom_rgba[self._tape, :3] = layout.tape
        for index, name in enumerate(("key", "fill")):
            light = model.light(name).id
            model.light_pos[light] = layout.lights[index]
            aim = np.array([0.5, 0.0, 0.0]) - layout.lights[index]
            model.light_dir[light] = aim / np.linalg.norm(aim)
            model.light_diffuse[light] = layout.brightness[index]
            model.light_specular[light] = 0.1
        front, wrist = model.camera("front").id, model.camera("wrist").id
        model.cam_pos[front] = CAMERA_EYE + layout.camera_shift
        turn, quat = np.zeros(4), np.zeros(4)
        angle = float(np.linalg.norm(layout.camera_turn))
        mujoco.mju_axisAngle2Quat(turn, layout.camera_turn / max(angle, 1e-12), angle)
        mujoco.mju_mulQuat(quat, turn, look_at(CAMERA_EYE, CAMERA_TARGET, up=(0.0, 0.0, 1.0)))
        model.cam_quat[front] = quat
        model.cam_pos[wrist] = self._wrist_eye + layout.wrist_shift
