"""A ROS 2 bus over plain DDS: Cyclone DDS from pip, without a ROS installation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from cyclonedds.builtin import BuiltinDataReader, BuiltinTopicDcpsPublication
from cyclonedds.core import (
    DDSException,
    GuardCondition,
    InstanceState,
    Policy,
    ReadCondition,
    SampleState,
    ViewState,
    WaitSet,
)
from cyclonedds.domain import DomainParticipant
from cyclonedds.internal import InvalidSample
from cyclonedds.pub import DataWriter
from cyclonedds.qos import Qos as Policies
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from cyclonedds.util import duration

from agent.errors import RobotError, unknown
from agent.ros.bus import Qos
from agent.ros.delivery import Delivery
from agent.ros.domain import open_domain
from agent.ros.idl import TYPES
from agent.ros.names import dds_topic, domain_number, ros_topic, ros_type

_BLOCKING_MS = 100
"""How long a reliable publisher waits for a receiver that does not keep up, ms."""
_FOREVER = duration(infinite=True)
_ALL_TOPICS = 10_000
_UNREAD = ViewState.Any | InstanceState.Any | SampleState.NotRead
_ALIVE = ViewState.Any | InstanceState.Alive | SampleState.Any


class DdsBus:
    """A participant in a DDS domain, under the names that ROS 2 has there.

    One thread hands messages over, one of each topic in turn, so that a topic of many or large
    messages does not hold up the others. What a receiver raises is reported as from any thread,
    by `threading.excepthook`, and the next message is handed over nevertheless.
    """

    def __init__(self, domain: int | None = None, loopback: bool = False) -> None:
        """Join a domain.

        Args:
            domain: Which one, 0..232; None means `ROS_DOMAIN_ID`, or 0.
            loopback: Whether to stay on this machine whatever the environment says; otherwise
                `ROS_LOCALHOST_ONLY`, `ROS_AUTOMATIC_DISCOVERY_RANGE` and `CYCLONEDDS_URI` hold.

        Raises:
            ConfigError: There is no such domain.
            RobotError: It cannot be joined.
        """
        number = domain_number(domain)
        self._domain = open_domain(number, loopback)
        try:
            self._participant = DomainParticipant(number)
            self._closing = GuardCondition(self._participant)
            self._waitset = WaitSet(self._participant)
            self._waitset.attach(self._closing)
        except DDSException as error:
            raise RobotError(f"DDS domain {number} cannot be joined: {error.msg}.") from error
        self._writers: dict[tuple[str, str, Qos], Any] = {}
        self._readers: list[_Reader] = []
        self._delivery = Delivery("bosun-dds", self._hand_over, self._leave, self._wake)

    def message(self, kind: str) -> Callable[..., Any]:
        """Return what makes messages of a type from its fields by name; all have defaults."""
        made: Callable[..., Any] = self._type(kind)
        return made

    def advertise(self, topic: str, kind: str, qos: Qos) -> Callable[[Any], None]:
        """Return what publishes messages of a type on a topic."""
        key = topic, kind, qos
        with self._delivery.lock:
            if key not in self._writers:
                named = self._topic(topic, kind)
                self._writers[key] = DataWriter(self._participant, named, _policies(qos))

        def publish(message: Any) -> None:
            writer = self._writers.get(key)
            if writer is None:
                raise RobotError(f"Nothing can be published on {topic}: the bus is closed.")
            if not isinstance(message, writer.data_type):
                given = type(message).__name__
                raise RobotError(f"On {topic} {kind} is published, and {given} is none.")
            try:
                writer.write(message)
            except DDSException as error:
                raise RobotError(f"Nothing can be published on {topic}: {error}.") from error

        return publish

    def listen(self, topic: str, kind: str, qos: Qos, on_message: Callable[[Any], None]) -> None:
        """Hand over every message of a topic as it comes, from the thread of the bus."""
        with self._delivery.lock:
            named = self._topic(topic, kind)
            reader = DataReader(self._participant, named, _policies(qos))
            unread = ReadCondition(reader, _UNREAD)
            self._readers.append(_Reader(reader, unread, on_message))
            self._waitset.attach(unread)

    def topics(self) -> Mapping[str, frozenset[str]]:
        """Return which topics others publish now, each with its types."""
        with self._delivery.lock:
            self._demand_open()
            own = self._participant.guid
            reader = BuiltinDataReader(self._participant, BuiltinTopicDcpsPublication)
            alive = ReadCondition(reader, _ALIVE)
            publications = reader.read(_ALL_TOPICS, alive)
        found: dict[str, set[str]] = defaultdict(set)
        for publication in publications:
            topic = ros_topic(publication.topic_name)
            if topic is not None and publication.participant_key != own:
                found[topic].add(ros_type(publication.type_name))
        return {topic: frozenset(kinds) for topic, kinds in found.items()}

    def close(self) -> None:
        """Leave; idempotent, and nothing is handed over afterwards."""
        self._delivery.close()

    def _hand_over(self) -> None:
        """Hand over one message of each topic that has some."""
        self._waitset.wait(_FOREVER)
        for reader in tuple(self._readers):
            if not self._delivery.closed:
                reader.hand_over_next()

    def _wake(self) -> None:
        self._closing.set(True)

    def _leave(self) -> None:
        """Let go of everything, which is how Cyclone is told to."""
        self._writers.clear()
        self._readers.clear()
        del self._waitset, self._closing, self._participant, self._domain

    def _topic(self, topic: str, kind: str) -> Any:
        self._demand_open()
        return Topic(self._participant, dds_topic(topic), self._type(kind))

    def _type(self, kind: str) -> Any:
        if kind not in TYPES:
            raise RobotError(unknown("message type", kind, TYPES))
        return TYPES[kind]

    def _demand_open(self) -> None:
        if self._delivery.closed:
            raise RobotError("The bus is closed.")


class _Reader:
    """One topic that is listened to."""

    def __init__(self, source: Any, unread: Any, on_message: Callable[[Any], None]) -> None:
        self._source, self._unread, self._on_message = source, unread, on_message

    def hand_over_next(self) -> None:
        """Hand over the oldest message not yet handed over, if there is one."""
        for message in self._source.take(1, self._unread):
            # Cyclone tells in this form that a publisher is gone.
            if not isinstance(message, InvalidSample):
                self._on_message(message)


def _policies(qos: Qos) -> Policies:
    """Return what DDS is asked for, with the rest as ROS 2 has it."""
    history = Policy.History.KeepLast(qos.depth)
    durable = (
        Policy.Durability.TransientLocal,
        # How many are kept for who comes later is a setting of its own in DDS.
        Policy.DurabilityService(0, history, -1, -1, -1),
    )
    return Policies(
        Policy.Reliability.Reliable(duration(milliseconds=_BLOCKING_MS))
        if qos.reliable
        else Policy.Reliability.BestEffort,
        *(durable if qos.latched else (Policy.Durability.Volatile,)),
        history,
        Policy.DataRepresentation(use_cdrv0_representation=True),
    )
