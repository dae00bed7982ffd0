"""Inverse kinematics of the arm, by mink on a model of the arm alone."""

from __future__ import annotations

import mink
import mujoco
import numpy as np

from agent.robots.tabletop.panda import HOME_JOINTS, TOOL_SITE, panda_spec
from agent.types import Vector

_ITERATIONS = 4
_POSTURE_COST = 0.03
_DAMPING = 1e-4


class ArmKinematics:
    """Finds joint positions that bring the tool to a pose, close to the joints it starts from."""

    def __init__(self) -> None:
        """Compile the arm and pose the tasks once."""
        self._model = panda_spec().compile()
        self._configuration = mink.Configuration(self._model)
        self._tool = mink.FrameTask(
            TOOL_SITE, "site", position_cost=1.0, orientation_cost=0.3, lm_damping=1e-4
        )
        # Joints 1 and 3 turn about one axis where joint 2 is near zero, inside the workspace. This
        # pull towards the rest posture keeps them from trading places there.
        self._posture = mink.PostureTask(self._model, cost=_POSTURE_COST)
        self._limits = [mink.ConfigurationLimit(self._model)]
        rest = np.zeros(self._model.nq)
        rest[:7] = HOME_JOINTS
        self._posture.set_target(rest)

    def solve(self, joints: Vector, pose: Vector) -> Vector:
        """Return (7,) joint positions in rad for a tool pose.

        Args:
            joints: (7,) rad to start from.
            pose: (7,) tool position in m and orientation wxyz, base frame.
        """
        start = np.zeros(self._model.nq)
        start[:7] = joints
        self._configuration.update(start)
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
            if float(np.abs(velocity[:7]).max()) < 1e-4:
                break
        return self._configuration.q[:7].copy()


def compose(pose: Vector, delta: Vector) -> Vector:
    """Return a (7,) pose moved by a (6,) delta: m and rotation vector in rad, both base frame."""
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
