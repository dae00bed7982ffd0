"""How to put down a block that is held: in a bowl, on the plate, on a zone of the table."""

from __future__ import annotations

import numpy as np

from agent.facts import holds
from agent.types import Fact, Vector
from agent.workspace import BLOCK_HALF, BOWL, PLATE, ZONE, ZONES, fits, free_spot, kind_of
from skills.experts.base import TRAVEL_Z, World, funnel, hand_yaw, towards

_CLEAR_Z = 0.15
_PLATE_TOP = 0.012
_DROP_GAP = 0.010
_BOWL_RELEASE_Z = 0.075
_FUNNEL = {BOWL: (0.03, 0.09), PLATE: (0.018, 0.07), ZONE: (0.018, 0.07)}
"""Kind -> lateral errors, m, at which the block may be all the way down, and must be all the way
up. Cameras tell where things are to a centimetre or two; a teacher that wants to know it better
before letting go teaches the policy to hover."""
_SLACK_M, _SLACK_ABOVE_M = 0.02, 0.10


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
        release_z = self._release_z() + tool[2] - block[2]
        above = tool[2] - release_z
        spot = self._place(world, block, above)
        error = float(np.linalg.norm(spot - block[:2]))
        tight, wide = _FUNNEL[kind_of(self.target) or ZONE]
        goal = np.array(
            [
                *(spot + tool[:2] - block[:2]),
                funnel(error, tight, wide, release_z, TRAVEL_Z + 0.01),
            ]
        )
        if above < 0.08 and error > 0.09:
            goal[:2] = tool[:2] + 0.3 * (goal[:2] - tool[:2])
        opening = error < tight + 0.005 and above < 0.012
        letting_go = world.gripper > 0.62 and error < tight + 0.02
        return towards(world, goal, 0.0, 1.0 if opening or letting_go else 0.0)

    def done(self, world: World) -> bool:
        """Return whether the block is where it belongs and the hand is out of the way."""
        return (
            holds(self.fact, world.truth()) and world.gripper > 0.7 and world.ee_pose[2] > _CLEAR_Z
        )

    def _place(self, world: World, block: Vector, above: float) -> Vector:
        """Return where to let go; in a zone right here, as soon as the block is over a good place.

        Which of a zone's free places comes first is hard to see. A policy taught to go to the first
        one hovers between two for ever; one taught to go on to the nearest, and to come down
        wherever there is room, need not choose. What counts as room grows on the way down, so that
        a place good enough from above is not doubted again below.
        """
        here = block[:2]
        if self.target in ZONES:
            scene = world.truth()
            slack = _SLACK_M * float(np.clip(1 - above / _SLACK_ABOVE_M, 0, 1))
            if fits(here, self.target, scene, self.name, slack):
                return here
            nearest = free_spot(self.target, scene, self.name, near=here)
            return here if nearest is None else nearest
        return here if self._spot is None else self._spot

    def _release_z(self) -> float:
        """Height of the block's centre at which it is let go, m."""
        kind = kind_of(self.target)
        if kind == BOWL:
            return _BOWL_RELEASE_Z
        return (_PLATE_TOP if kind == PLATE else 0.0) + BLOCK_HALF + _DROP_GAP
