"""Limits on actions that move the tool: the last thing between a policy and the robot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.action_space import ActionSpec
from agent.errors import ShieldBreach
from agent.types import Observation, Vector


@dataclass(frozen=True, slots=True, eq=False)
class Shield:
    """Keeps the tool in a box and under speed limits; refuses what is no number.

    Attributes:
        spec: The robot's action space: three numbers that move the tool, three that turn it where
            the robot can, and the gripper.
        low: (3,) m, base frame: the tool's target never goes below.
        high: (3,) m, base frame: the tool's target never goes above.
        max_speed_m_s: Largest speed of the tool.
        max_turn_rad_s: Largest turning rate of the tool.
    """

    spec: ActionSpec
    low: Vector
    high: Vector
    max_speed_m_s: float
    max_turn_rad_s: float

    def limit(self, observation: Observation, action: Vector) -> Vector:
        """Return the (7,) or (4,) action that may be sent.

        Raises:
            ShieldBreach: The action has the wrong shape, or it or the tool's measured position
                holds a number that is not finite.
        """
        if not self.spec.admits(action):
            raise ShieldBreach(
                f"The policy asked for an action of shape {action.shape} that is not "
                f"{self.spec.low.size} finite numbers; the robot is stopped."
            )
        safe = action.astype(np.float64)
        step, turn = self.max_speed_m_s / self.spec.rate_hz, self.max_turn_rad_s / self.spec.rate_hz
        safe[:3] *= min(1.0, step / max(float(np.linalg.norm(safe[:3])), 1e-9))
        safe[3:-1] *= min(1.0, turn / max(float(np.linalg.norm(safe[3:-1])), 1e-9))
        tool = observation.ee_pose[:3]
        if not np.all(np.isfinite(tool)):
            raise ShieldBreach("The robot does not know where its tool is; the robot is stopped.")
        # An arm that is already outside may come back, but not go further.
        safe[:3] = np.clip(
            safe[:3], np.minimum(self.low - tool, 0.0), np.maximum(self.high - tool, 0.0)
        )
        return np.asarray(np.clip(safe, self.spec.low, self.spec.high))
