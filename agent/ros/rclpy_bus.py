"""A ROS 2 bus over rclpy, where a ROS 2 installation is sourced."""

from __future__ import annotations

import array
import importlib
import inspect
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions

from agent.errors import RobotError, unknown
from agent.ros.bus import Qos
from agent.ros.delivery import Delivery
from agent.ros.names import check_topic, domain_number

_LOOPBACK = {"ROS_LOCALHOST_ONLY": "1", "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
"""What ROS 2 is told to stay on this machine: until Humble, and since Iron."""
_LOOK_S = 0.1
"""How often the thread that hands over looks whether the bus was closed, s."""
_opening = threading.Lock()


class RclpyBus:
    """A node of its own in the ROS 2 graph, in a context of its own.

    One thread hands messages over. What a receiver raises is reported as from any thread, by
    `threading.excepthook`, and the next message is handed over nevertheless.
    """

    def __init__(self, domain: int | None = None, loopback: bool = False) -> None:
        """Join a domain.

        Args:
            domain: Which one, 0..232; None means `ROS_DOMAIN_ID`, or 0.
            loopback: Whether to stay on this machine whatever the environment says.

        Raises:
            ConfigError: There is no such domain.
            RobotError: It cannot be joined.
        """
        number = domain_number(domain)
        self._context = Context()
        try:
            with _reach(loopback):
                rclpy.init(
                    args=[],
                    context=self._context,
                    domain_id=number,
                    # Ctrl-C stops the robot, and is Bosun's to handle.
                    signal_handler_options=SignalHandlerOptions.NO,
                )
            self._node = rclpy.create_node(
                f"bosun_{os.getpid()}_{id(self)}",
                context=self._context,
                use_global_arguments=False,
                enable_rosout=False,
                start_parameter_services=False,
            )
        except RuntimeError as error:
            raise RobotError(f"ROS domain {number} cannot be joined: {error}.") from error
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._publishers: dict[tuple[str, str, Qos], Any] = {}
        self._delivery = Delivery("bosun-rclpy", self._hand_over, self._leave)

    def message(self, kind: str) -> Callable[..., Any]:
        """Return what makes messages of a type from its fields by name; all have defaults."""
        made = _type(kind)

        def make(**fields: Any) -> Any:
            return made(**{name: _packed(value) for name, value in fields.items()})

        return make

    def advertise(self, topic: str, kind: str, qos: Qos) -> Callable[[Any], None]:
        """Return what publishes messages of a type on a topic."""
        key, made = (topic, kind, qos), _type(kind)
        with self._delivery.lock:
            self._demand_open()
            if key not in self._publishers:
                self._publishers[key] = self._node.create_publisher(
                    made, check_topic(topic), _profile(qos)
                )

        def publish(message: Any) -> None:
            publisher = self._publishers.get(key)
            if publisher is None:
                raise RobotError(f"Nothing can be published on {topic}: the bus is closed.")
            if not isinstance(message, made):
                given = type(message).__name__
                raise RobotError(f"On {topic} {kind} is published, and {given} is none.")
            try:
                publisher.publish(message)
            except RuntimeError as error:
                # So rclpy names all that goes wrong below it, a node that has just left included.
                raise RobotError(f"Nothing can be published on {topic}: {error}.") from error

        return publish

    def listen(self, topic: str, kind: str, qos: Qos, on_message: Callable[[Any], None]) -> None:
        """Hand over every message of a topic as it comes, from the thread of the bus."""

        def hand_over(message: Any) -> None:
            if not self._delivery.closed:
                on_message(message)

        with self._delivery.lock:
            self._demand_open()
            self._node.create_subscription(
                _type(kind), check_topic(topic), hand_over, _profile(qos)
            )

    def topics(self) -> Mapping[str, frozenset[str]]:
        """Return which topics others publish now, each with its types."""
        with self._delivery.lock:
            self._demand_open()
            own = self._node.get_name()
            publications = {
                topic: self._node.get_publishers_info_by_topic(topic)
                for topic, _ in self._node.get_topic_names_and_types()
            }
        others = {
            topic: frozenset(at.topic_type for at in there if at.node_name != own)
            for topic, there in publications.items()
        }
        return {topic: kinds for topic, kinds in others.items() if kinds}

    def close(self) -> None:
        """Leave; idempotent, and nothing is handed over afterwards."""
        self._delivery.close()

    def _hand_over(self) -> None:
        self._executor.spin_once(timeout_sec=_LOOK_S)

    def _leave(self) -> None:
        self._publishers.clear()
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def _demand_open(self) -> None:
        if self._delivery.closed:
            raise RobotError("The bus is closed.")


@contextmanager
def _reach(loopback: bool) -> Iterator[None]:
    """Let ROS 2 read how far it reaches, which it does from the environment and at its start."""
    with _opening:
        before = {name: os.environ.get(name) for name in _LOOPBACK}
        if loopback:
            os.environ.update(_LOOPBACK)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _type(kind: str) -> Any:
    """Return the class of a type of this ROS 2 installation, such as `std_msgs/msg/String`."""
    package, _, name = kind.partition("/msg/")
    if not package or not name:
        raise RobotError(f"A type is written like 'std_msgs/msg/String', and {kind!r} is not.")
    try:
        module = importlib.import_module(f"{package}.msg")
    except ImportError as error:
        raise RobotError(
            f"This ROS 2 installation has no package {package!r}, of which {kind!r} is."
        ) from error
    classes = dict(inspect.getmembers(module, inspect.isclass))
    if name not in classes:
        there = (f"{package}/msg/{known}" for known in classes)
        raise RobotError(unknown("message type", kind, there))
    return classes[name]


def _packed(value: Any) -> Any:
    """Return bytes as rclpy takes them without looking at each."""
    return array.array("B", value) if isinstance(value, bytes) else value


def _profile(qos: Qos) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=qos.depth,
        reliability=ReliabilityPolicy.RELIABLE if qos.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if qos.latched else DurabilityPolicy.VOLATILE,
    )
