"""The tabletop's physics and cameras; `truth` is for experts, labels and scoring only."""

from __future__ import annotations

from collections.abc import Callable

import mujoco
import numpy as np

from agent.robots.tabletop.disturbances import Disturbances, DisturbanceSpec
from agent.robots.tabletop.kinematics import ArmKinematics
from agent.robots.tabletop.layout import NOMINAL, Layout, Variation, sample_layout
from agent.robots.tabletop.model import (
    BOWL_HEIGHT,
    CAMERA_EYE,
    CAMERA_TARGET,
    FLOOR_Z,
    TAPE,
    TIMESTEP_S,
    rest_height,
    tabletop_model,
)
from agent.robots.tabletop.panda import (
    ARM_JOINTS,
    FINGER_BODIES,
    FINGER_JOINTS,
    FINGER_TRAVEL,
    HOME_JOINTS,
    TOOL_SITE,
    look_at,
)
from agent.types import HAND, TABLE, Image, Scene, SceneObject, Vector
from agent.workspace import BLOCK, BOWL, BOWL_RADIUS, OBJECTS, PLATE, PLATE_RADIUS

RATE_HZ = 10.0
HOME_POSE = np.array([0.40, 0.0, 0.32, 0.0, 1.0, 0.0, 0.0])
"""(7,) tool pose at home: m and wxyz, fingers down."""
CAMERAS: dict[str, tuple[int, int]] = {"front": (120, 160), "wrist": (96, 96)}
"""Camera name -> (height, width) in pixels."""
_SUBSTEPS = round(1 / RATE_HZ / TIMESTEP_S)


