"""The tabletop's physics and cameras; `truth` is for experts, labels and scoring only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mujoco
import numpy as np

from agent.robots.kinematics import one_sided
from agent.robots.panda import (
    ARM_JOINTS,
    FINGER_BODIES,
    FINGER_JOINTS,
    FINGER_TRAVEL,
    HOME_JOINTS,
    TOOL_SITE,
    panda_kinematics,
)
from agent.robots.tabletop import physics
from agent.robots.tabletop.cameras import Cameras
from agent.robots.tabletop.disturbances import Disturbances, DisturbanceSpec
from agent.robots.tabletop.dresser import Dresser
from agent.robots.tabletop.drive import Drive
from agent.robots.tabletop.fixtures import (
    BUTTONS,
    CAP_Z,
    DRAWERS,
    HANDLE_Z,
    Lamps,
    jam,
)
from agent.robots.tabletop.furnisher import Furnisher, put
from agent.robots.tabletop.grip import between
from agent.robots.tabletop.layout import NOMINAL, Layout, Variation, sample_layout
from agent.robots.tabletop.model import TIMESTEP_S, tabletop_model
from agent.robots.tabletop.supports import support_of
from agent.types import HAND, Image, Scene, SceneObject, Vector
from agent.workspace import OBJECTS

RATE_HZ = 10.0
HOME_POSE = np.array([0.40, 0.0, 0.32, 0.0, 1.0, 0.0, 0.0])
"""(7,) tool pose at home: m and wxyz, fingers down."""
CAMERAS: dict[str, tuple[int, int]] = {"front": (120, 160), "wrist": (96, 96)}
"""Camera name -> (height, width) in pixels."""
_SETTLE_STEPS = 75
_SHUT_ON_NOTHING = 0.3
"""Opening of the gripper below which there is nothing between the fingers, 0..1."""
PERIOD_SLICES = round(1 / RATE_HZ / TIMESTEP_S)
"""Steps of physics in one period."""


class TabletopWorld:
    """One table, one arm, up to eight things. The same seed gives the same world, bit for bit."""

    def __init__(
        self, disturbances: DisturbanceSpec | None = None, variation: Variation = NOMINAL
    ) -> None:
        """Compile the model and open the off-screen renderers."""
        self._variation = variation
        self.model = tabletop_model()
        self.data = mujoco.MjData(self.model)
        self._kinematics = panda_kinematics()
        self._cameras = Cameras(self.model, CAMERAS)
        self._arm_qpos = [self.model.joint(name).qposadr[0] for name in ARM_JOINTS]
        self._arm_dofs = [self.model.joint(name).dofadr[0] for name in ARM_JOINTS]
        self._finger_qpos = [self.model.joint(name).qposadr[0] for name in FINGER_JOINTS]
        self._finger_bodies = [self.model.body(name).id for name in FINGER_BODIES]
        self._tool = self.model.site(TOOL_SITE).id
        self._spec = disturbances or DisturbanceSpec()
        self._dresser, self._furnish = Dresser(self.model), Furnisher(self.model)
        self._lamps = Lamps(self.model)
        self.layout: Layout
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Lay out the scene of a seed and let it come to rest, the arm near home."""
        self._seed, self.layout = seed, sample_layout(seed, self._variation)
        self._disturbances = Disturbances(self._spec, np.random.default_rng([seed, 1]))
        mujoco.mj_resetData(self.model, self.data)
        self._dresser(self.layout)
        self._furnish(self.data, self.layout)
        self._lamps.reset(self.layout.scene)
        jam(self.model, DRAWERS if self._disturbances.jammed else ())
        start = HOME_POSE.copy()
        start[:3] += self.layout.start[:3]
        yaw = self.layout.start[3]
        start[3:] = [0.0, np.cos(yaw / 2), np.sin(yaw / 2), 0.0]
        self.pose_arm(start, opening=1.0)
        self.settle(_SETTLE_STEPS)
        self.data.time = 0.0

    def snapshot(self) -> dict[str, Any]:
        """Return all that decides how the world goes on, as JSON has it. Privileged.

        It is for going on from where a mission ended, and for nobody who carries one out.
        """
        return {
            "seed": self._seed,
            "physics": physics.recorded(self.model, self.data),
            "targets": self._drive.targets.tolist(),
            "holding": self._drive.holding,
            "lamps": self._lamps.snapshot(),
            "disturbances": self._disturbances.snapshot(),
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Become the world of a snapshot, bit by bit. Privileged.

        Raises:
            RobotError: It was taken of another kind of world.
        """
        self.reset(snapshot["seed"])
        physics.restore(self.model, self.data, snapshot["physics"])
        self._drive = Drive(np.array(snapshot["targets"]), holding=snapshot["holding"])
        self._lamps.restore(snapshot["lamps"])
        self._disturbances.restore(snapshot["disturbances"])

    def settle(self, steps: int = 0) -> None:
        """Let so many steps of physics pass with the arm as it is; then all is up to date."""
        for _ in range(steps):
            mujoco.mj_step(self.model, self.data)
        mujoco.mj_forward(self.model, self.data)

    def slide(self, name: str, opening: float) -> None:
        """Pull a drawer out so far, m, and what lies in it with it. Privileged."""
        joint = self.model.joint(name)
        way = opening - self.opening(name)
        inside = [n for n, o in self.truth().objects.items() if o.support == name]
        self.data.qpos[joint.qposadr[0]] = opening
        self.data.qvel[joint.dofadr[0]] = 0.0
        for thing in inside:
            self.put(thing, self.position(thing) + np.array([way, 0.0, 0.0]), self.yaw(thing))
        mujoco.mj_forward(self.model, self.data)

    def opening(self, name: str) -> float:
        """Return how far a drawer is out, m. Privileged."""
        return float(self.data.qpos[self.model.joint(name).qposadr[0]])

    def lamp(self, name: str) -> float:
        """Return whether a button's lamp is lit, 0 or 1. Privileged."""
        return float(self._lamps.lit(name))

    def pose_arm(self, pose: Vector, opening: float) -> None:
        """Put the arm at a (7,) tool pose at once, without moving there. Privileged."""
        joints = self._kinematics.solve(HOME_JOINTS, pose)
        self._drive = Drive(joints)
        travel = opening * FINGER_TRAVEL
        self.data.qpos[self._arm_qpos] = joints
        self.data.qpos[self._finger_qpos] = travel
        self.data.ctrl[:] = [*joints, travel, travel]

    def close_fingers(self) -> None:
        """Command the fingers shut, the arm staying where it is."""
        self.data.ctrl[7:9] = 0.0

    def put(self, name: str, position: Vector, yaw: float) -> None:
        """Set an object down at rest: (3,) m, base frame, and yaw in rad. Privileged."""
        put(self.model, self.data, name, position, yaw)

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
    def joint_vel(self) -> Vector:
        """(7,) measured speeds of the arm's joints, rad/s."""
        return np.asarray(self.data.qvel[self._arm_dofs]).copy()

    @property
    def ee_pose(self) -> Vector:
        """(7,) measured tool pose: m and wxyz, base frame."""
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, self.data.site_xmat[self._tool])
        return np.concatenate([self.data.site_xpos[self._tool], one_sided(quat)])

    @property
    def gripper(self) -> float:
        """Measured opening, 0 closed to 1 open."""
        return float(self.data.qpos[self._finger_qpos].mean() / FINGER_TRAVEL)

    def render(self, camera: str) -> Image:
        """Return (H, W, 3) uint8 RGB from one of `CAMERAS`."""
        return self._cameras(camera, self.data)

    def step(
        self, pose: Vector, opening: float, halted: Callable[[], bool] = lambda: False
    ) -> None:
        """Move towards a tool pose for one period.

        Args:
            pose: (7,) wanted tool pose, m and wxyz.
            opening: Wanted gripper opening, 0..1.
            halted: Asked before every physics step; once true the arm holds where it is.
        """
        self.turn(self._kinematics.solve(self._drive.targets, pose), opening, halted)

    def turn(
        self, joints: Vector, opening: float, halted: Callable[[], bool] = lambda: False
    ) -> None:
        """Turn towards (7,) joint positions in rad for one period; all else as in `step`."""
        self.aim(joints, PERIOD_SLICES)
        self.begin(opening)
        for _ in range(PERIOD_SLICES):
            self.advance(held=halted())
        self.finish()

    def aim(self, joints: Vector, slices: int) -> None:
        """Lead the arm to (7,) joint positions in rad within so many steps of physics."""
        self._drive.aim(joints, slices)

    def begin(self, opening: float) -> None:
        """Begin a period, the gripper at a wanted opening, 0..1, unless it is forced open."""
        opening = self._disturbances.gripper(opening, self._gripped() is not None)
        self.data.ctrl[7:9] = opening * FINGER_TRAVEL

    def grip(self, opening: float) -> None:
        """Change the wanted opening, 0..1, within a period."""
        if not self._disturbances.forcing:
            self.data.ctrl[7:9] = opening * FINGER_TRAVEL

    def advance(self, *, held: bool = False) -> None:
        """Let one step of physics pass; held, the arm stays where it is."""
        self._drive.hold(self.joint_pos) if held else self._drive.advance()
        self.data.ctrl[:7] = self._drive.targets
        mujoco.mj_step(self.model, self.data)
        self._lamps.update(self.data)

    def finish(self) -> None:
        """End a period: all is up to date, and what goes wrong between two of them does."""
        self._lamps.show()
        mujoco.mj_forward(self.model, self.data)
        self._disturbances.after_step(self)

    def close(self) -> None:
        """Release the renderers."""
        self._cameras.close()

    def carried(self) -> str | None:
        """Return the block or can between the fingers, both touching it, if any. Privileged."""
        return self._gripped()

    def _gripped(self) -> str | None:
        if self.gripper < _SHUT_ON_NOTHING:
            # Fingers that are shut may both touch what they push.
            return None
        return between(self.model, self.data, self._finger_bodies)

    def position(self, name: str) -> Vector:
        """Return where a thing is: (3,) m, base frame; a drawer's handle, a button's cap.

        Privileged.
        """
        position = np.asarray(self.data.body(name).xpos).copy()
        if name in DRAWERS:
            position[2] = HANDLE_Z
        elif name in BUTTONS:
            position[2] = CAP_Z
        return position

    def yaw(self, name: str) -> float:
        """Return an object's heading about the vertical in rad. Privileged."""
        rotation = self.data.body(name).xmat.reshape(3, 3)
        # A tumbled block stands on another face: take the axis that is most nearly level.
        column = int(np.argmin(np.abs(rotation[2])))
        return float(np.arctan2(rotation[1, column], rotation[0, column]))

    def truth(self) -> Scene:
        """Return what is really there, in the agent's own terms. Privileged."""
        places = {name: self.position(name) for name in self.layout.scene.objects}
        held = self.carried()
        objects = {}
        for name, position in places.items():
            support = HAND if name == held else support_of(name, places)
            part = self.opening(name) if name in DRAWERS else None
            part = self.lamp(name) if name in BUTTONS else part
            objects[name] = SceneObject(
                name, OBJECTS[name], position, support=support, articulation=part
            )
        return Scene(self.time_s, objects)
