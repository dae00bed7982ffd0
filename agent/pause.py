"""Holding still between two actions, and going on as if nothing had been."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from agent.action_space import ActionSpec
from agent.errors import RobotStopped
from agent.protocols import Robot
from agent.types import Observation, Vector

_POLL_S = 0.02
"""How often a robot that holds still is asked whether it was stopped, s."""


class Pause:
    """A gate that is shut and opened from any thread, at any time."""

    def __init__(self) -> None:
        """Begin open."""
        self._open = threading.Event()
        self._open.set()

    @property
    def shut(self) -> bool:
        """Whether nothing goes on."""
        return not self._open.is_set()

    def pause(self) -> None:
        """Shut it; idempotent."""
        self._open.clear()

    def resume(self) -> None:
        """Open it; idempotent."""
        self._open.set()

    def wait(self, stopped: Callable[[], bool]) -> None:
        """Return once it is open, or when `stopped` says that there is nothing to wait for."""
        while not (self._open.wait(_POLL_S) or stopped()):
            continue


class PausableRobot:
    """A robot whose observations wait while it is paused, so that no next action is decided.

    An action takes one period, so it holds still at the latest one tick after the pause, and at
    once where the robot itself asks whether it is paused. What it then does next rests on what is
    seen after it. A stop ends the wait. Its clock stands still in a pause, as a simulated world
    does by itself, so that no budget is spent on it.
    """

    def __init__(self, robot: Robot, pause: Pause) -> None:
        """Wrap a robot; the pause is shared with whoever hears that it should wait."""
        self._robot, self._pause = robot, pause
        self._paused_s = 0.0

    @property
    def spec(self) -> ActionSpec:
        """The action space."""
        return self._robot.spec

    @property
    def stopped(self) -> bool:
        """Whether the stop latch is set."""
        return self._robot.stopped

    @property
    def fault(self) -> RobotStopped | None:
        """What the robot lost, where it stopped itself."""
        return self._robot.fault

    def reset(self, seed: int | None) -> Observation:
        """Begin a mission; one that is paused begins all the same, but does nothing yet."""
        self._paused_s = 0.0
        return self._robot.reset(seed)

    def observe(self) -> Observation:
        """Return what is sensed now, or after the pause, on a clock without pauses."""
        if self._pause.shut:
            began_s = self._robot.observe().time_s
            self._pause.wait(lambda: self._robot.stopped)
            self._paused_s += self._robot.observe().time_s - began_s
        seen = self._robot.observe()
        return replace(seen, time_s=seen.time_s - self._paused_s) if self._paused_s else seen

    def act(self, action: Vector) -> Vector:
        """Send one (dim,) action, wait one period, and return the action really sent."""
        return self._robot.act(action)

    def stop(self) -> None:
        """Hold still and refuse every later action until `reset`; idempotent, never raises."""
        self._robot.stop()

    def close(self) -> None:
        """Release the device."""
        self._robot.close()
