"""From a configuration to a robot; this module names the concrete ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.action_space import ActionSpace
from agent.body import Body
from agent.config import Config
from agent.errors import ConfigError, UsageError
from agent.protocols import Robot, Subscriber
from agent.sections import RobotConfig

if TYPE_CHECKING:
    from agent.robots.simulated import SimulatedRobot
    from agent.robots.tabletop.robot import TabletopRobot
    from agent.ros.bus import Bus
    from skills.evaluate.scoring import World


def open_robot(config: RobotConfig, held: Callable[[], bool]) -> Robot:
    """Open the configured robot.

    Args:
        config: Which, and how.
        held: Asked while it moves; once true it holds where it is for what is left of the period.

    Raises:
        ConfigError: What arrives from the robot is not as configured.
        MissingDependency: Something that it needs is not installed.
    """
    if config.kind == "ros2":
        return _open_ros2(config, held)
    if config.kind == "fetch":
        from agent.robots.fetch.robot import FetchRobot

        return FetchRobot(held=held)
    from agent.robots.tabletop.disturbances import DisturbanceSpec
    from agent.robots.tabletop.metronome import Metronome
    from agent.robots.tabletop.robot import TabletopRobot
    from agent.robots.tabletop.world import RATE_HZ

    return TabletopRobot(
        DisturbanceSpec(**config.disturbances.model_dump()),
        space=config.action or ActionSpace.DELTA_EE,
        held=held,
        metronome=Metronome(1 / RATE_HZ) if config.realtime else None,
    )


def body(config: Config) -> Body:
    """Return what is known of the configured robot before it is opened, its box as configured.

    Raises:
        ConfigError: It does not take the configured actions, or the box encloses nothing.
    """
    known, limits = _body(config.robot), config.shield
    low = known.low if limits.workspace_low is None else np.array(limits.workspace_low)
    high = known.high if limits.workspace_high is None else np.array(limits.workspace_high)
    for axis in np.flatnonzero(low >= high):
        raise ConfigError(
            f"shield: workspace_low must be below workspace_high, but {'xyz'[axis]} is not: the "
            f"box would reach from {low[axis]:g} to {high[axis]:g} m."
        )
    return replace(known, low=low, high=high)


def _body(config: RobotConfig) -> Body:
    if config.kind == "tabletop":
        from agent.robots.tabletop.spaces import tabletop_body

        return tabletop_body(config.action or ActionSpace.DELTA_EE)
    if config.kind == "ros2":
        from agent.robots.ros2.spaces import ros2_body

        return ros2_body(config.ros2, config.action or ActionSpace.DELTA_EE)
    from agent.robots.fetch.spaces import FETCH_BODY

    if config.action not in (None, FETCH_BODY.spec.space):
        raise ConfigError(
            f"A Fetch takes {FETCH_BODY.spec.space} alone; --set robot.action={config.action} is "
            "for the tabletop."
        )
    if any(value not in (0, None) for value in config.disturbances.model_dump().values()):
        raise ConfigError("Only the tabletop has disturbances; a Fetch has none.")
    return FETCH_BODY


def _open_ros2(config: RobotConfig, held: Callable[[], bool]) -> Robot:
    from agent.robots.ros2.robot import Ros2Robot
    from agent.ros.opening import open_bus

    ros = config.ros2
    with ExitStack() as on_error:
        bus = open_bus(ros.transport, ros.domain, ros.loopback)
        on_error.callback(bus.close)
        robot = Ros2Robot(ros, bus, held, config.action or ActionSpace.DELTA_EE)
        on_error.pop_all()
    return robot


def tabletop(robot: Robot) -> TabletopRobot:
    """Return a robot that is the simulated one.

    Raises:
        UsageError: It is another one.
    """
    from agent.robots.tabletop.robot import TabletopRobot

    if not isinstance(robot, TabletopRobot):
        raise UsageError("Only the simulated tabletop can do that; --set robot.kind=tabletop.")
    return robot


def simulated(robot: Robot) -> SimulatedRobot | None:
    """Return a robot that has a world of its own; None where it is out in the real one."""
    from agent.robots.fetch.robot import FetchRobot
    from agent.robots.tabletop.robot import TabletopRobot

    return robot if isinstance(robot, TabletopRobot | FetchRobot) else None


def truth(robot: Robot, config: RobotConfig) -> World | None:
    """Return who knows what is really there, None where nobody does. Privileged."""
    if config.kind == "ros2":
        return _remote_truth(robot, config)
    known = simulated(robot)
    return None if known is None else known.world


def _remote_truth(robot: Robot, config: RobotConfig) -> World | None:
    from agent.robots.ros2.truth import RemoteTruth

    topic, bus = config.ros2.simulated.truth, bus_of(robot, config)
    if topic is None or bus is None:
        return None
    return RemoteTruth(bus, topic, config.ros2.wait_s)


def bus_of(robot: Robot, config: RobotConfig) -> Bus | None:
    """Return the ROS 2 bus that a robot is on; None where it is on none."""
    if config.kind != "ros2":
        return None
    from agent.robots.ros2.robot import Ros2Robot

    return robot.bus if isinstance(robot, Ros2Robot) else None


def broadcast(robot: Robot, config: RobotConfig) -> list[Subscriber]:
    """Return what tells a robot's bus of what happens; nothing where it has none."""
    bus, prefix = bus_of(robot, config), config.ros2.prefix
    if bus is None or prefix is None:
        return []
    from agent.broadcast import Broadcast

    return [Broadcast(bus, prefix)]


def snapshot(robot: Robot) -> dict[str, Any] | None:
    """Return all that decides how a simulated world goes on; None where it cannot be told."""
    known = simulated(robot)
    return None if known is None else known.world.snapshot()
