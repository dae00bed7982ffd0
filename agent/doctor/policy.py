"""Whether what carries out learned skills is there, answers, and fits the robot."""

from __future__ import annotations

from contextlib import ExitStack

from agent.config import Config
from agent.doctor.check import Check
from agent.embodiment import open_robot
from agent.errors import BosunError, ConfigError, MissingDependency
from agent.sources import public_policy


def public(config: Config) -> Check:
    """Open a model of somebody else's and hold it against the robot, which moves nothing."""
    name = f"policy {config.policy.source}"
    with ExitStack() as closing:
        try:
            policy, interface, _ = public_policy(config.policy, closing)
        except MissingDependency as error:
            return Check(name, False, str(error), "Install what it names.")
        except ConfigError as error:
            return Check(name, False, str(error), "Mend the section `policy`.")
        except BosunError as error:
            return Check(name, False, str(error), "Start it, or name another: --set policy=...")
        try:
            robot = open_robot(config.robot, lambda: False)
            closing.callback(robot.close)
            policy.fit(robot.spec, robot.reset(None))
        except BosunError as error:
            return Check(name, False, str(error), "Mend its interface, or choose another robot.")
    return Check(name, True, f"{interface.name} answers and fits the robot")
