"""How to press a button once."""

from __future__ import annotations

import numpy as np

from agent.types import Vector
from skills.experts.base import TRAVEL_Z, World, funnel, towards

_DOWN_Z = 0.034
"""Height of the tool, the fingers closed, at which the cap is pressed in fully, m."""
_RISEN_Z = 0.12


class PressExpert:
    """Comes down on the cap with closed fingers until the lamp switches, and rises."""

    def __init__(self, name: str) -> None:
        """Teach pressing one button."""
        self.name = name
        self._lamp = 0.0

    def reset(self, world: World) -> None:
        """Remember the lamp, which tells afterwards that the button was pressed."""
        self._lamp = world.lamp(self.name)

    def act(self, world: World) -> Vector:
        """Return the (7,) action for now."""
        tool, cap = world.ee_pose[:3], world.position(self.name)
        if world.lamp(self.name) != self._lamp:
            return towards(world, np.array([*tool[:2], TRAVEL_Z]), 0.0, 0.0)
        error = float(np.linalg.norm(tool[:2] - cap[:2]))
        goal = np.array([*cap[:2], funnel(error, 0.010, 0.055, _DOWN_Z, _DOWN_Z + 0.13)])
        if tool[2] < 0.10 and error > 0.07:
            # Low and far: rise first, not to sweep other things off the table.
            goal[:2] = tool[:2] + 0.3 * (cap[:2] - tool[:2])
        return towards(world, goal, 0.0, 0.0)

    def done(self, world: World) -> bool:
        """Return whether the lamp has switched and the hand is out of the way."""
        return world.lamp(self.name) != self._lamp and world.ee_pose[2] > _RISEN_Z
