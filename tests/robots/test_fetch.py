"""The Fetch: repeatable to the bit, and able to grasp; what of it the agent may know."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from agent.action_space import ActionSpace
from agent.checks import check_robot
from agent.config import load_config
from agent.embodiment import body, open_robot, truth
from agent.errors import ConfigError
from agent.facts import holds
from agent.robots.fetch.robot import FetchRobot
from agent.robots.fetch.world import HOME_POSE, THING
from agent.types import HAND, TABLE, Fact, Vector
from skills.evaluate.scoring import achieved


@pytest.fixture(scope="module")
def robot() -> Iterator[FetchRobot]:
    """Return the one robot of these tests; each test resets it."""
    made = FetchRobot()
    yield made
    made.close()


def test_it_keeps_its_protocol() -> None:
    check_robot(FetchRobot)


def test_every_seed_has_a_scene_of_its_own_near_home(robot: FetchRobot) -> None:
    places = []
    for seed in range(12):
        seen = robot.reset(seed)
        places.append(robot.world.truth().objects[THING].position)
        assert seen.gripper == pytest.approx(1.0, abs=0.01)
        assert np.abs(seen.ee_pose[:3] - HOME_POSE[:3]).max() < 0.05
        assert abs(seen.ee_pose[3:] @ HOME_POSE[3:]) > 0.999
        assert np.abs(places[-1][:2] - HOME_POSE[:2]).max() < 0.16
        assert {name: image.shape for name, image in seen.images.items()} == {
            "front": (120, 160, 3),
            "wrist": (96, 96, 3),
        }
    assert len({tuple(place.round(3)) for place in places}) == len(places)


def test_both_cameras_see_the_block(robot: FetchRobot) -> None:
    """It is the only thing that is red."""
    _over_the_block(robot, seed=3)
    for name, image in robot.observe().images.items():
        red, green, blue = np.moveaxis(image.astype(int), -1, 0)
        assert ((red > 2 * green) & (red > 2 * blue)).sum() > 20, name


def test_a_tool_goes_as_far_as_it_is_told(robot: FetchRobot) -> None:
    begin = robot.reset(0).ee_pose
    for _ in range(10):
        robot.act(np.array([0.01, -0.008, 0.005, 1.0]))
    for _ in range(10):
        robot.act(np.array([0.0, 0.0, 0.0, 1.0]))
    moved = robot.observe().ee_pose[:3] - begin[:3]
    assert moved == pytest.approx([0.1, -0.08, 0.05], abs=0.004)


def test_it_grasps_and_lifts_and_the_truth_knows(robot: FetchRobot) -> None:
    _over_the_block(robot, seed=3)
    before = robot.world.truth()
    assert before.objects[THING].support == TABLE
    _go(robot, before.objects[THING].position, opening=1.0)
    for _ in range(20):
        robot.act(np.array([0.0, 0.0, 0.0, 0.0]))
    _go(robot, before.objects[THING].position + np.array([0.0, 0.0, 0.15]), opening=0.0)
    after = robot.world.truth()
    assert after.objects[THING].support == HAND
    assert achieved(robot.world, [Fact.parse(f"held({THING})")], before)
    for _ in range(30):
        robot.act(np.array([0.0, 0.0, 0.0, 1.0]))
    assert holds(Fact.parse("hand_empty()"), robot.world.truth(), before)


def test_another_world_goes_on_from_a_snapshot_to_the_bit(robot: FetchRobot) -> None:
    other = FetchRobot()
    try:
        _over_the_block(robot, seed=3)
        other.world.restore(json.loads(json.dumps(robot.world.snapshot())))
        for made in (robot, other):
            made.reset(None)
            for _ in range(10):
                made.act(np.array([0.01, 0.0, -0.02, 0.0]))
        assert np.array_equal(robot.world.data.qpos, other.world.data.qpos)
        assert np.array_equal(robot.observe().images["wrist"], other.observe().images["wrist"])
    finally:
        other.close()


def test_it_holds_at_once_when_it_is_stopped_in_the_middle_of_a_period() -> None:
    asked = 0

    def late() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    made = FetchRobot(held=late)
    try:
        made.reset(1)
        for _ in range(6):
            made.act(np.array([0.05, 0.0, 0.0, 1.0]))
        there = made.observe().ee_pose
        made.act(np.array([0.05, 0.0, 0.0, 1.0]))
        assert np.abs(made.observe().ee_pose[:3] - there[:3]).max() < 2e-3
    finally:
        made.close()


def test_it_is_configured_by_name() -> None:
    config = load_config(None, ["robot.kind=fetch"])
    known, made = body(config), open_robot(config.robot, lambda: False)
    try:
        assert made.spec is known.spec
        assert made.spec.space is ActionSpace.DELTA_EE_POSITION
        assert truth(made, config.robot) is not None
    finally:
        made.close()


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("robot.action=joint_position", "takes delta_ee_position alone"),
        ("robot.disturbances.drop_per_s=0.5", "has none"),
    ],
)
def test_what_it_cannot_is_refused(override: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        body(load_config(None, ["robot.kind=fetch", override]))


def _over_the_block(robot: FetchRobot, seed: int) -> None:
    robot.reset(seed)
    above = robot.world.truth().objects[THING].position + np.array([0.0, 0.0, 0.1])
    _go(robot, above, opening=1.0)


def _go(robot: FetchRobot, goal: Vector, opening: float) -> None:
    for _ in range(40):
        step = np.clip(0.4 * (goal - robot.world.ee_pose[:3]), -0.02, 0.02)
        robot.act(np.append(step, opening))
