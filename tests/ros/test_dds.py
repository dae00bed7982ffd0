from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ConfigError, MissingDependency, RobotError
from agent.ros.bus import SENSOR, Bus, Qos
from agent.ros.checks import samples
from agent.ros.dds import DdsBus
from agent.ros.opening import Transport, open_bus
from tests.ros.domains import OWN
from tests.ros.peer import peer
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
TEXT = "std_msgs/msg/String"


@pytest.fixture
def bus() -> Iterator[DdsBus]:
    with closing(DdsBus(OWN, loopback=True)) as bus:
        yield bus


def _say(bus: Bus, topic: str, *words: str, qos: Qos | None = None) -> None:
    publish = bus.advertise(topic, TEXT, qos or Qos())
    for word in words:
        publish(bus.message(TEXT)(data=word))


def _put(heard: queue.Queue[tuple[str, Any]], kind: str, message: Any) -> None:
    heard.put((kind, message))


def test_every_type_goes_to_another_process_and_back(bus: DdsBus) -> None:
    heard: queue.Queue[tuple[str, Any]] = queue.Queue()
    sent = samples(bus)
    with peer(OWN):
        wait_until(lambda: len([name for name in bus.topics() if "/peer/out" in name]) == len(sent))
        publishers = []
        for number, kind in enumerate(sent):
            bus.listen(f"/peer/out_{number}", kind, Qos(), partial(_put, heard, kind))
            publishers.append(bus.advertise(f"/peer/in_{number}", kind, Qos()))
        missing = dict(sent)
        end = time.monotonic() + 10.0
        while missing and time.monotonic() < end:
            for (kind, message), publish in zip(sent.items(), publishers, strict=True):
                if kind in missing:
                    publish(message)
            time.sleep(0.05)
            while not heard.empty():
                kind, came = heard.get()
                assert came == sent[kind]
                missing.pop(kind, None)
        assert not missing
    wait_until(lambda: not any("/peer/" in name for name in bus.topics()))


