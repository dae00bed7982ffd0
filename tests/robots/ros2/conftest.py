from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from agent.robots.ros2.robot import Ros2Robot
from agent.ros.opening import open_bus
from tests.robots.ros2.puppet import Puppet, config
from tests.ros.domains import OWN


@pytest.fixture(scope="session")
def puppet() -> Iterator[Puppet]:
    """Return a robot on a bus of this process's own; mend it before use."""
    bus = open_bus("dds", OWN, loopback=True)
    made = Puppet(bus)
    yield made
    made.close()
    bus.close()


@pytest.fixture(scope="session")
def opened(puppet: Puppet) -> Iterator[Ros2Robot]:
    """Return the robot as the agent has it."""
    puppet.mend()
    robot = Ros2Robot(config(OWN), open_bus("dds", OWN, loopback=True))
    yield robot
    robot.close()


@pytest.fixture
def robot(opened: Ros2Robot, puppet: Puppet) -> Ros2Robot:
    """Return the robot at the beginning of a mission, with all in order."""
    puppet.mend()
    # What is under way of the last test must not be taken for this one's.
    time.sleep(0.1)
    puppet.commands.clear()
    opened.reset(None)
    return opened
