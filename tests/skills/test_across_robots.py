"""One model, the same words about it, and robots that take other actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from agent.config import load_config
from agent.embodiment import body, open_robot
from agent.errors import ConfigError
from agent.protocols import Robot
from agent.shielding import shield
from agent.types import FloatArray, Vector
from skills.backend import Reply
from skills.interface.schema import Interface
from skills.public import PublicPolicy

ROBOTS: dict[str, tuple[str, ...]] = {
    "tabletop": (),
    "by joints": ("robot.action=joint_position",),
    "by turns": ("robot.action=delta_joint",),
    "fetch": ("robot.kind=fetch",),
}
HORIZON, TICKS, WAY_M, TURN_RAD = 10, 8, 0.002, 0.01
BY_TOOL = {"space": "delta_ee_position", "dim": 4}
BY_JOINTS = {"space": "joint_position", "dim": 8}
STATE = {"state": {"parts": ["joints", "gripper"], "joints": 7}}


class _Steady:
    """A model that always goes the same way; its gripper is -1 open to 1 closed. It keeps what it
    was last `asked`."""

    def __init__(self, answer: Callable[[Mapping[str, Any]], FloatArray]) -> None:
        self._answer = answer
        self.asked: Mapping[str, Any] = {}

    def reset(self) -> None:
        """Nothing is kept."""

    def ask(self, inputs: Mapping[str, Any]) -> Reply:
        self.asked = inputs
        return Reply(self._answer(inputs))

    def close(self) -> None:
        """Nothing is open."""


def _along(inputs: Mapping[str, Any]) -> FloatArray:
    return np.tile(np.array([WAY_M, 0.0, 0.0, 1.0], np.float32), (HORIZON, 1))


def _turning(inputs: Mapping[str, Any]) -> FloatArray:
    """Return rows that turn the last joint on from where the model is told that it is."""
    rows = np.tile(np.append(inputs["state"][:7], 1.0), (HORIZON, 1))
    rows[:, 6] += TURN_RAD * np.arange(1, HORIZON + 1)
    return rows.astype(np.float32)


def _interface(actions: Mapping[str, Any]) -> Interface:
    """Return words about a model of 50 rows a second that learned from pictures upside down."""
    camera = {"camera": "front", "size": [60, 80], "flip": "both"}
    return Interface.model_validate(
        {
            "name": "Steady",
            "cameras": {"image": camera},
            "state": STATE,
            "actions": {
                "horizon": HORIZON,
                "rate_hz": 50,
                "gripper": {"closed": 1.0, "open": -1.0},
                **actions,
            },
        }
    )


@pytest.fixture(scope="module", params=list(ROBOTS))
def made(request: pytest.FixtureRequest) -> Iterator[tuple[str, Robot]]:
    """Return the name of a robot and the robot; each test resets it."""
    robot = open_robot(load_config(None, ROBOTS[request.param]).robot, lambda: False)
    yield request.param, robot
    robot.close()


def _drive(name: str, robot: Robot, model: _Steady, actions: Mapping[str, Any]) -> list[Vector]:
    """Return where tool and last joint are at each tick; what is sent goes through the shield."""
    config = load_config(None, ROBOTS[name])
    limits, policy = shield(body(config), config.shield), PublicPolicy(model, _interface(actions))
    policy.fit(robot.spec, robot.reset(2))
    policy.reset("go on")
    trail = []
    for _ in range(TICKS):
        seen = robot.observe()
        trail.append(np.append(seen.ee_pose[:3], seen.joint_pos[-1]))
        robot.act(limits.limit(seen, policy.infer(seen).actions[0].astype(np.float64)))
    assert robot.observe().gripper < 0.3
    return trail


def test_a_model_that_moves_the_tool(made: tuple[str, Robot]) -> None:
    name, robot = made
    model = _Steady(_along)
    if robot.spec.space.of_joints:
        with pytest.raises(ConfigError, match=f"gives delta_ee_position.*{robot.spec.space}"):
            _drive(name, robot, model, BY_TOOL)
        assert model.asked == {}
        return
    trail = _drive(name, robot, model, BY_TOOL)
    ticks = (TICKS - 1) * 50 / robot.spec.rate_hz
    assert trail[-1][0] - trail[0][0] == pytest.approx(ticks * WAY_M, abs=0.012)
    assert np.abs(trail[-1][1:3] - trail[0][1:3]).max() < 0.01
    # Pictures come as the model learned them: half as large, and upside down.
    shown = model.asked["image"].astype(float)
    upright = robot.observe().images["front"].reshape(60, 2, 80, 2, 3).mean((1, 3))
    assert np.abs(shown[::-1, ::-1] - upright).mean() < 0.5 * np.abs(shown - upright).mean()


def test_a_model_that_says_where_joints_shall_be(made: tuple[str, Robot]) -> None:
    name, robot = made
    model = _Steady(_turning)
    if not robot.spec.space.of_joints:
        with pytest.raises(ConfigError, match=f"gives joint_position.*{robot.spec.space}"):
            _drive(name, robot, model, BY_JOINTS)
        assert model.asked == {}
        return
    trail = _drive(name, robot, model, BY_JOINTS)
    turned = trail[-1][3] - trail[0][3]
    assert 0.5 < turned / ((TICKS - 1) * 5 * TURN_RAD) < 1.05
