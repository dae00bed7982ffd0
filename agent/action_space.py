"""What a robot may be sent: which numbers, what they mean and between which limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from agent.types import Observation, Vector


class ActionSpace(StrEnum):
    """What the numbers of an action mean; the gripper's opening, 0..1, always comes last.

    DELTA_EE moves the tool by a translation in m and a rotation vector in rad, DELTA_EE_POSITION by
    the translation alone; both in the base frame. JOINT_POSITION names where each joint shall be,
    DELTA_JOINT by how much it shall turn from where it is measured to be, in rad.
    """

    DELTA_EE = "delta_ee"
    DELTA_EE_POSITION = "delta_ee_position"
    JOINT_POSITION = "joint_position"
    DELTA_JOINT = "delta_joint"

    @property
    def of_joints(self) -> bool:
        """Whether actions are about joints, and not about the tool."""
        return self in (ActionSpace.JOINT_POSITION, ActionSpace.DELTA_JOINT)


@dataclass(frozen=True, slots=True, eq=False)
class ActionSpec:
    """The action space of a robot.

    Attributes:
        space: What the numbers mean.
        names: One name per dimension, with unit.
        low: (dim,) smallest value of each dimension.
        high: (dim,) largest value of each dimension.
        rate_hz: Actions per second.
    """

    space: ActionSpace
    names: tuple[str, ...]
    low: Vector
    high: Vector
    rate_hz: float

    def admits(self, action: Vector) -> bool:
        """Return whether an action is (dim,) finite numbers, in their limits or not."""
        return action.shape == self.low.shape and bool(np.all(np.isfinite(action)))

    def clipped(self, action: Vector) -> Vector:
        """Return the (dim,) action that is nearest among those that may be sent.

        Raises:
            ValueError: It has another shape, or holds a number that is not finite.
        """
        sent = np.asarray(action, dtype=np.float64)
        if not self.admits(sent):
            raise ValueError(f"An action must be {self.low.size} finite numbers, and is {sent}.")
        return np.clip(sent, self.low, self.high)


def still(spec: ActionSpec, observation: Observation, opening: float) -> Vector:
    """Return the (dim,) action that keeps an arm where it is seen and sets the gripper.

    Args:
        spec: The robot's action space.
        observation: Where the arm is.
        opening: Of the gripper, 0 closed to 1 open.
    """
    there = spec.space is ActionSpace.JOINT_POSITION
    motion = observation.joint_pos if there else np.zeros(spec.low.size - 1)
    return np.append(motion, opening)
