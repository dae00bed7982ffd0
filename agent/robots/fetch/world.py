"""The Fetch's physics and cameras; `truth` is for teachers, labels and scoring only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mujoco
import numpy as np

from agent.robots.fetch.model import (
    ARM_JOINTS,
    BASE,
    BASE_JOINTS,
    BLOCK,
    BLOCK_HALF,
    BLOCK_JOINT,
    CAMERAS,
    FINGER_BODIES,
    FINGER_JOINTS,
    FINGER_TRAVEL,
    HAND_BODY,
    MOCAP_BODY,
    TABLE_Z,
    TOOL_SITE,
    fetch_model,
)
from agent.robots.tabletop import physics
from agent.robots.tabletop.cameras import Cameras
from agent.types import HAND, TABLE, Image, Scene, SceneObject, Vector
from agent.workspace import BLOCK as KIND

RATE_HZ = 25.0
HOME_POSE = np.array([0.65, 0.0, 0.55, 0.5**0.5, 0.0, 0.5**0.5, 0.0])
"""(7,) tool pose at home: m and wxyz, fingers down."""
THING = "red block"
_AROUND, _NEAR = 0.15, 0.06
"""How far from below the home pose the block may lie along x and y, and how near it may not, m."""
_START_M = 0.04
"""How far from home the arm may begin along x, y and z, m."""
_SETTLE_STEPS, _REST_STEPS = 1000, 250


class FetchWorld:
    """One table, one arm, one block. The same seed gives the same world, bit for bit."""

    def __init__(self) -> None:
        """Compile the model, bring the arm home and open the off-screen renderers."""
        self.model = fetch_model()
        self.data = mujoco.MjData(self.model)
        self._cameras = Cameras(self.model, CAMERAS)
        self._arm_qpos = [self.model.joint(name).qposadr[0] for name in ARM_JOINTS]
        self._finger_qpos = [self.model.joint(name).qposadr[0] for name in FINGER_JOINTS]
        self._tool, self._hand = self.model.site(TOOL_SITE).id, self.model.body(HAND_BODY).id
        self._mocap = int(self.model.body(MOCAP_BODY).mocapid[0])
        self._steps = round(1 / RATE_HZ / self.model.opt.timestep)
        for name, place in BASE_JOINTS.items():
            self.data.qpos[self.model.joint(name).qposadr[0]] = place
        self._put(np.array([0.6, 0.0, TABLE_Z + BLOCK_HALF]), 0.0)
        self._carry(HOME_POSE)
        self.data.ctrl[:] = FINGER_TRAVEL
        self._settle(_SETTLE_STEPS)
        self._home = physics.recorded(self.model, self.data)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Lay the block where a seed has it and let it come to rest, the arm near home."""
        self._seed = seed
        physics.restore(self.model, self.data, self._home)
        rng = np.random.default_rng(seed)
        spot = np.zeros(2)
        while np.linalg.norm(spot) < _NEAR:
            spot = rng.uniform(-_AROUND, _AROUND, 2)
        self._put(np.array([*(HOME_POSE[:2] + spot), TABLE_Z + BLOCK_HALF]), rng.uniform(-1, 1) / 2)
        start = HOME_POSE.copy()
        start[:3] += rng.uniform(-_START_M, _START_M, 3)
        self._carry(start)
        self._settle(_REST_STEPS)
        self.data.time = 0.0

    def snapshot(self) -> dict[str, Any]:
        """Return all that decides how the world goes on, as JSON has it. Privileged."""
        return {"seed": self._seed, "physics": physics.recorded(self.model, self.data)}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Become the world of a snapshot, bit by bit. Privileged.

        Raises:
            RobotError: It was taken of another kind of world.
        """
        self._seed = snapshot["seed"]
        physics.restore(self.model, self.data, snapshot["physics"])

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
        return np.concatenate([self.data.site_xpos[self._tool] - BASE, quat])

    @property
    def gripper(self) -> float:
        """Measured opening, 0 closed to 1 open."""
        return float(np.clip(self.data.qpos[self._finger_qpos].mean() / FINGER_TRAVEL, 0.0, 1.0))

    def render(self, camera: str) -> Image:
        """Return (H, W, 3) uint8 RGB from one of `CAMERAS`."""
        return self._cameras(camera, self.data)

    def step(self, pose: Vector, opening: float, halted: Callable[[], bool]) -> None:
        """Move towards a tool pose for one period.

        Args:
            pose: (7,) wanted tool pose, m and wxyz, base frame.
            opening: Wanted gripper opening, 0..1.
            halted: Asked before every physics step; once true the arm holds where it is.
        """
        self.data.ctrl[:] = opening * FINGER_TRAVEL
        before = self._carried_to
        holding = False
        for index in range(self._steps):
            if not halted():
                way = (index + 1) / self._steps
                self._carry(np.concatenate([before + (pose[:3] - before) * way, pose[3:]]))
                holding = False
            elif not holding:
                self._carry(self.ee_pose)
                holding = True
            mujoco.mj_step(self.model, self.data)
        mujoco.mj_forward(self.model, self.data)

    def close(self) -> None:
        """Release the renderers."""
        self._cameras.close()

    def truth(self) -> Scene:
        """Return what is really there, in the agent's own terms. Privileged."""
        position = self.data.body(BLOCK).xpos - BASE
        support = HAND if self._gripped() else TABLE
        return Scene(self.time_s, {THING: SceneObject(THING, KIND, position, support=support)})

    @property
    def _carried_to(self) -> Vector:
        """(3,) m, base frame: where the tool is carried to now."""
        offset = np.zeros(3)
        site = self.model.site_pos[self._tool]
        mujoco.mju_rotVecQuat(offset, site, self.data.mocap_quat[self._mocap])
        return np.asarray(self.data.mocap_pos[self._mocap] + offset - BASE)

    def _carry(self, pose: Vector) -> None:
        """Carry the hand so that the tool comes to a (7,) pose, base frame."""
        offset = np.zeros(3)
        mujoco.mju_rotVecQuat(offset, self.model.site_pos[self._tool], pose[3:])
        self.data.mocap_pos[self._mocap] = pose[:3] + BASE - offset
        self.data.mocap_quat[self._mocap] = pose[3:]

    def _put(self, position: Vector, yaw: float) -> None:
        joint = self.model.joint(BLOCK_JOINT)
        quat = np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)])
        self.data.qpos[joint.qposadr[0] :][:7] = [*(position + BASE), *quat]
        self.data.qvel[joint.dofadr[0] :][:6] = 0.0

    def _settle(self, steps: int) -> None:
        for _ in range(steps):
            mujoco.mj_step(self.model, self.data)
        mujoco.mj_forward(self.model, self.data)

    def _gripped(self) -> bool:
        """Return whether both fingers touch the block."""
        fingers = {self.model.body(name).id for name in FINGER_BODIES}
        block = self.model.body(BLOCK).id
        touching: set[int] = set()
        for contact in self.data.contact[: self.data.ncon]:
            bodies = {int(b) for b in self.model.geom_bodyid[[contact.geom1, contact.geom2]]}
            if block in bodies:
                touching |= bodies & fingers
        return len(touching) == len(fingers)
