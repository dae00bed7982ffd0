"""Where a tool is told to be, when it is told by how much to move."""

from __future__ import annotations

import numpy as np

from agent.robots.kinematics import compose, rotation_between
from agent.types import Vector

MAX_STEP_M = 0.05
MAX_TURN_RAD = 0.25
"""The largest deltas of one period, in m along an axis and in rad about one."""
_LEAD_M = 0.04
_LEAD_RAD = 0.3


class CommandedPose:
    """Adds up deltas of the tool pose on a leash.

    The sum never runs further ahead of the measured pose than a few centimetres, so an arm that is
    blocked does not jump when it comes free.
    """

    def __init__(self, actual: Vector) -> None:
        """Begin at the (7,) measured pose: m and wxyz, base frame."""
        self._pose = actual

    def begin(self, actual: Vector) -> None:
        """Forget what was added up; the arm shall be where it is, (7,) m and wxyz."""
        self._pose = actual

    def move(self, delta: Vector, actual: Vector) -> Vector:
        """Add a delta of the tool's pose and return the (7,) pose to go to, m and wxyz.

        Args:
            delta: (6,) m and rotation vector in rad, or (3,) m where nothing turns; base frame.
            actual: (7,) the measured pose: m and wxyz, base frame.
        """
        pose = compose(self._pose, delta)
        lead, turn = pose[:3] - actual[:3], rotation_between(actual[3:], pose[3:])
        limits = ((lead, _LEAD_M + MAX_STEP_M), (turn, _LEAD_RAD + MAX_TURN_RAD))
        lead, turn = (
            v * min(1.0, limit / max(float(np.linalg.norm(v)), 1e-9)) for v, limit in limits
        )
        self._pose = compose(actual, np.concatenate([lead, turn]))
        return self._pose
