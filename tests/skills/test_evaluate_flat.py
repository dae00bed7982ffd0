"""The baseline that is told the whole command at once."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from agent.robots.tabletop.robot import TabletopRobot
from agent.robots.tabletop.spaces import SPEC
from agent.types import ActionChunk, Fact, Observation, Scene, SceneObject, Vector
from skills.evaluate.flat import reaches

GOALS = (Fact.parse("open(drawer)"),)


class Sliding:
    """A robot whose drawer goes out by 5 mm with every action, and in again after 30."""

    spec = SPEC

    def __init__(self) -> None:
        self.world: Any = self
        self.acted = 0

    def reset(self, seed: int) -> None:
        self.acted = 0

    def observe(self) -> Observation:
        return Observation(0.0, {}, np.zeros(7), np.zeros(7), 1.0)

    def act(self, action: Vector) -> Vector:
        self.acted += 1
        return action

    def truth(self) -> Scene:
        out = 0.005 * (self.acted if self.acted <= 30 else 0)
        drawer = SceneObject("drawer", "drawer", np.zeros(3), articulation=out)
        return Scene(0.0, {"drawer": drawer})


class Told:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.phrases: list[str] = []

    def reset(self, phrase: str) -> None:
        self.phrases.append(phrase)

    def infer(self, observation: Observation) -> ActionChunk:
        return ActionChunk(np.zeros((1, 7), np.float32), 0.1)


def run(seconds: float) -> tuple[bool, Sliding, Told]:
    robot, policy = Sliding(), Told()
    as_robot = cast(TabletopRobot, robot)
    return reaches(as_robot, policy, "open it, then wait", 3, GOALS, seconds), robot, policy


def test_it_succeeds_once_the_goals_hold() -> None:
    """Even though they would not at the end; it hears the whole command, once."""
    success, robot, policy = run(6.0)
    assert success
    assert robot.acted == 15
    assert policy.phrases == ["open it, then wait"]


def test_its_time_is_limited() -> None:
    """It gets as many ticks as the plan's subgoals would."""
    success, robot, _ = run(1.2)
    assert not success
    assert robot.acted == 12
