"""What the world does to the robot on purpose, seeded and off by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.facts import holds
from agent.types import Fact
from agent.workspace import MOVABLE

if TYPE_CHECKING:
    from agent.robots.tabletop.world import TabletopWorld

_PERIOD_S = 0.1
_FORCED_OPEN_TICKS = 4
_SETTLE_TICKS = 4


@dataclass(frozen=True, slots=True)
class DisturbanceSpec:
    """How often and how much.

    Attributes:
        drop_per_s: Probability per second of carrying that the gripper opens by itself.
        shift_cm: Largest distance in cm by which a block is displaced just after it is let go.
        nudge_per_s: Probability per second that what stands on the table is pushed by a few cm.
        jam: Probability that the drawer is jammed where it is for the whole mission.
        blank_s: When cameras begin to show nothing, s; None is never.
        frozen_s: When cameras begin to show the same picture for ever, s; None is never.
        camera: Which camera that befalls; None is all of them.
        delay_ticks: How many ticks old the pictures are.
    """

    drop_per_s: float = 0.0
    shift_cm: float = 0.0
    nudge_per_s: float = 0.0
    jam: float = 0.0
    blank_s: float | None = None
    frozen_s: float | None = None
    camera: str | None = None
    delay_ticks: int = 0


class Disturbances:
    """Applies a `DisturbanceSpec`, drawing from its own generator in a fixed order.

    Attributes:
        jammed: Whether the drawer is jammed in this mission.
        forcing: Whether the fingers are forced open in this period.
    """

    def __init__(self, spec: DisturbanceSpec, rng: np.random.Generator) -> None:
        """Begin a mission."""
        self._spec = spec
        self._rng = rng
        self._forced = 0
        self.forcing = False
        self._last_carried: str | None = None
        self._released: tuple[str, int] | None = None
        self.jammed = spec.jam > 0 and bool(rng.random() < spec.jam)

    def snapshot(self) -> dict[str, Any]:
        """Return what is to come and what is under way, as JSON has it."""
        return {
            "generator": self._rng.bit_generator.state,
            "forced": self._forced,
            "last_carried": self._last_carried,
            "released": self._released,
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go on as from a snapshot of the same scene's disturbances."""
        self._rng.bit_generator.state = snapshot["generator"]
        self._forced, self._last_carried = snapshot["forced"], snapshot["last_carried"]
        released = snapshot["released"]
        self._released = None if released is None else (released[0], released[1])

    def gripper(self, opening: float, carrying: bool) -> float:
        """Return the opening the fingers are really given, 0..1."""
        slip = self._rng.random() < self._spec.drop_per_s * _PERIOD_S
        if carrying and slip and not self._forced:
            self._forced = _FORCED_OPEN_TICKS
        self.forcing = self._forced > 0
        self._forced -= self.forcing
        return 1.0 if self.forcing else opening

    def after_step(self, world: TabletopWorld) -> None:
        """Shift what was let go, and nudge what stands about."""
        if self._spec.shift_cm:
            self._shift(world)
        if self._spec.nudge_per_s and self._rng.random() < self._spec.nudge_per_s * _PERIOD_S:
            self._nudge(world)

    def _shift(self, world: TabletopWorld) -> None:
        carried = world.carried()
        if self._last_carried and carried is None:
            self._released = (self._last_carried, _SETTLE_TICKS)
        self._last_carried = carried
        if self._released is None:
            return
        name, ticks = self._released
        if carried is not None:
            self._released = None
        elif ticks > 0:
            self._released = (name, ticks - 1)
        else:
            self._released = None
            distance = self._rng.uniform(0, self._spec.shift_cm) / 100
            self._displace(world, name, distance, lift=0.002)

    def _nudge(self, world: TabletopWorld) -> None:
        scene = world.truth()
        loose = [
            n
            for n, o in scene.objects.items()
            if o.kind in MOVABLE and holds(Fact(predicate="loose", args=(n,)), scene)
        ]
        if loose:
            name = loose[int(self._rng.integers(len(loose)))]
            self._displace(world, name, float(self._rng.uniform(0.02, 0.04)), lift=0.0)

    def _displace(self, world: TabletopWorld, name: str, distance: float, lift: float) -> None:
        angle = self._rng.uniform(-np.pi, np.pi)
        offset = np.array([distance * np.cos(angle), distance * np.sin(angle), lift])
        world.put(name, world.position(name) + offset, world.yaw(name))
