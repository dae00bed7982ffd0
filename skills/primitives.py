"""Skills that need no learning: go home, look, let go, wait."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from agent.types import ActionChunk, Observation, Vector

_GAIN = 0.55
_STEP_M = 0.045
_TURN_RAD = 0.2
_RISE_Z = 0.18
_THERE_M = 0.012
_CLOSED_BELOW = 0.7
_DT_S = 0.1


class HomePrimitive:
    """Rises, then moves the tool to its home pose; keeps hold of what it holds."""

    def __init__(self, home: Vector, settle_ticks: int = 0) -> None:
        """Set where home is.

        Args:
            home: (7,) tool pose, m and wxyz, base frame.
            settle_ticks: Ticks to stay there before it counts as done.
        """
        self._home = home
        self._settle_ticks = settle_ticks
        self._there = 0

    def reset(self, phrase: str) -> None:
        """Begin."""
        self._there = 0

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next step home."""
        pose = observation.ee_pose
        goal = self._home[:3].copy()
        if pose[2] < _RISE_Z:
            goal[:2] = pose[:2]
        step = _GAIN * (goal - pose[:3])
        step *= min(1.0, _STEP_M / max(float(np.linalg.norm(step)), 1e-9))
        turn = _GAIN * (_rotation(self._home) * _rotation(pose).inv()).as_rotvec()
        turn *= min(1.0, _TURN_RAD / max(float(np.linalg.norm(turn)), 1e-9))
        grip = 0.0 if observation.gripper < _CLOSED_BELOW else 1.0
        near = bool(np.linalg.norm(self._home[:3] - pose[:3]) < _THERE_M)
        self._there = self._there + 1 if near else 0
        return _chunk([*step, *turn, grip], done=self._there > self._settle_ticks)


class ReleasePrimitive:
    """Opens the gripper where the arm is."""

    def reset(self, phrase: str) -> None:
        """Begin."""

    def infer(self, observation: Observation) -> ActionChunk:
        """Return a step that opens."""
        return _chunk([0, 0, 0, 0, 0, 0, 1], done=observation.gripper > 0.9)


class WaitPrimitive:
    """Holds still for a while."""

    def __init__(self, ticks: int = 10) -> None:
        """Wait for so many ticks."""
        self._ticks = ticks
        self._left = ticks

    def reset(self, phrase: str) -> None:
        """Begin."""
        self._left = self._ticks

    def infer(self, observation: Observation) -> ActionChunk:
        """Return a step that moves nothing."""
        self._left -= 1
        grip = 0.0 if observation.gripper < _CLOSED_BELOW else 1.0
        return _chunk([0, 0, 0, 0, 0, 0, grip], done=self._left < 0)


def _rotation(pose: Vector) -> Rotation:
    return Rotation.from_quat(pose[[4, 5, 6, 3]])


def _chunk(action: list[float], *, done: bool) -> ActionChunk:
    return ActionChunk(np.array([action], dtype=np.float32), _DT_S, success=float(done))
