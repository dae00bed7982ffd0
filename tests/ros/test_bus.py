"""Every bus keeps its protocol, and the checker notices those that do not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from agent.errors import BosunError
from agent.ros.bus import Bus, Qos
from agent.ros.checks import check_bus, check_types
from agent.ros.dds import DdsBus
from agent.ros.opening import open_bus
from tests.ros.domains import OWN


def test_dds() -> None:
    check_bus(partial(open_bus, "dds", OWN, loopback=True))


@pytest.mark.ros
def test_rclpy() -> None:
    pytest.importorskip("rclpy")
    check_bus(partial(open_bus, "rclpy", OWN, loopback=True))


@pytest.mark.ros
def test_rclpy_and_dds_understand_each_other() -> None:
    pytest.importorskip("rclpy")
    with (
        closing(open_bus("rclpy", OWN, loopback=True)) as ros,
        closing(open_bus("dds", OWN, loopback=True)) as dds,
    ):
        check_types(ros, dds)
        check_types(dds, ros)
        assert "/check/type_0" in ros.topics() and "/check/type_0" in dds.topics()


class _Changed:
    """A bus as it should be, but for what a subclass changes."""

    def __init__(self) -> None:
        self._bus = DdsBus(OWN, loopback=True)

    def message(self, kind: str) -> Callable[..., Any]:
        return self._bus.message(kind)

    def advertise(self, topic: str, kind: str, qos: Qos) -> Callable[[Any], None]:
        return self._bus.advertise(topic, kind, qos)

    def listen(self, topic: str, kind: str, qos: Qos, on_message: Callable[[Any], None]) -> None:
        self._bus.listen(topic, kind, qos, on_message)

    def topics(self) -> Mapping[str, frozenset[str]]:
        return self._bus.topics()

    def close(self) -> None:
        self._bus.close()


class _Losing(_Changed):
    def advertise(self, topic: str, kind: str, qos: Qos) -> Callable[[Any], None]:
        publish, count = super().advertise(topic, kind, qos), iter(range(10**9))
        return lambda message: None if next(count) % 50 == 49 else publish(message)


class _Forgetting(_Changed):
    def advertise(self, topic: str, kind: str, qos: Qos) -> Callable[[Any], None]:
        return super().advertise(topic, kind, Qos(qos.reliable, False, qos.depth))

    def listen(self, topic: str, kind: str, qos: Qos, on_message: Callable[[Any], None]) -> None:
        super().listen(topic, kind, Qos(qos.reliable, False, qos.depth), on_message)


class _Latching(_Changed):
    def advertise(self, topic: str, kind: str, qos: Qos) -> Callable[[Any], None]:
        return super().advertise(topic, kind, Qos(qos.reliable, True, qos.depth))

    def listen(self, topic: str, kind: str, qos: Qos, on_message: Callable[[Any], None]) -> None:
        super().listen(topic, kind, Qos(qos.reliable, qos.reliable, qos.depth), on_message)


class _Insistent(_Changed):
    def advertise(self, topic: str, kind: str, qos: Qos) -> Callable[[Any], None]:
        return super().advertise(topic, kind, Qos(True, qos.latched, qos.depth))


class _Vain(_Changed):
    def topics(self) -> Mapping[str, frozenset[str]]:
        return {**super().topics(), "/check/own": frozenset({"std_msgs/msg/Int64"})}


class _Lingering(_Changed):
    def close(self) -> None:
        threading.Timer(0.2, super().close).start()


class _Lenient(_Changed):
    def message(self, kind: str) -> Callable[..., Any]:
        return super().message(kind) if kind != "std_msgs/msg/Strin" else dict


class _Shifting(_Changed):
    def listen(self, topic: str, kind: str, qos: Qos, on_message: Callable[[Any], None]) -> None:
        make = self.message(kind)
        super().listen(topic, kind, qos, lambda message: on_message(make()))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (_Losing, "all come, and in order"),
        (_Forgetting, "given the last latched message"),
        (_Latching, "not latched"),
        (_Insistent, "must not reach a reliable receiver"),
        (_Vain, "without one's own"),
        (_Lenient, "refused with RobotError"),
        (_Lingering, "must hand nothing over"),
        (_Shifting, "what was sent"),
    ],
)
def test_the_checker_notices(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Bus], complaint: str
) -> None:
    monkeypatch.setattr("agent.ros.checks._PATIENCE_S", 4.0)
    with pytest.raises(BosunError, match=complaint):
        check_bus(make)
