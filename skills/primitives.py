"""Skills that need no learning: go home, look, let go, wait."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from agent.action_space import ActionSpace, ActionSpec, still
from agent.body import Body, Joints
from agent.types import ActionChunk, Observation, Vector

_GAIN = 0.55
_SPEED_M_S = 0.45
_TURN_RAD_S = 2.0
_JOINT_RAD_S = 1.0
_THERE_M = 0.012
_THERE_RAD = 0.02
_CLOSED_BELOW = 0.7


class HomePrimitive:
    """Rises, then moves the tool to its home pose; keeps hold of what it holds."""

    def __init__(self, body: Body, settle_ticks: int = 0) -> None:
        """Set where home is.

        Args:
            body: Of a robot whose actions move the tool; where they cannot turn it, it stays as it
                is turned.
            settle_ticks: Ticks to stay there before it counts as done.
        """
        self._body = body
        self._settle_ticks = settle_ticks
        self._there = 0

    def reset(self, phrase: str) -> None:
        """Begin."""
        self._there = 0

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next step home."""
        pose, home, spec = observation.ee_pose, self._body.home, self._body.spec
        goal = home[:3].copy()
        if pose[2] < self._body.clear_z:
            goal[:2] = pose[:2]
        motion = _capped(_GAIN * (goal - pose[:3]), _SPEED_M_S / spec.rate_hz)
        if spec.space is ActionSpace.DELTA_EE:
            turn = _GAIN * (_rotation(home) * _rotation(pose).inv()).as_rotvec()
            motion = np.concatenate([motion, _capped(turn, _TURN_RAD_S / spec.rate_hz)])
        near = bool(np.linalg.norm(home[:3] - pose[:3]) < _THERE_M)
        self._there = self._there + 1 if near else 0
        done = self._there > self._settle_ticks
        return _chunk(np.append(motion, _kept(observation)), spec, done=done)


class JointHomePrimitive:
    """Turns the joints to where they rest, for an arm whose joints do not tell where its tool is.

    It cannot know what the tool passes on its way, so it does not rise first.
    """

    def __init__(self, spec: ActionSpec, joints: Joints, settle_ticks: int = 0) -> None:
        """Set where home is.

        Args:
            spec: The robot's action space, about joints.
            joints: Where they rest.
            settle_ticks: Ticks to stay there before it counts as done.
        """
        self._spec, self._home = spec, joints.home
        self._settle_ticks = settle_ticks
        self._there = 0

    def reset(self, phrase: str) -> None:
        """Begin."""
        self._there = 0

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next step home."""
        far = self._home - observation.joint_pos
        most = float(np.abs(far).max())
        turn = far * min(_GAIN, _JOINT_RAD_S / self._spec.rate_hz / max(most, 1e-9))
        action = still(self._spec, observation, _kept(observation))
        action[:-1] += turn
        self._there = self._there + 1 if most < _THERE_RAD else 0
        return _chunk(action, self._spec, done=self._there > self._settle_ticks)


class ReleasePrimitive:
    """Opens the gripper where the arm is."""

    def __init__(self, spec: ActionSpec) -> None:
        """Open the gripper of a robot with this action space."""
        self._spec = spec
        self._began: Observation | None = None

    def reset(self, phrase: str) -> None:
        """Begin."""
        self._began = None

    def infer(self, observation: Observation) -> ActionChunk:
        """Return a step that opens."""
        self._began = self._began or observation
        action = still(self._spec, self._began, 1.0)
        return _chunk(action, self._spec, done=observation.gripper > 0.9)


class WaitPrimitive:
    """Holds still for a while."""

    def __init__(self, spec: ActionSpec, seconds: float = 1.0) -> None:
        """Let a robot with this action space wait."""
        self._spec, self._ticks = spec, round(seconds * spec.rate_hz)
        self.reset("")

    def reset(self, phrase: str) -> None:
        """Begin."""
        self._left = self._ticks
        self._began: Observation | None = None

    def infer(self, observation: Observation) -> ActionChunk:
        """Return a step that moves nothing."""
        self._left -= 1
        # An arm that sags would sink, were it told again and again to be where it is.
        self._began = self._began or observation
        action = still(self._spec, self._began, _kept(observation))
        return _chunk(action, self._spec, done=self._left < 0)


def _kept(observation: Observation) -> float:
    """Return the opening that keeps hold of what is held."""
    return 0.0 if observation.gripper < _CLOSED_BELOW else 1.0


def _capped(motion: Vector, most: float) -> Vector:
    return motion * min(1.0, most / max(float(np.linalg.norm(motion)), 1e-9))


def _rotation(pose: Vector) -> Rotation:
    return Rotation.from_quat(pose[[4, 5, 6, 3]])


def _chunk(action: Vector, spec: ActionSpec, *, done: bool) -> ActionChunk:
    return ActionChunk(action[None].astype(np.float32), 1 / spec.rate_hz, success=float(done))
