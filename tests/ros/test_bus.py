"""Every bus keeps its protocol, and the checker notices those that do not."""

from __future__ import annotations

from functools import partial

from agent.ros.checks import check_bus
from agent.ros.opening import open_bus
from tests.ros.domains import OWN


def test_dds() -> None:
    check_bus(partial(open_bus, "dds", OWN, loopback=True))
