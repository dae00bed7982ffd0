"""From a configuration to a robot; this module names the concrete ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from agent.errors import UsageError
from agent.protocols import Robot, Subscriber
from agent.sections import RobotConfig

if TYPE_CHECKING:
    from agent.robots.tabletop.robot import TabletopRobot
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
    from agent.robots.tabletop.disturbances import DisturbanceSpec
    from agent.robots.tabletop.robot import TabletopRobot

    return TabletopRobot(DisturbanceSpec(**config.disturbances.model_dump()), held=held)


def _open_ros2(config: RobotConfig, held: Callable[[], bool]) -> Robot:
    from agent.robots.ros2.robot import Ros2Robot
    from agent.ros.opening import open_bus

    ros = config.ros2
    with ExitStack() as on_error:
        bus = open_bus(ros.transport, ros.domain, ros.loopback)
        on_error.callback(bus.close)
        robot = Ros2Robot(ros, bus, held)
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


def truth(robot: Robot, config: RobotConfig) -> World | None:
    """Return who knows what is really there, None where nobody does. Privileged."""
    if config.kind == "ros2":
        return _remote_truth(robot, config)
    from agent.robots.tabletop.robot import TabletopRobot

    return robot.world if isinstance(robot, TabletopRobot) else None


def _remote_truth(robot: Robot, config: RobotConfig) -> World | None:
    from agent.robots.ros2.robot import Ros2Robot
    from agent.robots.ros2.truth import RemoteTruth

    topic = config.ros2.simulated.truth
    if topic is None or not isinstance(robot, Ros2Robot):
        return None
    return RemoteTruth(robot.bus, topic, config.ros2.wait_s)


def broadcast(robot: Robot, config: RobotConfig) -> list[Subscriber]:
    """Return what tells a robot's bus of what happens; nothing where it has none."""
    if config.kind != "ros2" or config.ros2.prefix is None:
        return []
    from agent.broadcast import Broadcast
    from agent.robots.ros2.robot import Ros2Robot

    return [Broadcast(robot.bus, config.ros2.prefix)] if isinstance(robot, Ros2Robot) else []


def snapshot(robot: Robot) -> dict[str, Any] | None:
    """Return all that decides how a simulated world goes on; None where it cannot be told."""
    from agent.robots.tabletop.robot import TabletopRobot

    return robot.world.snapshot() if isinstance(robot, TabletopRobot) else None
