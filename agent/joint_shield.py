"""Limits on actions that are about joints: the last thing between a policy and the robot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agent.action_space import ActionSpace, ActionSpec
from agent.body import Joints, Kinematics
from agent.errors import ShieldBreach
from agent.types import Observation, Vector

_CLOSE_M = 1e-6
"""How far beyond its box a tool may be sent for want of better numbers, m."""
_CLOSE_RAD = 1e-9
_HALVINGS = 12
_CORRECTIONS = 4
_DAMPING = 0.01
"""m and rad for each rad of a joint: ways in which the arm moves the tool less are left alone."""


@dataclass(frozen=True, slots=True, eq=False)
class ToolLimits:
    """Where the tool of an arm may go, and how fast, where its joints tell where it is.

    Attributes:
        kinematics: Tell it.
        low: (3,) m, base frame: the tool's target never goes below.
        high: (3,) m, base frame: the tool's target never goes above.
        max_speed_m_s: Largest speed of the tool.
        max_turn_rad_s: Largest turning rate of the tool.
    """

    kinematics: Kinematics
    low: Vector
    high: Vector
    max_speed_m_s: float
    max_turn_rad_s: float


@dataclass(frozen=True, slots=True, eq=False)
class JointShield:
    """Keeps joints in their ranges and under a speed limit, and the tool under its own limits.

    Every limit is on the way from the measured joints to their targets, so that a target cannot run
    ahead of an arm that is blocked. What is outside a range or the box may come back, but not go
    further. Where the tool would leave its box, it goes along the wall.

    Attributes:
        spec: The robot's action space: joint positions, or by how much each joint turns.
        joints: Their ranges.
        max_joint_speed_rad_s: Largest speed of every joint.
        tool: Limits of the tool; None where its place cannot be told from the joints, so that
            nothing keeps it in a box.
    """

    spec: ActionSpec
    joints: Joints
    max_joint_speed_rad_s: float
    tool: ToolLimits | None

    def limit(self, observation: Observation, action: Vector) -> Vector:
        """Return the (n + 1,) action that may be sent.

        Raises:
            ShieldBreach: The action has the wrong shape, or it or a measured joint is a number that
                is not finite.
        """
        if not self.spec.admits(action):
            raise ShieldBreach(
                f"The policy asked for an action of shape {action.shape} that is not "
                f"{self.spec.low.size} finite numbers; the robot is stopped."
            )
        now = observation.joint_pos
        if now.shape != self.joints.low.shape or not np.all(np.isfinite(now)):
            raise ShieldBreach("The robot does not know where its joints are; it is stopped.")
        positions = self.spec.space is ActionSpace.JOINT_POSITION
        safe = action.astype(np.float64)
        asked = safe[:-1] - now if positions else safe[:-1].copy()
        way = self._way(now, asked)
        if not np.array_equal(way, asked):
            safe[:-1] = now + way if positions else way
        safe[-1] = np.clip(safe[-1], self.spec.low[-1], self.spec.high[-1])
        return safe

    def _way(self, now: Vector, asked: Vector) -> Vector:
        """Return the (n,) rad that the joints may turn of those that are asked."""
        low, high = np.minimum(self.joints.low - now, 0.0), np.maximum(self.joints.high - now, 0.0)
        if self.spec.space is ActionSpace.DELTA_JOINT:
            low, high = np.maximum(low, self.spec.low[:-1]), np.minimum(high, self.spec.high[:-1])
        most = self.max_joint_speed_rad_s / self.spec.rate_hz
        way = np.clip(asked, low, high)
        way *= min(1.0, most / max(float(np.abs(way).max()), 1e-9))
        if self.tool is None:
            return np.asarray(way)

        reach = _Reach(self.tool, now, self.spec.rate_hz)
        way = _share(way, reach.slow)
        bent = reach.along_walls(way)
        in_range = bool(np.all((bent >= low - _CLOSE_RAD) & (bent <= high + _CLOSE_RAD)))
        if in_range and np.abs(bent).max() <= most + _CLOSE_RAD and reach.allowed(bent):
            return bent
        # Near where the arm is stretched it would have to bend far; then it goes as far as it may.
        return _share(way, reach.allowed)


class _Reach:
    """Where the tool may be carried from where the joints are now, within one period."""

    def __init__(self, limits: ToolLimits, now: Vector, rate_hz: float) -> None:
        """Begin at (n,) rad."""
        self._kinematics, self._now = limits.kinematics, now
        self._start = limits.kinematics.pose(now)
        self._low = np.minimum(limits.low, self._start[:3])
        self._high = np.maximum(limits.high, self._start[:3])
        self._most_m = limits.max_speed_m_s / rate_hz
        self._most_rad = limits.max_turn_rad_s / rate_hz

    def slow(self, way: Vector) -> bool:
        """Return whether the tool moves and turns slowly enough."""
        pose = self._kinematics.pose(self._now + way)
        moved = float(np.linalg.norm(pose[:3] - self._start[:3]))
        turned = 2.0 * float(np.arccos(min(1.0, abs(float(pose[3:] @ self._start[3:])))))
        return moved <= self._most_m + _CLOSE_M and turned <= self._most_rad + _CLOSE_M

    def allowed(self, way: Vector) -> bool:
        """Return whether it is slow enough, and does not leave the box."""
        place = self._kinematics.pose(self._now + way)[:3]
        inside = (place >= self._low - _CLOSE_M) & (place <= self._high + _CLOSE_M)
        return bool(np.all(inside)) and self.slow(way)

    def along_walls(self, way: Vector) -> Vector:
        """Return the way, bent so that the tool stays in the box, turned as it was if it can."""
        for _ in range(_CORRECTIONS):
            place = self._kinematics.pose(self._now + way)[:3]
            off = np.clip(place, self._low, self._high) - place
            if float(np.abs(off).max()) <= _CLOSE_M / 10:
                break
            moves, turns = np.split(self._kinematics.jacobian(self._now + way), 2)
            back = _inverse(moves)
            bend = back @ off
            # What the joints can do without moving the tool undoes its turn.
            free = np.eye(way.size) - back @ moves
            way = way + bend - free @ _inverse(turns @ free) @ turns @ bend
        return way


def _inverse(jacobian: Vector) -> Vector:
    """Return the damped inverse (Nakamura and Hanafusa 1986), tame where an arm is stretched."""
    square = jacobian @ jacobian.T + _DAMPING**2 * np.eye(len(jacobian))
    return np.asarray(jacobian.T @ np.linalg.inv(square))


def _share(way: Vector, allowed: Callable[[Vector], bool]) -> Vector:
    """Return the largest share of a way that is allowed; none of it always is."""
    if allowed(way):
        return way
    best, least, most = np.zeros_like(way), 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        if allowed(middle * way):
            best, least = middle * way, middle
        else:
            most = middle
    return best
