"""A ROS 2 bus over plain DDS: Cyclone DDS from pip, without a ROS installation."""

from __future__ import annotations

import atexit
import os
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from agent.errors import ConfigError, MissingDependency, RobotError, unknown
from agent.ros.bus import Qos
from agent.ros.names import dds_topic, ros_topic, ros_type

HIGHEST_DOMAIN = 232
"""Beyond it there are no ports."""

# Without multicast, others are looked for at the first hundred ports of the domain.
_LOOPBACK = """<CycloneDDS><Domain>
<General><Interfaces><NetworkInterface name="lo"/></Interfaces>
<AllowMulticast>false</AllowMulticast></General>
<Discovery><ParticipantIndex>auto</ParticipantIndex><MaxAutoParticipantIndex>99</MaxAutoParticipantIndex>
<Peers><Peer address="127.0.0.1"/></Peers></Discovery>
</Domain></CycloneDDS>"""

_BLOCKING_MS = 100
"""How long a reliable publisher waits for a receiver that does not keep up, ms."""

_MOST_TOPICS = 10_000


@dataclass(frozen=True)
class _OpenDomain:
    """What a process has of a domain; it is open while this is kept."""

    settings: str
    entity: Any


_open_domains: WeakValueDictionary[int, _OpenDomain] = WeakValueDictionary()
_opening = threading.Lock()


class DdsBus:
    """A participant in a DDS domain, under the names that ROS 2 has there.

    A message is handed over from one thread of the bus, one of each topic in turn, so that a
    topic of large messages does not hold up the others. What a receiver raises goes to
    `threading.excepthook`, as from any thread, and the bus carries on.
    """

    def __init__(self, domain: int | None = None, loopback: bool = False) -> None:
        """Join a domain.

        Args:
            domain: Which one, 0..232; None means `ROS_DOMAIN_ID`, or 0.
            loopback: Whether to stay on this machine whatever the environment says; otherwise
                `ROS_LOCALHOST_ONLY`, `ROS_AUTOMATIC_DISCOVERY_RANGE` and `CYCLONEDDS_URI` hold.

        Raises:
            MissingDependency: The extra `ros` is not installed.
            ConfigError: There is no such domain.
            RobotError: It cannot be joined, or with other settings than this process has already.
        """
        try:
            from cyclonedds.core import DDSException, GuardCondition, WaitSet
            from cyclonedds.domain import DomainParticipant

            from agent.ros.idl import TYPES
        except ImportError as error:
            raise MissingDependency(
                "ROS 2 over DDS needs Cyclone DDS: pip install 'bosun[ros]'."
            ) from error
        self._types = TYPES
        number = _domain_id(domain)
        try:
            self._domain = _configured(number, _settings(loopback))
            self._participant = DomainParticipant(number)
            self._waitset = WaitSet(self._participant)
            self._closing = GuardCondition(self._participant)
            self._waitset.attach(self._closing)
        except DDSException as error:
            raise RobotError(f"DDS domain {number} cannot be joined: {error.msg}.") from error
        self._writers: dict[tuple[str, str, Qos], Any] = {}
        self._readers: list[_Reader] = []
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._deliver, name="bosun-dds", daemon=True)
        self._thread.start()
        # Cyclone tears down at exit what the thread still waits for.
        atexit.register(self.close)

    def message(self, kind: str) -> Callable[..., Any]:
        """Return what makes messages of a type from its fields by name; all have defaults."""
        made: Callable[..., Any] = self._type(kind)
        return made

    def advertise(self, topic: str, kind: str, qos: Qos) -> Callable[[Any], None]:
        """Return what publishes messages of a type on a topic.

        It raises `RobotError` where a message is of another type, a field's value does not fit,
        or the bus is closed.
        """
        from cyclonedds.pub import DataWriter

        key = topic, kind, qos
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
            except Exception as error:
                # Cyclone raises bare exceptions where a value does not fit.
                why = _complaint(error)
                raise RobotError(f"{kind} cannot be published on {topic}: {why}.") from error

        return publish

    def listen(self, topic: str, kind: str, qos: Qos, on_message: Callable[[Any], None]) -> None:
        """Hand over every message of a topic as it comes, from the thread of the bus."""
        from cyclonedds.core import InstanceState, ReadCondition, SampleState, ViewState
        from cyclonedds.sub import DataReader

        reader = DataReader(self._participant, self._topic(topic, kind), _policies(qos))
        unread = ReadCondition(reader, ViewState.Any | InstanceState.Any | SampleState.NotRead)
        self._readers.append(_Reader(reader, unread, on_message))
        self._waitset.attach(unread)

    def topics(self) -> Mapping[str, frozenset[str]]:
        """Return which topics others publish now, each with its types."""
        from cyclonedds.builtin import BuiltinDataReader, BuiltinTopicDcpsPublication
        from cyclonedds.core import InstanceState, ReadCondition, SampleState, ViewState

        self._demand_open("list of topics")
        reader = BuiltinDataReader(self._participant, BuiltinTopicDcpsPublication)
        alive = ReadCondition(reader, ViewState.Any | InstanceState.Alive | SampleState.Any)
        found: dict[str, set[str]] = defaultdict(set)
        for endpoint in reader.read(_MOST_TOPICS, alive):
            topic = ros_topic(endpoint.topic_name)
            if topic is not None and endpoint.participant_key != self._participant.guid:
                found[topic].add(ros_type(endpoint.type_name))
        return {topic: frozenset(kinds) for topic, kinds in found.items()}

    def close(self) -> None:
        """Leave; idempotent, and nothing is handed over afterwards."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._closing.set(True)
        atexit.unregister(self.close)
        # A receiver may close the bus itself; its thread then ends when the receiver is done.
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _deliver(self) -> None:
        from cyclonedds.util import duration

        while not self._closed:
            self._waitset.wait(duration(infinite=True))
            for reader in tuple(self._readers):
                if self._closed:
                    break
                reader.hand_over_next()
        # DDS lets go of what Python lets go of.
        self._writers.clear()
        self._readers.clear()
        del self._waitset, self._closing, self._participant, self._domain

    def _topic(self, topic: str, kind: str) -> Any:
        from cyclonedds.topic import Topic

        self._demand_open(topic)
        return Topic(self._participant, dds_topic(topic), self._type(kind))

    def _type(self, kind: str) -> Any:
        if kind not in self._types:
            raise RobotError(unknown("message type", kind, self._types))
        return self._types[kind]

    def _demand_open(self, topic: str) -> None:
        if self._closed:
            raise RobotError(f"There is no {topic} any more: the bus is closed.")


class _Reader:
    """One topic that is listened to."""

    def __init__(self, source: Any, unread: Any, on_message: Callable[[Any], None]) -> None:
        self.source, self.unread, self._on_message = source, unread, on_message

    def hand_over_next(self) -> None:
        """Hand over the oldest message not yet handed over, if there is one."""
        from cyclonedds.internal import InvalidSample

        try:
            for message in self.source.take(1, self.unread):
                # Cyclone tells in this form that a publisher is gone.
                if not isinstance(message, InvalidSample):
                    self._on_message(message)
        except Exception:
            threading.excepthook(
                threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread()))
            )


def _complaint(error: BaseException) -> str:
    """Return what Cyclone finds wrong with a message: the field's path, and the innermost cause."""
    path: list[str] = []
    # Its own sentences hold whole values, such as a picture.
    while error.__cause__ is not None:
        field = re.match(r"Failed to encode member (\w+)", str(error))
        path += field.groups() if field else ()
        error = error.__cause__
    return ": ".join(filter(None, [".".join(path), str(error)]))


