"""Asking a simulated robot's world for the scene of a seed."""

from __future__ import annotations

import threading
from typing import Any

from agent.errors import RobotError
from agent.ros.bus import LATCHED, Bus, Qos
from agent.sections import Ros2Config

WHOLE = "std_msgs/msg/Int64"


class Scenes:
    """Has scenes laid out, one at a time."""

    def __init__(self, config: Ros2Config, bus: Bus) -> None:
        """Listen for what is ready; a robot without such topics has no scenes."""
        self._wait_s, self._topic = config.wait_s, config.simulated.reset
        self._came = threading.Condition()
        self._ready: list[int] = []
        if self._topic is not None and config.simulated.ready is not None:
            self._make = bus.message(WHOLE)
            self._ask = bus.advertise(self._topic, WHOLE, Qos(depth=1))
            bus.listen(config.simulated.ready, WHOLE, LATCHED, self._on_ready)

    @property
    def answers(self) -> bool:
        """Whether the world has ever said that a scene is ready."""
        return bool(self._ready)

    def lay_out(self, seed: int) -> bool:
        """Have the scene of a seed laid out and wait for it; return whether there are scenes.

        Raises:
            RobotError: It does not become ready in time.
        """
        if self._topic is None:
            return False
        with self._came:
            before = len(self._ready)
            self._ask(self._make(data=seed))
            if not self._came.wait_for(lambda: seed in self._ready[before:], self._wait_s):
                raise RobotError(
                    f"The world did not lay out scene {seed} within {self._wait_s:g} s of being "
                    f"asked on {self._topic}; see whether it still runs."
                )
            self._ready = self._ready[-1:]
        return True

    def _on_ready(self, message: Any) -> None:
        with self._came:
            self._ready.append(int(message.data))
            self._came.notify_all()
