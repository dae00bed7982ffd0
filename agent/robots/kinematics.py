"""Kinematics of an arm both ways, by mink on a model of the arm alone."""

from __future__ import annotations

from collections.abc import Sequence

import mink
import mujoco
import numpy as np

from agent.types import Vector

_ITERATIONS = 4
_POSTURE_COST = 0.03
_DAMPING = 1e-4


class ArmKinematics:
    """Finds joint positions that bring the tool to a pose, close to the joints it starts from."""

    def __init__(
        self,
        model: mujoco.MjModel,
        joints: Sequence[str],
        frame: str,
        rest: Vector,
        frame_kind: str = "site",
    ) -> None:
        """Pose the tasks once.

        Args:
            model: The arm, and what hangs on it; its world frame is the base frame.
            joints: The n joints that are commanded, by name; all others stay where they are.
            frame: What the tool is called in the model.
            rest: (n,) joint positions in rad that are preferred where there is a choice.
            frame_kind: Whether the tool is a `site` or a `body`.
        """
        self._at = [int(model.joint(name).qposadr[0]) for name in joints]
        self._ranges = np.array([model.joint(name).range for name in joints])
        self._moving = [int(model.joint(name).dofadr[0]) for name in joints]
        self._configuration = mink.Configuration(model)
        self._frame = (frame, frame_kind)
        self._start = self._configuration.q.copy()
        self._tool = mink.FrameTask(
            *self._frame, position_cost=1.0, orientation_cost=0.3, lm_damping=1e-4
        )
        # Joints 1 and 3 of a Panda turn about one axis where joint 2 is near zero, inside the
        # workspace. This pull towards the rest posture keeps them from trading places there.
        self._posture = mink.PostureTask(model, cost=_POSTURE_COST)
        self._limits = [mink.ConfigurationLimit(model)]
        self._posture.set_target(self._with(rest))

    def solve(self, joints: Vector, pose: Vector) -> Vector:
        """Return (n,) joint positions in rad for a tool pose.

        Args:
            joints: (n,) rad to start from.
            pose: (7,) tool position in m and orientation wxyz, base frame.
        """
        self._configuration.update(self._with(joints))
        self._tool.set_target(
            mink.SE3.from_rotation_and_translation(
                mink.SO3(np.asarray(pose[3:])), np.asarray(pose[:3])
            )
        )
        for _ in range(_ITERATIONS):
            velocity = mink.solve_ik(
                self._configuration,
                [self._tool, self._posture],
                1.0,
                "daqp",
                damping=_DAMPING,
                limits=self._limits,
            )
            self._configuration.integrate_inplace(velocity, 1.0)
            if float(np.abs(velocity[self._moving]).max()) < 1e-4:
                break
        return np.asarray(self._configuration.q[self._at])

    def pose(self, joints: Vector) -> Vector:
        """Return the (7,) tool pose, m and wxyz, of (n,) joint positions in rad."""
        self._configuration.update(self._with(joints))
        placed = self._configuration.get_transform_frame_to_world(*self._frame)
        return np.concatenate([placed.translation(), one_sided(placed.rotation().wxyz)])

    def jacobian(self, joints: Vector) -> Vector:
        """Return (6, n): how the tool moves, m and rad, base frame, for each rad of a joint."""
        self._configuration.update(self._with(joints))
        # Mink's is in the tool's own frame.
        own = self._configuration.get_frame_jacobian(*self._frame)[:, self._moving]
        turn = self._configuration.get_transform_frame_to_world(*self._frame).rotation().as_matrix()
        return np.concatenate([turn @ own[:3], turn @ own[3:]])

    @property
    def ranges(self) -> tuple[Vector, Vector]:
        """(n,) rad: how far each joint may turn one way, and the other."""
        low, high = self._ranges.T
        return low.copy(), high.copy()

    def _with(self, joints: Vector) -> Vector:
        whole = self._start.copy()
        whole[self._at] = joints
        return whole


def one_sided(quat: Vector) -> Vector:
    """Return a (4,) quaternion, wxyz, with q_x >= 0.

    A quaternion and its negative are one rotation; this choice keeps the neighbourhood in which
    the fingers point down continuous.
    """
    return -quat if quat[1] < 0 else quat


def compose(pose: Vector, delta: Vector) -> Vector:
    """Return a (7,) pose moved by a delta in the base frame.

    Args:
        pose: m and wxyz.
        delta: (6,) m and rotation vector in rad, or (3,) m of a move that turns nothing.
    """
    turn, quat = np.zeros(4), np.zeros(4)
    angle = float(np.linalg.norm(delta[3:6]))
    axis = delta[3:6] / angle if angle > 1e-9 else np.array([0.0, 0.0, 1.0])
    mujoco.mju_axisAngle2Quat(turn, axis, angle)
    mujoco.mju_mulQuat(quat, turn, pose[3:])
    mujoco.mju_normalize4(quat)
    return np.concatenate([pose[:3] + delta[:3], quat])


def rotation_between(start: Vector, goal: Vector) -> Vector:
    """Return the (3,) rotation vector in rad, base frame, from one wxyz quaternion to another."""
    inverse, turn, vector = np.zeros(4), np.zeros(4), np.zeros(3)
    mujoco.mju_negQuat(inverse, start)
    mujoco.mju_mulQuat(turn, goal, inverse)
    if turn[0] < 0:
        turn = -turn
    mujoco.mju_quat2Vel(vector, turn, 1.0)
    return vector
