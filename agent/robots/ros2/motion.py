"""From an action, in whichever space, to where the joints shall be."""

from __future__ import annotations

import numpy as np

from agent.action_space import ActionSpace
from agent.robots.commanded import CommandedPose
from agent.robots.kinematics import ArmKinematics
from agent.types import Vector


class Motion:
    """Leads the joints' targets from action to action, never faster than they may turn."""

    def __init__(self, space: ActionSpace, turns: Vector, kinematics: ArmKinematics | None) -> None:
        """Keep how the arm moves.

        Args:
            space: What the numbers of an action mean.
            turns: (n,) rad, how far each joint may turn in one period.
            kinematics: How the arm bends, which deltas of the tool need.
        """
        self._space, self._turns, self._kinematics = space, turns, kinematics

    def begin(self, joints: Vector, pose: Vector) -> None:
        """Begin from where the arm is: (n,) rad and the (7,) tool pose, m and wxyz."""
        self._targets, self._commanded = joints, CommandedPose(pose)

    def next(self, motion: Vector, joints: Vector, pose: Vector) -> Vector:
        """Return (n,) rad: where the joints shall be one period after a moment.

        Args:
            motion: (dim - 1,) the action without the gripper.
            joints: (n,) rad, measured at that moment.
            pose: (7,) tool pose measured at that moment, m and wxyz, base frame.
        """
        goal = self._goal(motion, joints, pose)
        self._targets = self._targets + np.clip(goal - self._targets, -self._turns, self._turns)
        return self._targets

    def _goal(self, motion: Vector, joints: Vector, pose: Vector) -> Vector:
        match self._space:
            case ActionSpace.JOINT_POSITION:
                return motion
            case ActionSpace.DELTA_JOINT:
                return joints + motion
            case ActionSpace.DELTA_EE | ActionSpace.DELTA_EE_POSITION:
                assert self._kinematics is not None
                commanded = self._commanded.move(motion, pose)
                return self._kinematics.solve(self._targets, commanded)
