"""From a configuration to a robot; this module names the concrete ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agent.errors import UsageError
from agent.protocols import Robot
from agent.sections import RobotConfig

if TYPE_CHECKING:
    from agent.robots.tabletop.robot import TabletopRobot
    from skills.evaluate.scoring import World


def open_robot(config: RobotConfig, held: Callable[[], bool]) -> Robot:
    """Open the configured robot.

    Args:
        config: Which, and how.
        held: Asked while it moves; once true it holds where it is for what is left of the period.
    """
    from agent.robots.tabletop.disturbances import DisturbanceSpec
    from agent.robots.tabletop.pace import Pace
    from agent.robots.tabletop.robot import SPEC, TabletopRobot

    return TabletopRobot(
        DisturbanceSpec(**config.disturbances.model_dump()),
        held=held,
        pace=Pace(1 / SPEC.rate_hz) if config.realtime else None,
    )


def tabletop(robot: Robot) -> TabletopRobot:
    """Return a robot that is the simulated one.

    Raises:
        UsageError: It is another one.
    """
    from agent.robots.tabletop.robot import TabletopRobot

    if not isinstance(robot, TabletopRobot):
        raise UsageError("Only the simulated tabletop can do that; --set robot.kind=tabletop.")
    return robot


def truth(robot: Robot) -> World | None:
    """Return who knows what is really there, None where nobody does. Privileged."""
    from agent.robots.tabletop.robot import TabletopRobot

    return robot.world if isinstance(robot, TabletopRobot) else None


def snapshot(robot: Robot) -> dict[str, Any] | None:
    """Return all that decides how a simulated world goes on; None where it cannot be told."""
    from agent.robots.tabletop.robot import TabletopRobot

    return robot.world.snapshot() if isinstance(robot, TabletopRobot) else None