def test_who_fails_to_receive_is_reported_and_given_the_next(
    bus: DdsBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    heard: list[str] = []

    def receive(message: Any) -> None:
        heard.append(message.data)
        if message.data == "bad":
            raise ValueError("cannot take it")

    bus.listen("/fails", TEXT, Qos(), receive)
    bus.listen("/works", TEXT, Qos(), lambda message: heard.append(message.data))
    _say(bus, "/fails", "good", "bad", "better")
    _say(bus, "/works", "fine")
    wait_until(lambda: len(heard) == 4 and bool(reported))
    assert [words for words in heard if words != "fine"] == ["good", "bad", "better"]
    assert [str(args.exc_value) for args in reported] == ["cannot take it"]


def test_what_cannot_be_read_is_reported_and_lost(
    bus: DdsBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    heard: list[str] = []
    bus.listen("/text", TEXT, Qos(), lambda message: heard.append(message.data))
    publish, message = bus.advertise("/text", TEXT, Qos()), bus.message(TEXT)(data="broken")
    monkeypatch.setattr(
        type(message), "serialize", lambda self, **how: b"\0\1\0\0\3\0\0\0\xff\xfe\0\0"
    )
    publish(message)
    monkeypatch.delattr(type(message), "serialize")
    _say(bus, "/text", "whole")
    wait_until(lambda: bool(heard and reported))
    assert heard == ["whole"]
    assert [args.exc_type for args in reported] == [UnicodeDecodeError]


def test_a_receiver_may_close_the_bus(bus: DdsBus) -> None:
    heard: list[str] = []

    def receive(message: Any) -> None:
        heard.append(message.data)
        bus.close()

    bus.listen("/close", TEXT, Qos(), receive)
    _say(bus, "/close", "first", "second")
    wait_until(lambda: bool(heard))
    bus.close()
    time.sleep(0.2)
    assert heard == ["first"]
    with pytest.raises(RobotError, match="closed"):
        _say(bus, "/close", "third")
    with pytest.raises(RobotError, match="closed"):
        bus.listen("/close", TEXT, Qos(), print)


def test_closing_waits_for_who_is_receiving(bus: DdsBus) -> None:
    began, done = threading.Event(), threading.Event()

    def receive(message: Any) -> None:
        began.set()
        time.sleep(0.2)
        done.set()

    bus.listen("/slow", TEXT, Qos(), receive)
    _say(bus, "/slow", "hello")
    assert began.wait(10.0)
    bus.close()
    assert done.is_set()


def test_a_busy_topic_does_not_hold_up_another(bus: DdsBus) -> None:
    heard: list[str] = []
    said = threading.Event()

    def receive(message: Any) -> None:
        heard.append(message.data)
        assert said.wait(10.0)

    bus.listen("/busy", TEXT, Qos(depth=100), receive)
    bus.listen("/stop", TEXT, Qos(), lambda message: heard.append("stop"))
    _say(bus, "/busy", *"0123456789", qos=Qos(depth=100))
    _say(bus, "/stop", "now")
    said.set()
    wait_until(lambda: len(heard) == 11)
    # Two of the busy topic may be under way when the other's message comes.
    assert heard.index("stop") <= 2


def test_only_the_latest_is_kept_for_a_slow_receiver(bus: DdsBus) -> None:
    heard: list[str] = []
    slow = threading.Event()

    def receive(message: Any) -> None:
        heard.append(message.data)
        assert slow.wait(10.0)

    bus.listen("/sensor", TEXT, SENSOR, receive)
    _say(bus, "/sensor", "0", qos=SENSOR)
    wait_until(lambda: bool(heard))
    _say(bus, "/sensor", *"12345", qos=SENSOR)
    slow.set()
    wait_until(lambda: "5" in heard)
    assert heard == ["0", "5"]


def test_domains_do_not_hear_each_other(bus: DdsBus) -> None:
    with closing(DdsBus(1 + OWN % 100, loopback=True)) as other:
        heard: list[str] = []
        other.listen("/here", TEXT, Qos(), lambda message: heard.append(message.data))
        _say(bus, "/here", "hello")
        time.sleep(0.3)
        assert not heard
        assert "/here" not in other.topics()


def test_the_environment_names_domain_and_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(OWN))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    with closing(DdsBus()) as bus, closing(DdsBus(OWN, loopback=True)) as other:
        bus.advertise("/named", TEXT, Qos())
        wait_until(lambda: "/named" in other.topics())


@pytest.mark.parametrize("domain", ["-1", "233", "one", "1.5"])
def test_a_domain_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, domain: str) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", domain)
    with pytest.raises(ConfigError, match=rf"0\.\.232, and '{domain}'"):
        DdsBus()


def test_a_domain_has_one_reach_in_a_process(bus: DdsBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLONEDDS_URI", "<CycloneDDS><Domain/></CycloneDDS>")
    with pytest.raises(RobotError, match=f"domain {OWN} open with another reach"):
        DdsBus(OWN)


def test_settings_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLONEDDS_URI", "<nonsense/>")
    with pytest.raises(RobotError, match="CYCLONEDDS_URI"):
        DdsBus(1 + OWN % 100)


def test_a_program_may_end_without_closing() -> None:
    code = (
        "from agent.ros.opening import open_bus; from agent.ros.bus import Qos; "
        f"bus = open_bus('dds', {OWN}, loopback=True); "
        f"bus.listen('/end', '{TEXT}', Qos(), print); bus.advertise('/end', '{TEXT}', Qos())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30.0
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("transport", "absent", "mend"),
    [
        ("auto", ("rclpy", "cyclonedds"), "Neither a sourced ROS 2 nor Cyclone DDS"),
        ("dds", ("cyclonedds",), r"Cyclone DDS is not installed: pip install 'bosun\[ros\]'"),
        ("rclpy", ("rclpy",), "rclpy cannot be imported .* source"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, transport: Transport, absent: tuple[str, ...], mend: str
) -> None:
    for module in list(sys.modules):
        if module.startswith(("cyclonedds", "agent.ros.")):
            monkeypatch.delitem(sys.modules, module)
    for package in absent:
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependency, match=mend):
        open_bus(transport)
