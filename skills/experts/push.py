"""How to push a block or the can over the table with closed fingers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.types import TABLE, Vector
from agent.workspace import BLOCK, CAN, DIRECTIONS, OBJECTS
from skills.experts.base import World, funnel, towards

PUSHED = 0.078
"""How far the thing is pushed, m; a little more than counts, for cameras to be sure of it."""
CLEARANCE = 0.026
"""How far from where they touch the fingers come down, not to land on the thing, m."""
_ENOUGH = 0.066
_RISEN_Z = 0.12
_HIGH = 0.125
_BACK_OFF = 0.022
_SHUT = 0.25


@dataclass(frozen=True, slots=True)
class _Manner:
    """How to push one kind of thing.

    Attributes:
        low_z: Height of the tool while pushing, m; a tall thing would tip if pushed high up.
        reach: Distance of the tool from the thing's middle when they touch, m.
        top_z: Height of the thing, m.
    """

    low_z: float
    reach: float
    top_z: float


_MANNERS = {BLOCK: _Manner(0.032, 0.041, 0.040), CAN: _Manner(0.034, 0.044, 0.065)}


def standoff(kind: str) -> float:
    """Return how far behind a thing's middle the tool comes down, m."""
    return _MANNERS[kind].reach + CLEARANCE


class PushExpert:
    """Comes down behind the thing, fingers shut, pushes it ahead, backs off and rises.

    Where the hand is and how far the thing has gone decide what it does: it comes again when the
    thing has slid off sideways.
    """

    def __init__(self, name: str, direction: str) -> None:
        """Teach pushing one thing in a direction."""
        self.name = name
        self._way = np.array(DIRECTIONS[direction])
        self._side = np.array([-self._way[1], self._way[0]])
        self._manner = _MANNERS[OBJECTS[name]]
        self._start = np.zeros(2)

    def reset(self, world: World) -> None:
        """Remember where the thing is, to tell how far it has gone."""
        self._start = world.position(self.name)[:2].copy()

    def act(self, world: World) -> Vector:
        """Return the (7,) action for now."""
        pose, thing = world.ee_pose[:3], world.position(self.name)
        along, aside = (pose[:2] - thing[:2]) @ self._way, (pose[:2] - thing[:2]) @ self._side
        if self._gone(world) >= PUSHED:
            goal = self._leave(pose, along)
        else:
            goal = self._approach(world, pose, along, aside)
        return towards(world, goal, 0.0, 0.0)

    def done(self, world: World) -> bool:
        """Return whether the thing has gone far enough and the hand is out of its way."""
        standing = world.truth().objects[self.name].support == TABLE
        return standing and self._gone(world) >= _ENOUGH and world.ee_pose[2] > _RISEN_Z

    def _gone(self, world: World) -> float:
        """Return how far the thing has gone, m."""
        return float((world.position(self.name)[:2] - self._start) @ self._way)

    def _leave(self, pose: Vector, along: float) -> Vector:
        """Return the tool's goal once the thing is there: back a little, then up."""
        low, reach = self._manner.low_z, self._manner.reach
        away = np.clip((-along - reach) / _BACK_OFF, 0.0, 1.0)
        back = np.clip(_BACK_OFF * 1.5 + reach + along, 0.0, 0.03) if pose[2] < low + 0.05 else 0.0
        return np.array([*(pose[:2] - back * self._way), low + 0.02 + _HIGH * away])

    def _approach(self, world: World, pose: Vector, along: float, aside: float) -> Vector:
        """Return the tool's goal on the way behind the thing, and then ahead."""
        low, reach = self._manner.low_z, self._manner.reach
        behind = reach + CLEARANCE
        # How far ahead the tool may be: high up not above the thing, low down up to its side.
        share = float(np.clip((pose[2] - low - 0.005) / 0.045, 0.0, 1.0))
        ahead = along - (-reach + 0.016 - share * (CLEARANCE + 0.010))
        astern = -behind - 0.035 - along
        # Aside it may be off by as much as still pushes the thing, most of all once it is down.
        astray = max(abs(aside) - 0.016 + 0.008 * share, 0.0)
        off = float(np.hypot(max(ahead, astern, 0.0), astray))
        height = funnel(off, 0.010, 0.038, low, low + _HIGH)
        if world.gripper > _SHUT:
            height = max(height, self._manner.top_z + 0.045)
        goal = world.position(self.name)[:2] - behind * self._way
        if ahead > 0 or astern > 0 or abs(aside) > 0.04:
            # Low and not behind it: rise first, not to sweep things off their places.
            clear = np.clip((pose[2] - self._manner.top_z - 0.005) / 0.04, 0.1, 1.0)
            return np.array([*(pose[:2] + clear * (goal - pose[:2])), height])
        lowered = np.clip(1.6 - (pose[2] - low) / 0.015, 0.0, 1.0)
        centred = np.clip(2.2 - abs(aside) / 0.012, 0.0, 1.0)
        to_go = np.clip(PUSHED - self._gone(world) + 0.012, 0.012, 0.040)
        # Fingers that touch the table jam between it and the arm: then back, not on.
        sunk = np.clip((low - 0.008 - pose[2]) / 0.004, 0.0, 1.0)
        onward = to_go * min(lowered, centred) * (1 - 2 * sunk) * self._way
        return np.array([*(pose[:2] - aside * self._side + onward), height])
