"""How to put down a block that is held: in a bowl, on the plate, on a zone of the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.facts import holds
from agent.spots import free_spot
from agent.types import Fact, Vector
from agent.workspace import BLOCK_HALF, BOWL, PLATE, ZONE, kind_of
from skills.experts.base import TRAVEL_Z, World, funnel, towards

_CLEAR_Z = 0.15


@dataclass(frozen=True, slots=True)
class _Manner:
    """How to put a block down on one kind of target.

    Tolerances are no finer than what the cameras tell: a teacher that is more exacting than its
    pupil can see teaches it to hesitate.

    Attributes:
        release_z: Height of the block's centre at which it is let go, m.
        tight: Lateral error up to which the hand comes all the way down, m.
        wide: Lateral error from which it stays up, m.
    """

    release_z: float
    tight: float
    wide: float


_MANNERS = {
    BOWL: _Manner(release_z=0.075, tight=0.018, wide=0.065),
    PLATE: _Manner(release_z=BLOCK_HALF + 0.022, tight=0.014, wide=0.06),
    ZONE: _Manner(release_z=BLOCK_HALF + 0.010, tight=0.02, wide=0.07),
}


class PlaceExpert:
    """Carries the block over a free place, comes down, lets go and rises."""

    def __init__(self, name: str, target: str) -> None:
        """Teach putting one block in or on a target."""
        self.name = name
        self.target = target
        kind = kind_of(target) or ZONE
        self.fact = Fact(predicate="in" if kind == BOWL else "on", args=(name, target))
        self._manner = _MANNERS[kind]

    def reset(self, world: World) -> None:
        """Nothing to choose: all is in the state of the world."""

    def act(self, world: World) -> Vector:
        """Return the (7,) action for now."""
        tool, block = world.ee_pose[:3], world.position(self.name)
        if world.carried() != self.name:
            rise = np.array([*tool[:2], TRAVEL_Z])
            return towards(world, rise, 0.0, 1.0)
        spot = free_spot(self.target, world.truth(), self.name, block[:2])
        spot = block[:2] if spot is None else spot
        error, manner = float(np.linalg.norm(spot - block[:2])), self._manner
        release_z = manner.release_z + tool[2] - block[2]
        above = tool[2] - release_z
        height = funnel(error, manner.tight, manner.wide, release_z, TRAVEL_Z + 0.01)
        goal = np.array([*(spot + tool[:2] - block[:2]), height])
        if above < 0.08 and error > 0.09:
            # Low and far: rise first, not to sweep other things off the table.
            goal[:2] = tool[:2] + 0.3 * (goal[:2] - tool[:2])
        opening = error < manner.tight + 0.004 and above < 0.012
        letting_go = world.gripper > 0.62 and error < manner.tight + 0.015
        return towards(world, goal, 0.0, 1.0 if opening or letting_go else 0.0)

    def done(self, world: World) -> bool:
        """Return whether the block is where it belongs and the hand is out of the way."""
        return (
            holds(self.fact, world.truth()) and world.gripper > 0.7 and world.ee_pose[2] > _CLEAR_Z
        )
