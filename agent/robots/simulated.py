"""What the simulated robots have in common, beyond `agent.protocols.Robot`. Privileged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from agent.protocols import Robot
from agent.types import Scene


class SimulatedWorld(Protocol):
    """A world that knows itself."""

    def truth(self) -> Scene:
        """Return what is really there, in the agent's own terms."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """Return all that decides how the world goes on, as JSON has it."""
        ...

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Become the world of a snapshot, bit by bit; raises `RobotError` for another kind's."""
        ...


class SimulatedRobot(Robot, Protocol):
    """A robot in a world of its own; the same seed and actions give the same senses."""

    @property
    def world(self) -> SimulatedWorld:
        """The world, for scoring and replays; the agent has no use for it."""
        ...