def _domain_id(asked: int | None) -> int:
    """Return the number of the domain to join."""
    said = os.environ.get("ROS_DOMAIN_ID", "0") if asked is None else str(asked)
    if not (said.isascii() and said.isdigit() and int(said) <= HIGHEST_DOMAIN):
        raise ConfigError(f"A ROS domain is a number 0..{HIGHEST_DOMAIN}, and {said!r} is not.")
    return int(said)


def _settings(loopback: bool) -> str:
    """Return what Cyclone is told, in its XML or as addresses of it."""
    if loopback:
        return _LOOPBACK
    local = (
        os.environ.get("ROS_LOCALHOST_ONLY") == "1"
        or os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "").upper() == "LOCALHOST"
    )
    own = os.environ.get("CYCLONEDDS_URI")
    return ",".join(filter(None, [_LOOPBACK if local else None, own]))


def _configured(number: int, settings: str) -> _OpenDomain:
    """Return a domain open with these settings; a process has it once, whoever joins it."""
    from cyclonedds.domain import Domain

    with _opening:
        domain = _open_domains.get(number)
        if domain is None:
            domain = _OpenDomain(settings, Domain(number, settings))
            _open_domains[number] = domain
        elif domain.settings != settings:
            raise RobotError(
                f"This process has DDS domain {number} open with other settings, "
                "such as loopback; close that bus first, or take another domain."
            )
        return domain


def _policies(qos: Qos) -> Any:
    """Return what DDS is asked for, with the rest as ROS 2 has it."""
    from cyclonedds.core import Policy
    from cyclonedds.qos import Qos as Policies
    from cyclonedds.util import duration

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
