"""A tool pose that is commanded by deltas, kept near the measured one."""

from __future__ import annotations

import numpy as np

from agent.robots.kinematics import compose, rotation_between
from agent.types import Vector

MAX_STEP_M = 0.05
MAX_TURN_RAD = 0.25
"""The largest deltas of one period, in m along an axis and in rad about one."""
_LEAD_M = 0.04
_LEAD_RAD = 0.3


class LeashedPose:
    """Adds deltas up on a commanded pose.

    It never runs further ahead of the measured pose than a few centimetres, so an arm that is
    blocked does not jump when it comes free.
    """

    def __init__(self, pose: Vector) -> None:
        """Begin at a (7,) pose: m and wxyz, base frame."""
        self.pose = pose

    def move(self, delta: Vector, actual: Vector) -> Vector:
        """Return the (7,) pose moved by a (6,) delta, given the (7,) measured one.

        Args:
            delta: m and rotation vector in rad, base frame.
            actual: m and wxyz, base frame.
        """
        pose = compose(self.pose, delta)
        lead, turn = pose[:3] - actual[:3], rotation_between(actual[3:], pose[3:])
        limits = ((lead, _LEAD_M + MAX_STEP_M), (turn, _LEAD_RAD + MAX_TURN_RAD))
        lead, turn = (
            v * min(1.0, limit / max(float(np.linalg.norm(v)), 1e-9)) for v, limit in limits
        )
        self.pose = compose(actual, np.concatenate([lead, turn]))
        return self.pose
