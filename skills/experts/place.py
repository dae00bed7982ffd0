"""How to put down a block that is held: in a bowl, on the plate, on a zone of the table."""

from __future__ import annotations

import numpy as np

from agent.facts import holds
from agent.types import Fact, Vector
from agent.workspace import BLOCK_HALF, BOWL, PLATE, free_spot, kind_of
from skills.experts.base import TRAVEL_Z, World, funnel, hand_yaw, towards

_CLEAR_Z = 0.15
_PLATE_TOP = 0.012
_DROP_GAP = 0.010
_BOWL_RELEASE_Z = 0.075


class PlaceExpert:
    """Carries the block over a free place, comes down, lets go and rises."""

    def __init__(self, name: str, target: str) -> None:
        """Teach putting one block in or on a target."""
        self.name = name
        self.target = target
        self.fact = Fact(predicate="in" if kind_of(target) == BOWL else "on", args=(name, target))
        self._spot: Vector | None = None

    def reset(self, world: World) -> None:
        """Choose the place: the first free one, as the subgoal begins."""
        self._spot = free_spot(self.target, world.truth(), self.name)

    def act(self, world: World) -> Vector:
        """Return the (7,) action for now."""
        tool, block = world.ee_pose[:3], world.position(self.name)
        if world.carried() != self.name:
            rise = np.array([*tool[:2], TRAVEL_Z])
            return towards(world, rise, hand_yaw(world), 1.0)
        spot = tool[:2] if self._spot is None else self._spot
        error = float(np.linalg.norm(spot - block[:2]))
        release_z = self._release_z() + tool[2] - block[2]
        above = tool[2] - release_z
        goal = np.array(
            [*(spot + tool[:2] - block[:2]), funnel(error, 0.012, 0.06, release_z, TRAVEL_Z + 0.01)]
        )
        if above < 0.08 and error > 0.09:
            goal[:2] = tool[:2] + 0.3 * (goal[:2] - tool[:2])
        opening = error < 0.016 and above < 0.012
        letting_go = world.gripper > 0.62 and error < 0.03
        return towards(world, goal, 0.0, 1.0 if opening or letting_go else 0.0)

    def done(self, world: World) -> bool:
        """Return whether the block is where it belongs and the hand is out of the way."""
        return (
            holds(self.fact, world.truth()) and world.gripper > 0.7 and world.ee_pose[2] > _CLEAR_Z
        )

    def _release_z(self) -> float:
        """Height of the block's centre at which it is let go, m."""
        kind = kind_of(self.target)
        if kind == BOWL:
            return _BOWL_RELEASE_Z
        return (_PLATE_TOP if kind == PLATE else 0.0) + BLOCK_HALF + _DROP_GAP
