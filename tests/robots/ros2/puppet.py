"""A robot on a bus that does what it is told and, when it shall, what no robot should."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from agent.ros.bus import LATCHED, Bus, Qos
from agent.ros.messages import COMPRESSED, IMAGE, JOINTS, compressed_image, joint_state, raw_image
from agent.sections import Ros2Config
from agent.types import Vector

RATE_HZ = 20.0
SIZE = (12, 16)
ARM = tuple(f"arm_{n}" for n in range(1, 8))
FINGERS = ("finger_left", "finger_right")
HOME = np.array([0.0, -0.5, 0.0, -2.5, 0.0, 0.43, 0.0])
OTHER = "/other_commands"
"""Where a second robot may tell it what to do while a first one does."""
_STATES = 4
"""Joint states to one picture of each camera."""


def config(domain: int, **changes: Any) -> Ros2Config:
    """Return the configuration that fits a puppet, with changes."""
    return Ros2Config.model_validate(
        {
            "transport": "dds",
            "domain": domain,
            "loopback": True,
            "wait_s": 1.0,
            "rate_hz": RATE_HZ,
            "cameras": {
                "front": {"topic": "/front", "size": SIZE, "max_age_s": 0.25},
                "wrist": {"topic": "/wrist", "kind": "raw", "size": SIZE, "max_age_s": 0.25},
            },
            "joints": {"names": ARM, "max_age_s": 0.25},
            "gripper": {"names": FINGERS, "closed": 0.0, "open": 0.04},
            "limits": {name: {"low": -3.0, "high": 3.0, "velocity": 2.0} for name in ARM},
            "home": tuple(HOME),
            **changes,
        }
    )


class Puppet:
    """Publishes pictures and joint states, and is at once where it is told to be.

    Attributes:
        commands: All that it was told, newest last: names -> positions.
        mute: Streams that say nothing: `front`, `wrist` or `joints`.
        shift_s: Stream -> what is added to its stamps.
        still: Streams whose stamps stand still.
        names: What the joints are called.
        positions: (9,) where they are; in the order of `names`.
        size: Of the pictures.
        broken: Whether the front camera sends bytes that are no picture.
        slow: Every how many ticks the wrist camera takes a picture.
        obeys: Whether it goes where it is told.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.commands: list[dict[str, float]] = []
        self.told = threading.Event()
        self.positions: Vector = np.append(HOME, [0.04, 0.04])
        self._front = bus.advertise("/front", COMPRESSED, Qos(reliable=False, depth=1))
        self._wrist = bus.advertise("/wrist", IMAGE, Qos(reliable=False, depth=1))
        self._joints = bus.advertise("/joint_states", JOINTS, Qos(depth=10))
        for topic in ("/joint_commands", OTHER):
            bus.listen(topic, JOINTS, Qos(depth=1), self._on_command)
        self.mend()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def mend(self) -> None:
        """Do everything right again."""
        self.mute: set[str] = set()
        self.shift_s: dict[str, float] = {}
        self.still: dict[str, float] = {}
        self.names: Sequence[str] = (*ARM, *FINGERS)
        self.positions = np.append(HOME, [0.04, 0.04])
        self.size, self.broken, self.slow, self.obeys = SIZE, False, 1, True
        self.stamped: Callable[[], float] = time.time

    def told_last(self, joints: Sequence[str] = ARM) -> list[float]:
        """Return where these joints were sent last."""
        return [self.commands[-1][name] for name in joints]

    def close(self) -> None:
        """Fall silent."""
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        tick = 0
        due_s = time.monotonic()
        while not self._ends.is_set():
            due_s += 1.0 / RATE_HZ / _STATES
            time.sleep(max(0.0, due_s - time.monotonic()))
            now_s, tick = self.stamped(), tick + 1
            if "joints" not in self.mute:
                stamp_s = self._stamp("joints", now_s)
                positions = self.positions[: len(self.names)]
                self._joints(joint_state(self._bus, stamp_s, self.names, positions))
            if tick % _STATES == 0:
                self._show(now_s, tick // _STATES)

    def _show(self, now_s: float, tick: int) -> None:
        picture = np.full((*self.size, 3), tick % 256, np.uint8)
        if "front" not in self.mute:
            message = compressed_image(self._bus, picture, self._stamp("front", now_s))
            if self.broken:
                message.data = b"no picture"
            self._front(message)
        if "wrist" not in self.mute and tick % self.slow == 0:
            self._wrist(raw_image(self._bus, picture, self._stamp("wrist", now_s)))

    def _stamp(self, stream: str, now_s: float) -> float:
        return self.still.get(stream, now_s + self.shift_s.get(stream, 0.0))

    def _on_command(self, message: Any) -> None:
        self.commands.append(dict(zip(message.name, message.position, strict=True)))
        if self.obeys:
            self.positions = np.array(message.position)
        self.told.set()


class Simulator:
    """Answers to seeds like a world, unless it shall not."""

    def __init__(self, bus: Bus) -> None:
        self.asked: list[int] = []
        self.answers = True
        self._ready = bus.advertise("/ready", "std_msgs/msg/Int64", LATCHED)
        self._make = bus.message("std_msgs/msg/Int64")
        self._ready(self._make(data=0))
        bus.listen("/reset", "std_msgs/msg/Int64", Qos(depth=1), self._on_reset)

    def _on_reset(self, message: Any) -> None:
        self.asked.append(message.data)
        if self.answers:
            self._ready(self._make(data=message.data))
