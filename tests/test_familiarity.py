from __future__ import annotations

from typing import Any

import pytest

from agent.config import load_config
from agent.familiarity import unfamiliar
from agent.resources import resource
from agent.sections import RobotConfig


def _over_ros(**changes: Any) -> RobotConfig:
    config = load_config(resource("configs/ros2_world.yaml")).robot
    return config.model_copy(update={"ros2": config.ros2.model_copy(update=changes)})


def test_the_tabletop_is_what_the_networks_know_over_ros_too() -> None:
    assert unfamiliar(RobotConfig()) == ""
    assert unfamiliar(_over_ros()) == ""
    assert "Fetch" in unfamiliar(RobotConfig(kind="fetch"))


def test_another_arm_and_other_cameras_are_told() -> None:
    ros = _over_ros().ros2
    six = ros.joints.model_copy(update={"names": ros.joints.names[:6]})
    assert unfamiliar(_over_ros(joints=six)).endswith("7 joints, and this one has 6")
    front = ros.cameras["front"]
    lone = _over_ros(cameras={"front": front, "side": front})
    assert unfamiliar(lone) == "they need a camera 'wrist', and there are: front, side"
    wide = front.model_copy(update={"size": (480, 640)})
    told = unfamiliar(_over_ros(cameras={**ros.cameras, "front": wide}))
    assert told == "they need pictures of 160x120 pixels from 'front', and get 640x480"


@pytest.mark.parametrize("name", ["ros2_arm.yaml", "ros2_world.yaml"])
def test_shipped_robots_over_ros_are_familiar(name: str) -> None:
    assert unfamiliar(load_config(resource("configs") / name).robot) == ""
