"""A whole command given to the bare policy: the baseline that planning is held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from agent.protocols import Policy
from agent.types import Fact
from skills.evaluate.scoring import achieved

if TYPE_CHECKING:
    from agent.robots.tabletop.robot import TabletopRobot

_ASK_EVERY = 5
"""Ticks between two looks at the truth."""


def reaches(
    robot: TabletopRobot,
    policy: Policy,
    command: str,
    seed: int,
    goals: Sequence[Fact],
    seconds: float,
) -> bool:
    """Return whether a policy that is told a whole command reaches its goals.

    No planner tells it what comes next and no monitor when to stop, so it is given the benefit of
    every doubt: it has succeeded once the goals hold, even if it were to undo them later.

    Args:
        robot: Simulated, since the world's truth decides.
        policy: Is told the command as if it were a skill's phrase.
        command: What the human says.
        seed: Of the scene.
        goals: What should be true.
        seconds: Of the robot's time, at most.
    """
    robot.reset(seed)
    before = robot.world.truth()
    policy.reset(command)
    for tick in range(round(seconds * robot.spec.rate_hz)):
        if tick % _ASK_EVERY == 0 and achieved(robot.world, goals, before):
            return True
        robot.act(policy.infer(robot.observe()).actions[0].astype(np.float64))
    return achieved(robot.world, goals, before)
