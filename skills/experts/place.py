"""How to put down what is held: in a bowl or drawer, on the plate, a zone or another block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.facts import holds
from agent.spots import free_spot
from agent.types import Fact, Scene, Vector
from agent.workspace import (
    BLOCK,
    BLOCK_HALF,
    BOWL,
    CAN,
    DRAWER,
    OBJECTS,
    PLATE,
    ZONE,
    half_height,
    kind_of,
)
from skills.experts.base import TRAVEL_Z, World, funnel, towards

_CLEAR_Z = 0.15
_LOW_ENOUGH = 0.012
"""How far above the height to let go at will do, m."""
_HASTY_M = 0.03
"""How much larger lateral errors may be in all haste, m: who cannot tell will never know better."""
_APART = 0.8
"""Opening from which the fingers have let go, 0..1; a block held by its edges keeps them at 0.7."""


@dataclass(frozen=True, slots=True)
class _Manner:
    """How to put a thing down on one kind of target.

    Tolerances are no finer than what the cameras tell: a teacher that is more exacting than its
    pupil can see teaches it to hesitate.

    Attributes:
        floor_z: Height of what the thing will stand on, m; above a block's middle.
        drop: Height above that at which the thing is let go, m. The open fingers must clear the
            walls of a bowl and of the drawer.
        tight: Lateral error up to which the hand comes all the way down, m.
        wide: Lateral error from which it stays up, m.
    """

    floor_z: float
    drop: float
    tight: float
    wide: float


_MANNERS = {
    BOWL: _Manner(floor_z=0.006, drop=0.045, tight=0.016, wide=0.065),
    DRAWER: _Manner(floor_z=0.007, drop=0.020, tight=0.012, wide=0.060),
    PLATE: _Manner(floor_z=0.012, drop=0.010, tight=0.014, wide=0.060),
    ZONE: _Manner(floor_z=0.0, drop=0.010, tight=0.020, wide=0.070),
    BLOCK: _Manner(floor_z=BLOCK_HALF, drop=0.004, tight=0.007, wide=0.055),
}
_CAN_IN_BOWL_DROP = 0.022
"""A can is taller, so that the fingers clear the bowl's rim lower down; from high up it tips."""


class PlaceExpert:
    """Carries the thing over a free place, comes down, lets go and rises.

    Of several free places it keeps to the one that was nearest when it began.

    Attributes:
        near: (2,) m the place it wants to be near.
        haste: 0..1 how much less exacting it is than at first.
    """

    def __init__(self, name: str, target: str) -> None:
        """Teach putting one thing in or on a target."""
        self.name = name
        self.target = target
        self._kind = kind_of(target) or ZONE
        inside = self._kind in (BOWL, DRAWER)
        self.fact = Fact(predicate="in" if inside else "on", args=(name, target))
        self._manner = _MANNERS[self._kind]
        self.near = np.zeros(2)
        self.haste = 0.0

    def reset(self, world: World) -> None:
        """Choose the place that is nearest to where the thing is now."""
        self.near = world.position(self.name)[:2].copy()

    def act(self, world: World) -> Vector:
        """Return the (7,) action for now."""
        return self.act_towards(world, self.spot(world.truth()))

    def act_towards(self, world: World, spot: Vector | None) -> Vector:
        """Return the (7,) action for now, given what `spot` says."""
        tool, scene = world.ee_pose[:3], world.truth()
        thing = scene.objects[self.name].position
        if world.carried() != self.name:
            return towards(world, np.array([*tool[:2], TRAVEL_Z + 0.02]), 0.0, 1.0)
        spot = thing[:2] if spot is None else spot
        error, manner = float(np.linalg.norm(spot - thing[:2])), self._manner
        tight = manner.tight + self.haste * _HASTY_M
        release_z = self._release_z(scene) + tool[2] - thing[2]
        above = tool[2] - release_z
        height = funnel(error, tight, manner.wide, release_z, TRAVEL_Z + 0.01)
        goal = np.array([*(spot + tool[:2] - thing[:2]), height])
        if above < 0.08 and error > 0.09:
            # Low and far: rise first, not to sweep other things off the table.
            goal[:2] = tool[:2] + 0.3 * (goal[:2] - tool[:2])
        opening = error < tight + 0.004 and above < _LOW_ENOUGH
        letting_go = world.gripper > _APART and error < tight + 0.015
        return towards(world, goal, 0.0, 1.0 if opening or letting_go else 0.0)

    def done(self, world: World) -> bool:
        """Return whether the thing is where it belongs and the hand is out of the way."""
        return (
            holds(self.fact, world.truth()) and world.gripper > 0.7 and world.ee_pose[2] > _CLEAR_Z
        )

    def spot(self, scene: Scene) -> Vector | None:
        """Return (2,) m where the thing goes, None where there is no room."""
        return free_spot(self.target, scene, self.name, self.near)

    def _release_z(self, scene: Scene) -> float:
        """Return the height of the thing's middle at which it is let go, m."""
        kind, manner = OBJECTS[self.name], self._manner
        drop = _CAN_IN_BOWL_DROP if self._kind == BOWL and kind == CAN else manner.drop
        carrier_z = scene.objects[self.target].position[2] if self._kind == BLOCK else 0.0
        return float(carrier_z + manner.floor_z + half_height(kind) + drop)
