"""What every teacher shares: smooth motion towards a tool pose."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from agent.robots.kinematics import rotation_between
from agent.types import Scene, Vector

_GAIN = 0.55
_MAX_STEP_M = 0.035
_MAX_TURN_RAD = 0.18
TRAVEL_Z = 0.19
"""Height of the finger tips when moving sideways, clear of everything on the table, m."""


class World(Protocol):
    """What teachers ask of the world, whether it runs or was recorded. Privileged."""

    @property
    def ee_pose(self) -> Vector:
        """(7,) tool pose, m and wxyz."""
        ...

    @property
    def gripper(self) -> float:
        """Opening, 0..1."""
        ...

    def position(self, name: str) -> Vector:
        """Return where an object is: (3,) m, base frame."""
        ...

    def carried(self) -> str | None:
        """Return the block or can in the hand."""
        ...

    def opening(self, name: str) -> float:
        """Return how far a drawer is out, m."""
        ...

    def lamp(self, name: str) -> float:
        """Return whether a button's lamp is lit, 0 or 1."""
        ...

    def truth(self) -> Scene:
        """Return what is really there."""
        ...


class Expert(Protocol):
    """Answers every state, also bad ones, with an action; a pure function but for its choices."""

    def reset(self, world: World) -> None:
        """Begin a subgoal."""
        ...

    def act(self, world: World) -> Vector:
        """Return the (7,) action for now."""
        ...

    def done(self, world: World) -> bool:
        """Return whether the subgoal is achieved and the arm has cleared the spot."""
        ...


def towards(world: World, position: Vector, yaw: float, opening: float) -> Vector:
    """Return the (7,) action that moves smoothly towards a fingers-down pose.

    Args:
        world: Where the arm is now.
        position: (3,) wanted tool position, m.
        yaw: Wanted heading of the hand, rad.
        opening: 0 closed, 1 open.
    """
    pose = world.ee_pose
    step = _GAIN * (position - pose[:3])
    step *= min(1.0, _MAX_STEP_M / max(float(np.linalg.norm(step)), 1e-9))
    goal = np.array([0.0, np.cos(yaw / 2), np.sin(yaw / 2), 0.0])
    turn = _GAIN * rotation_between(pose[3:], goal)
    turn *= min(1.0, _MAX_TURN_RAD / max(float(np.linalg.norm(turn)), 1e-9))
    return np.concatenate([step, turn, [opening]])


def funnel(lateral: float, tight: float, wide: float, low: float, high: float) -> float:
    """Return a height that sinks from `high` to `low` as a lateral error shrinks, m.

    The height is a continuous function of the error: with sharp phases a learned policy hovers
    for ever at the boundary between two of them.
    """
    share = np.clip((lateral - tight) / (wide - tight), 0.0, 1.0)
    return float(low + (high - low) * share)
