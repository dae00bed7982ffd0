"""What carries messages to and from ROS 2, tried on this machine."""

from __future__ import annotations

import threading
import time
from contextlib import closing

from agent.doctor.check import Check
from agent.errors import BosunError, MissingDependency
from agent.ros.bus import Bus, Qos
from agent.ros.messages import TEXT, text
from agent.ros.opening import Transport, open_bus

_NAME = "ROS 2"
_TITLES: dict[Transport, str] = {"rclpy": "rclpy", "dds": "Cyclone DDS"}
_TOPIC = "/bosun/doctor"
_PATIENCE_S, _AGAIN_S = 5.0, 0.05
"""How long a message may take to come round, and after which time another is sent, s."""


def ros() -> Check:
    """Look what speaks with ROS 2, and whether a message comes round, on loopback."""
    for transport, title in _TITLES.items():
        try:
            with closing(open_bus(transport, loopback=True)) as bus:
                return _tried(title, bus)
        except MissingDependency:
            continue
        except BosunError as error:
            mend = "Look at ROS_DOMAIN_ID, CYCLONEDDS_URI and the loopback interface."
            return Check(_NAME, False, str(error), mend, required=False)
    detail = "neither rclpy nor Cyclone DDS is importable; not needed for the simulated world"
    mend = "Source a ROS 2 installation before starting Bosun, or pip install 'bosun[ros]'."
    return Check(_NAME, False, detail, mend, required=False)


def _tried(title: str, bus: Bus) -> Check:
    if _comes_round(bus):
        detail = f"{title}: a message came round on this machine"
        return Check(_NAME, True, detail, required=False)
    detail = f"{title}: no message came round on this machine within {_PATIENCE_S:g} s"
    mend = "Let the firewall pass UDP on the loopback interface, ports 7400 and up."
    return Check(_NAME, False, detail, mend, required=False)


def _comes_round(bus: Bus) -> bool:
    came = threading.Event()
    bus.listen(_TOPIC, TEXT, Qos(), lambda message: came.set())
    publish = bus.advertise(_TOPIC, TEXT, Qos())
    end = time.monotonic() + _PATIENCE_S
    while not came.is_set() and time.monotonic() < end:
        publish(text(bus, "Is anybody there?"))
        came.wait(_AGAIN_S)
    return came.is_set()
