"""How to pick up a block."""

from __future__ import annotations

import numpy as np

from agent.robots.tabletop.world import TabletopWorld
from agent.types import HAND, Vector
from skills.experts.base import TRAVEL_Z, funnel, towards

_LIFT_Z = 0.17
_LIFTED_Z = 0.14
_GRASP_ABOVE_CENTRE = 0.003
_LOWEST_Z = 0.023
"""The fingers reach 17 mm below the tool site, which lies between their pads."""
_CLOSED_ON_NOTHING = 0.3


class PickExpert:
    """Comes down over the block, closes, lifts; opens and comes again when it closed on nothing.

    The hand keeps its heading: a block that lies askew turns between the fingers as they close.
    """

    def __init__(self, name: str) -> None:
        """Teach picking up one block."""
        self.name = name

    def reset(self, world: TabletopWorld) -> None:
        """Nothing to choose: all is in the state of the world."""

    def act(self, world: TabletopWorld) -> Vector:
        """Return the (7,) action for now."""
        tool, block = world.ee_pose[:3], world.position(self.name)
        carried = world.carried()
        error = float(np.linalg.norm(tool[:2] - block[:2]))
        grasp_z = max(block[2] + _GRASP_ABOVE_CENTRE, _LOWEST_Z)
        if carried == self.name and world.gripper < 0.9:
            return towards(world, np.array([*tool[:2], _LIFT_Z]), 0.0, 0.0)
        if carried is not None and carried != self.name:
            return towards(world, np.array([*tool[:2], TRAVEL_Z]), 0.0, 1.0)
        goal = np.array([*block[:2], funnel(error, 0.010, 0.055, grasp_z, grasp_z + 0.14)])
        if tool[2] < 0.10 and error > 0.07:
            # Low and far: rise first, not to sweep other things off the table.
            goal[:2] = tool[:2] + 0.3 * (block[:2] - tool[:2])
        return towards(
            world, goal, 0.0, 0.0 if self._closes(world, error, tool[2] - grasp_z) else 1.0
        )

    def done(self, world: TabletopWorld) -> bool:
        """Return whether the block hangs in the hand, well above the table."""
        held = world.truth().objects[self.name].support == HAND
        return held and world.ee_pose[2] > _LIFTED_Z

    def _closes(self, world: TabletopWorld, error: float, above: float) -> bool:
        """Close when in place; once closing, keep on until the fingers have met nothing."""
        in_place = error < 0.011 and above < 0.009
        closing = world.gripper < 0.93 and error < 0.022 and above < 0.018
        return (in_place or closing) and world.gripper > _CLOSED_ON_NOTHING
