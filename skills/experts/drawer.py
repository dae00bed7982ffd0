"""How to pull a drawer out and push it shut."""

from __future__ import annotations

import numpy as np

from agent.robots.tabletop.fixtures import HANDLE_Z
from agent.types import Vector
from skills.experts.base import TRAVEL_Z, World, funnel, towards

_PULL_M = 0.06
_OUT_M, _SHUT_M = 0.091, 0.005
"""Opening from which the handle is let go, and up to which pushing goes on, m."""
_GRIPPED = 0.4
_SUNK_Z, _LEVEL_Z = HANDLE_Z - 0.016, HANDLE_Z - 0.010
"""Height of the tool up to which its fingers touch the table, and from which they are clear, m."""
_RISEN_Z = 0.13
_AHEAD = 0.06
"""How far in front of the handle the hand comes down to push, m."""
_TOUCH = 0.022
"""How far in front of the handle the fingers are at least when they push, m."""


class OpenExpert:
    """Comes down over the handle, closes, pulls, lets go and rises."""

    def __init__(self, name: str) -> None:
        """Teach opening one drawer."""
        self.name = name

    def reset(self, world: World) -> None:
        """Nothing to choose: all is in the state of the world."""

    def act(self, world: World) -> Vector:
        """Return the (7,) action for now."""
        tool, handle = world.ee_pose[:3], world.position(self.name)
        if world.opening(self.name) > _OUT_M:
            return towards(world, np.array([*tool[:2], TRAVEL_Z]), 0.0, 1.0)
        goal = handle.copy()
        error = float(np.linalg.norm(tool[:2] - goal[:2]))
        above = float(tool[2] - HANDLE_Z)
        gripped = world.gripper < _GRIPPED and error < 0.03 and above < 0.03
        if gripped and world.gripper > 0.05:
            # Fingers that rub on the table hold the drawer fast: up first, then along.
            clear = float(np.clip((tool[2] - _SUNK_Z) / (_LEVEL_Z - _SUNK_Z), 0.0, 1.0))
            return towards(
                world, np.array([tool[0] + clear * _PULL_M, goal[1], HANDLE_Z]), 0.0, 0.0
            )
        in_place = error < 0.012 and above < 0.012
        closing = world.gripper < 0.93 and error < 0.022 and above < 0.022
        goal[2] = funnel(error, 0.010, 0.055, HANDLE_Z, HANDLE_Z + 0.13)
        if above < 0.06 and error > 0.07:
            # Low and far: rise first, not to sweep other things off the table.
            goal[:2] = tool[:2] + 0.3 * (goal[:2] - tool[:2])
        closes = (in_place or closing) and world.gripper > 0.05
        return towards(world, goal, 0.0, 0.0 if closes else 1.0)

    def done(self, world: World) -> bool:
        """Return whether the drawer is out and the hand is out of the way."""
        free = world.gripper > 0.7 and world.ee_pose[2] > _RISEN_Z
        return free and world.opening(self.name) > _OUT_M - 0.006


class CloseExpert:
    """Comes down in front of the handle with closed fingers, pushes, and rises."""

    def __init__(self, name: str) -> None:
        """Teach closing one drawer."""
        self.name = name

    def reset(self, world: World) -> None:
        """Nothing to choose: all is in the state of the world."""

    def act(self, world: World) -> Vector:
        """Return the (7,) action for now."""
        tool, handle = world.ee_pose[:3], world.position(self.name)
        if world.opening(self.name) < _SHUT_M:
            return towards(world, np.array([*tool[:2], TRAVEL_Z]), 0.0, 0.0)
        ahead, aside = float(tool[0] - handle[0]), float(abs(tool[1] - handle[1]))
        # In the air it goes to a place in front of the handle; the lower it is, the more it pushes.
        high = float(np.clip((tool[2] - HANDLE_Z - 0.008) / 0.03, 0.0, 1.0))
        goal_x = handle[0] + high * _AHEAD + (1 - high) * (_TOUCH - _PULL_M)
        astray = max(aside, 0.04 - ahead, abs(ahead - _AHEAD) - 0.04)
        height = funnel(astray, 0.02, 0.06, HANDLE_Z, HANDLE_Z + 0.13)
        goal = np.array([goal_x, handle[1], height])
        if tool[2] < HANDLE_Z + 0.06 and astray > 0.05:
            goal[:2] = tool[:2] + 0.3 * (np.array([handle[0] + _AHEAD, handle[1]]) - tool[:2])
        return towards(world, goal, 0.0, 0.0)

    def done(self, world: World) -> bool:
        """Return whether the drawer is shut and the hand is out of the way."""
        return world.opening(self.name) < _SHUT_M + 0.004 and world.ee_pose[2] > _RISEN_Z
