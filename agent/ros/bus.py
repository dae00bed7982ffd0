"""A bus with the topics and types of ROS 2, whoever carries its messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Qos:
    """How messages of a topic are delivered, in the terms of ROS 2.

    Attributes:
        reliable: Whether what is lost is sent again; a best-effort publisher does not reach a
            reliable subscriber.
        latched: Whether who comes later is given the last message, `transient_local`.
        depth: Messages kept where the receiver is slower than the sender.
    """

    reliable: bool = True
    latched: bool = False
    depth: int = 10


SENSOR = Qos(reliable=False, depth=1)
"""For what is soon out of date, as drivers of sensors publish it."""
LATCHED = Qos(latched=True, depth=1)
"""For what is said once and stays true."""


class Bus(Protocol):
    """One participant. Types go by their ROS name, such as `sensor_msgs/msg/JointState`.

    Fields of bytes take `bytes`, and come as what `bytes()` makes that of again.
    """

    def message(self, kind: str) -> Callable[..., Any]:
        """Return what makes messages of a type from its fields by name; all have defaults.

        Raises:
            RobotError: This bus does not know the type.
        """
        ...

    def advertise(self, topic: str, kind: str, qos: Qos) -> Callable[[Any], None]:
        """Return what publishes messages of a type on a topic, such as `/joint_states`.

        That raises `RobotError` for a message of another type, and once the bus is closed.

        Raises:
            ConfigError: There can be no such topic.
            RobotError: This bus does not know the type, or is closed.
        """
        ...

    def listen(self, topic: str, kind: str, qos: Qos, on_message: Callable[[Any], None]) -> None:
        """Hand over every message of a topic as it comes, from a thread of the bus's own.

        What the receiver raises is reported by `threading.excepthook`, as from any thread, and it
        is given the next message nevertheless.

        Raises:
            ConfigError: There can be no such topic.
            RobotError: This bus does not know the type, or is closed.
        """
        ...

    def topics(self) -> Mapping[str, frozenset[str]]:
        """Return which topics others publish now, each with its types.

        Raises:
            RobotError: The bus is closed.
        """
        ...

    def close(self) -> None:
        """Leave; idempotent, and nothing is handed over afterwards."""
        ...
