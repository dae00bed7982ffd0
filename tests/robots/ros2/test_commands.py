from __future__ import annotations

import time

import numpy as np
import pytest

from agent.action_space import ActionSpace
from agent.errors import RobotError
from agent.robots.panda import HOME_JOINTS, panda_kinematics
from agent.robots.ros2.joints import ArmJoints
from agent.robots.ros2.motion import Motion
from agent.robots.ros2.robot import Ros2Robot
from agent.robots.ros2.spaces import ros2_body, ros2_spec
from agent.ros.opening import open_bus
from agent.types import Vector
from tests.robots.ros2.puppet import ARM, HOME, OTHER, RATE_HZ, Puppet, config
from tests.ros.domains import OWN
from tests.waiting import wait_until


@pytest.mark.parametrize("space", list(ActionSpace))
def test_every_space_leads_the_joints_no_faster_than_they_may_turn(space: ActionSpace) -> None:
    settings, kinematics = config(OWN), panda_kinematics()
    spec, turns = ros2_spec(settings, space), ArmJoints.of(settings).turns
    motion = Motion(space, turns, kinematics)
    joints: Vector = HOME.copy()
    motion.begin(joints, kinematics.pose(joints))
    rng = np.random.default_rng(0)
    for _ in range(60):
        action = rng.uniform(spec.low, spec.high)
        targets = motion.next(action[:-1], joints, kinematics.pose(joints))
        assert np.all(np.abs(targets - joints) <= turns + 1e-9)
        joints = targets
    assert np.abs(joints - HOME).max() > 0.1


def test_a_joint_position_is_reached_in_steps() -> None:
    arm = ArmJoints.of(config(OWN))
    motion, goal = Motion(ActionSpace.JOINT_POSITION, arm.turns, None), HOME + 0.25
    motion.begin(HOME, np.zeros(7))
    turns = [motion.next(goal, HOME, np.zeros(7))[0] for _ in range(4)]
    assert turns == pytest.approx([0.1, 0.2, 0.25, 0.25])


def test_moves_of_the_tool_are_those_of_the_simulated_arm() -> None:
    from agent.robots.tabletop.robot import TabletopRobot

    near, kinematics = TabletopRobot(), panda_kinematics()
    seen, rng = near.reset(3), np.random.default_rng(1)
    motion = Motion(ActionSpace.DELTA_EE, np.full(7, 10.0), kinematics)
    motion.begin(seen.joint_pos, kinematics.pose(seen.joint_pos))
    for tick in range(15):
        action = rng.uniform(near.spec.low, near.spec.high) * 0.3
        targets = motion.next(action[:6], seen.joint_pos, kinematics.pose(seen.joint_pos))
        near.act(action)
        seen = near.observe()
        # The simulated arm begins from what it was told, the one on the bus from where it is.
        assert near.world.data.ctrl[:7] == pytest.approx(targets, abs=2e-2 * 0.7**tick + 1e-3)
    near.close()


def test_nothing_beyond_the_limits_is_sent_and_offsets_are_taken_off(
    puppet: Puppet,
) -> None:
    puppet.mend()
    shifted = config(
        OWN,
        joints={"names": ARM, "offsets": (0.5, *([0.0] * 6))},
        command={"topic": OTHER},
        limits={name: {"low": -2.6, "high": 0.6, "velocity": 99.0} for name in ARM},
    )
    robot = Ros2Robot(
        shifted, open_bus("dds", OWN, loopback=True), space=ActionSpace.JOINT_POSITION
    )
    try:
        with pytest.raises(RobotError, match="reset it first"):
            robot.act(np.zeros(8))
        seen = robot.reset(None)
        assert seen.joint_pos == pytest.approx([HOME[0] + 0.5, *HOME[1:]])
        assert robot.spec.low[:2] == pytest.approx([-2.1, -2.6])
        robot.act(np.append(np.full(7, 9.0), 1.0))
        # The first joint may be told 0.6, which is 1.1 with its offset.
        wait_until(lambda: puppet.told_last() == pytest.approx([0.6] * 7))
        wait_until(lambda: robot.observe().joint_pos == pytest.approx([1.1, *([0.6] * 6)]))
        told = len(puppet.commands)
        with pytest.raises(ValueError, match="finite"):
            robot.act(np.full(8, np.nan))
        time.sleep(0.1)
        assert len(puppet.commands) == told
    finally:
        robot.close()


def test_ticks_come_with_the_pictures(robot: Ros2Robot) -> None:
    times = [robot.reset(None).time_s]
    for _ in range(20):
        robot.act(np.array([0.0] * 6 + [1.0]))
        times.append(robot.observe().time_s)
    assert times[0] == 0.0
    assert np.median(np.diff(times)) == pytest.approx(1 / RATE_HZ, rel=0.2)


def test_the_model_is_that_of_the_real_arm_with_the_offsets_of_its_file() -> None:
    from agent.config import load_config
    from tests.robots.ros2.world import ROOT

    ros = load_config(ROOT / "configs/ros2_arm.yaml").robot.ros2
    arm, kinematics = ArmJoints.of(ros), panda_kinematics()
    rng = np.random.default_rng(0)
    for _ in range(20):
        real = np.array(ros.home) + rng.uniform(-0.4, 0.4, 7)
        found = kinematics.pose(real + arm.offsets)
        assert found[:3] == pytest.approx(_flange(real) @ [0.0, 0.0, 0.243, 1.0], abs=5e-4)
    assert arm.home == pytest.approx(HOME_JOINTS, abs=0.15)
    body = ros2_body(ros, ActionSpace.DELTA_EE)
    # At rest the fingers point down, over the middle of the table.
    assert body.home == pytest.approx([0.4, 0.0, 0.32, 0.0, 1.0, 0.0, 0.0], abs=2e-3)


def _flange(joints: Vector) -> Vector:
    """Return (3, 4): link 7's frame, by the Denavit-Hartenberg parameters that Franka publishes."""
    lengths = (0.0, 0.0, 0.0, 0.0825, -0.0825, 0.0, 0.088)
    offsets = (0.333, 0.0, 0.316, 0.0, 0.384, 0.0, 0.0)
    twists = np.array([0, -1, 1, 1, -1, 1, 1]) * np.pi / 2
    frame = np.eye(4)
    for a, d, twist, turn in zip(lengths, offsets, twists, joints, strict=True):
        ct, st, ca, sa = np.cos(turn), np.sin(turn), np.cos(twist), np.sin(twist)
        frame = frame @ np.array(
            [
                [ct, -st, 0.0, a],
                [st * ca, ct * ca, -sa, -d * sa],
                [st * sa, ct * sa, ca, d * ca],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )
    return frame[:3]