class TabletopWorld:
    """One table, one arm, up to seven objects. The same seed gives the same world, bit for bit."""

    def __init__(
        self, disturbances: DisturbanceSpec | None = None, variation: Variation = NOMINAL
    ) -> None:
        """Compile the model and open the off-screen renderers."""
        self._variation = variation
        self.model = tabletop_model()
        self.data = mujoco.MjData(self.model)
        self._kinematics = ArmKinematics()
        self._renderers = {
            name: mujoco.Renderer(self.model, *size) for name, size in CAMERAS.items()
        }
        for renderer in self._renderers.values():
            renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
            renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._arm_qpos = [self.model.joint(name).qposadr[0] for name in ARM_JOINTS]
        self._finger_qpos = [self.model.joint(name).qposadr[0] for name in FINGER_JOINTS]
        self._finger_bodies = [self.model.body(name).id for name in FINGER_BODIES]
        self._tool = self.model.site(TOOL_SITE).id
        self._spec = disturbances or DisturbanceSpec()
        self._wrist_eye = self.model.cam_pos[self.model.camera("wrist").id].copy()
        self.layout: Layout
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Lay out the scene of a seed and let it come to rest, the arm near home."""
        self.layout = sample_layout(np.random.default_rng(seed), self._variation)
        self._disturbances = Disturbances(self._spec, np.random.default_rng([seed, 1]))
        mujoco.mj_resetData(self.model, self.data)
        self._dress(self.layout)
        for index, (name, kind) in enumerate(OBJECTS.items()):
            pose = self.layout.poses.get(name)
            parked = np.array([-4.0 - 0.5 * index, 0.0, FLOOR_Z + rest_height(kind)])
            self.put(
                name,
                parked if pose is None else np.array([*pose[:2], rest_height(kind)]),
                0.0 if pose is None else pose[2],
            )
        start = HOME_POSE.copy()
        start[:3] += self.layout.start[:3]
        yaw = self.layout.start[3]
        start[3:] = [0.0, np.cos(yaw / 2), np.sin(yaw / 2), 0.0]
        self.pose_arm(start, opening=1.0)
        for _ in range(50):
            mujoco.mj_step(self.model, self.data)
        self.data.time = 0.0
        self._holding = False
        mujoco.mj_forward(self.model, self.data)

    def pose_arm(self, pose: Vector, opening: float) -> None:
        """Put the arm at a (7,) tool pose at once, without moving there. Privileged."""
        self._targets = self._kinematics.solve(HOME_JOINTS, pose)
        travel = opening * FINGER_TRAVEL
        self.data.qpos[self._arm_qpos] = self._targets
        self.data.qpos[self._finger_qpos] = travel
        self.data.ctrl[:] = [*self._targets, travel, travel]

    def close_fingers(self) -> None:
        """Command the fingers shut, the arm staying where it is."""
        self.data.ctrl[7:9] = 0.0

    def _dress(self, layout: Layout) -> None:
        """Set colours, lights and cameras; every field that a layout touches is written anew."""
        model = self.model
        for name, colour in layout.colours.items():
            geoms = np.flatnonzero(model.geom_bodyid == model.body(name).id)
            model.geom_rgba[geoms, :3] = colour
            model.geom_rgba[geoms, 3] = 1.0
        model.geom_rgba[model.geom("plate rim").id, :3] = layout.colours["plate"] * 0.88
        model.geom_rgba[model.geom("table").id, :3] = layout.table
        for geom in range(model.ngeom):
            if model.geom(geom).name.startswith(TAPE):
                model.geom_rgba[geom, :3] = layout.tape
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

    def put(self, name: str, position: Vector, yaw: float) -> None:
        """Set an object down at rest: (3,) m, base frame, and yaw in rad. Privileged."""
        joint = self.model.joint(name)
        start, speed = joint.qposadr[0], joint.dofadr[0]
        self.data.qpos[start : start + 7] = [*position, np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]
        self.data.qvel[speed : speed + 6] = 0.0

    @property
    def mount(self) -> Vector:
        """(9,) how far the cameras are from where they belong. Privileged.

        The front camera's shift in m and turn as a rotation vector in rad, base frame; the wrist
        camera's shift in m, in the hand's frame.
        """
        at = self.layout
        return np.concatenate([at.camera_shift, at.camera_turn, at.wrist_shift])

    @property
    def time_s(self) -> float:
        """Simulated seconds since reset."""
        return float(self.data.time)

    @property
    def joint_pos(self) -> Vector:
        """(7,) measured arm joint positions, rad."""
        return np.asarray(self.data.qpos[self._arm_qpos]).copy()

    @property
    def ee_pose(self) -> Vector:
        """(7,) measured tool pose: m and wxyz, base frame."""
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, self.data.site_xmat[self._tool])
        # A unit quaternion and its negative are one rotation; q_x >= 0 keeps the fingers-down
        # neighbourhood continuous.
        return np.concatenate([self.data.site_xpos[self._tool], -quat if quat[1] < 0 else quat])

    @property
    def gripper(self) -> float:
        """Measured opening, 0 closed to 1 open."""
        return float(self.data.qpos[self._finger_qpos].mean() / FINGER_TRAVEL)

    def render(self, camera: str) -> Image:
        """Return (H, W, 3) uint8 RGB from one of `CAMERAS`."""
        renderer = self._renderers[camera]
        renderer.update_scene(self.data, camera=camera)
        return np.array(renderer.render(), dtype=np.uint8)

    def step(
        self, pose: Vector, opening: float, halted: Callable[[], bool] = lambda: False
    ) -> None:
        """Move towards a tool pose for one period.

        Args:
            pose: (7,) wanted tool pose, m and wxyz.
            opening: Wanted gripper opening, 0..1.
            halted: Asked before every physics step; once true the arm holds where it is.
        """
        before, after = self._targets, self._kinematics.solve(self._targets, pose)
        opening = self._disturbances.gripper(opening, self._gripped() is not None)
        self.data.ctrl[7:9] = opening * FINGER_TRAVEL
        for index in range(_SUBSTEPS):
            if not halted():
                self._targets = before + (after - before) * ((index + 1) / _SUBSTEPS)
            elif not self._holding:
                # The targets run ahead of the arm; to hold is to stay where the arm is.
                self._targets, self._holding = self.joint_pos, True
            self.data.ctrl[:7] = self._targets
            mujoco.mj_step(self.model, self.data)
        mujoco.mj_forward(self.model, self.data)
        self._disturbances.after_step(self)

    def close(self) -> None:
        """Release the renderers."""
        for renderer in self._renderers.values():
            renderer.close()

    def carried(self) -> str | None:
        """Return the block that both fingers touch, if any. Privileged."""
        return self._gripped()

    def _gripped(self) -> str | None:
        touching: dict[int, set[int]] = {}
        for contact in self.data.contact[: self.data.ncon]:
            bodies = self.model.geom_bodyid[[contact.geom1, contact.geom2]]
            for finger, other in (bodies, bodies[::-1]):
                if finger in self._finger_bodies:
                    touching.setdefault(int(other), set()).add(int(finger))
        for body, fingers in touching.items():
            name = str(self.model.body(body).name)
            if len(fingers) == 2 and OBJECTS.get(name) == BLOCK:
                return name
        return None

    def position(self, name: str) -> Vector:
        """Return where an object is: (3,) m, base frame. Privileged."""
        return np.asarray(self.data.body(name).xpos).copy()

    def yaw(self, name: str) -> float:
        """Return an object's heading about the vertical in rad. Privileged."""
        rotation = self.data.body(name).xmat.reshape(3, 3)
        # A tumbled block stands on another face: take the axis that is most nearly level.
        column = int(np.argmin(np.abs(rotation[2])))
        return float(np.arctan2(rotation[1, column], rotation[0, column]))

    def truth(self) -> Scene:
        """Return what is really there, in the agent's own terms. Privileged."""
        places = {n: self.position(n) for n in self.layout.poses}
        held = self._gripped()
        objects = {
            name: SceneObject(
                name,
                OBJECTS[name],
                places[name],
                support=HAND if name == held else self._support(name, places),
            )
            for name in places
        }
        return Scene(self.time_s, objects)

    def _support(self, name: str, places: dict[str, Vector]) -> str:
        if OBJECTS[name] != BLOCK:
            return TABLE
        for target, centre in places.items():
            offset = places[name] - centre
            distance = float(np.linalg.norm(offset[:2]))
            if (
                OBJECTS[target] == BOWL
                and distance < BOWL_RADIUS
                and offset[2] < BOWL_HEIGHT + 0.04
            ):
                return target
            if OBJECTS[target] == PLATE and distance < PLATE_RADIUS and 0.02 < offset[2] < 0.08:
                return target
        return TABLE
