"""How to pick up a block or the can."""

from __future__ import annotations

import numpy as np

from agent.types import HAND, SceneObject, Vector
from agent.workspace import BOWL, DRAWER, kind_of
from skills.experts.base import TRAVEL_Z, World, funnel, towards

_LIFT_Z = 0.18
_LIFTED_Z = 0.14
_LOWEST_Z = 0.023
"""The fingers reach 17 mm below the tool site, which lies between their pads."""
_CLOSED_ON_NOTHING = 0.3
_OPEN_ENOUGH = 0.8


class PickExpert:
    """Comes down over the thing, closes, lifts; opens and comes again when it closed on nothing.

    The hand keeps its heading: a block that lies askew turns between the fingers as they close.
    """

    def __init__(self, name: str) -> None:
        """Teach picking up one block or the can."""
        self.name = name

    def reset(self, world: World) -> None:
        """Nothing to choose: all is in the state of the world."""

    def act(self, world: World) -> Vector:
        """Return the (7,) action for now."""
        tool, thing = world.ee_pose[:3], world.truth().objects[self.name]
        carried = world.carried()
        if carried == self.name and _CLOSED_ON_NOTHING < world.gripper < 0.9:
            return towards(world, np.array([*tool[:2], _LIFT_Z]), 0.0, 0.0)
        if carried is not None and carried != self.name:
            return towards(world, np.array([*tool[:2], TRAVEL_Z]), 0.0, 1.0)
        error = float(np.linalg.norm(tool[:2] - thing.position[:2]))
        grasp_z, tolerance = _grasp(thing)
        height = funnel(error, 0.010, 0.055, grasp_z, grasp_z + 0.14)
        closes = self._closes(world, error, tool[2] - grasp_z, tolerance)
        if not closes and world.gripper < _OPEN_ENOUGH:
            # Shut fingers would land on the thing: open above it first.
            height = max(height, grasp_z + 0.06)
        goal = np.array([*thing.position[:2], height])
        if tool[2] < grasp_z + 0.07 and error > 0.07:
            # Low and far: rise first, not to sweep other things off the table.
            goal[:2] = tool[:2] + 0.3 * (goal[:2] - tool[:2])
        return towards(world, goal, 0.0, 0.0 if closes else 1.0)

    def done(self, world: World) -> bool:
        """Return whether the thing hangs in the hand, well above the table."""
        held = world.truth().objects[self.name].support == HAND
        return held and world.ee_pose[2] > _LIFTED_Z

    def _closes(self, world: World, error: float, above: float, tolerance: float) -> bool:
        """Close when in place; once closing, keep on until the fingers have met nothing."""
        in_place = error < 0.011 and above < tolerance
        closing = world.gripper < 0.93 and error < 0.022 and above < tolerance + 0.009
        return (in_place or closing) and world.gripper > _CLOSED_ON_NOTHING


def _grasp(thing: SceneObject) -> tuple[float, float]:
    """Return the tool's height to grasp a thing at, and how far above that will do, m.

    Between the walls of a bowl or drawer the fingers go less deep, not to stand on a wall.
    """
    walled = kind_of(thing.support) in (BOWL, DRAWER)
    above, tolerance = (0.011, 0.010) if walled else (0.003, 0.009)
    return max(float(thing.position[2]) + above, _LOWEST_Z), tolerance
