from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from agent.action_space import ActionSpace, ActionSpec
from agent.body import Joints
from agent.doubles import STILL_SPEC
from agent.protocols import Policy
from agent.types import ActionChunk, Observation
from skills.primitives import (
    HomePrimitive,
    JointHomePrimitive,
    ReleasePrimitive,
    WaitPrimitive,
)
from tests.parts import BODY, observation

HOME = BODY.home


def _after(seen: Observation, chunk: ActionChunk) -> Observation:
    """Return what an ideal arm senses after an action."""
    action, pose = chunk.actions[0].astype(float), seen.ee_pose
    turned = Rotation.from_rotvec(action[3:6]) * Rotation.from_quat(pose[[4, 5, 6, 3]])
    there = np.concatenate([pose[:3] + action[:3], turned.as_quat()[[3, 0, 1, 2]]])
    return replace(seen, time_s=seen.time_s + 0.1, ee_pose=there, gripper=float(action[6]))


def _drive(policy: Policy, seen: Observation, ticks: int = 60) -> list[Observation]:
    """Return what is sensed until the policy says it is done."""
    policy.reset("")
    trail = [seen]
    for _ in range(ticks):
        chunk = policy.infer(trail[-1])
        assert np.linalg.norm(chunk.actions[0, :3]) <= 0.045 + 1e-6
        assert np.linalg.norm(chunk.actions[0, 3:6]) <= 0.2 + 1e-6
        if chunk.success == 1.0:
            return trail
        trail.append(_after(trail[-1], chunk))
    pytest.fail("It was never done.")


def _far() -> Observation:
    turned = (Rotation.from_rotvec([0.3, -0.2, 1.0]) * Rotation.from_quat([1.0, 0, 0, 0])).as_quat()
    pose = np.array([0.70, 0.30, 0.03, *turned[[3, 0, 1, 2]]])
    return replace(observation(), ee_pose=pose)


def test_home_gets_there_turned_the_right_way() -> None:
    end = _drive(HomePrimitive(BODY), _far())[-1].ee_pose
    assert np.linalg.norm(end[:3] - HOME[:3]) < 0.012
    assert abs(end[3:] @ HOME[3:]) > 0.999


def test_home_rises_before_it_moves_sideways() -> None:
    for seen, then in zip(trail := _drive(HomePrimitive(BODY), _far()), trail[1:], strict=False):
        if seen.ee_pose[2] < 0.18:
            assert then.ee_pose[:2] == pytest.approx(seen.ee_pose[:2])
            assert then.ee_pose[2] > seen.ee_pose[2]


@pytest.mark.parametrize(("gripper", "grip"), [(0.0, 0.0), (0.5, 0.0), (0.69, 0.0), (1.0, 1.0)])
@pytest.mark.parametrize("policy", [HomePrimitive(BODY), WaitPrimitive(STILL_SPEC)])
def test_what_is_held_stays_held(policy: Policy, gripper: float, grip: float) -> None:
    policy.reset("")
    assert policy.infer(observation(gripper=gripper)).actions[0, 6] == grip


def test_a_look_settles_before_it_is_done() -> None:
    at_home = replace(observation(), ee_pose=HOME)
    look = HomePrimitive(BODY, settle_ticks=2)
    look.reset("")
    assert [look.infer(at_home).success for _ in range(4)] == [0.0, 0.0, 1.0, 1.0]
    assert look.infer(observation(tool=(0.4, 0.05, 0.3))).success == 0.0
    assert look.infer(at_home).success == 0.0
    look.reset("")
    assert look.infer(at_home).success == 0.0


def test_release_opens_where_it_is_and_is_done_when_open() -> None:
    policy = ReleasePrimitive(STILL_SPEC)
    policy.reset("")
    chunk = policy.infer(observation(gripper=0.5))
    assert chunk.actions.tolist() == [[0, 0, 0, 0, 0, 0, 1]]
    assert chunk.success == 0.0
    assert policy.infer(observation(gripper=0.95)).success == 1.0


def test_wait_moves_nothing_for_its_ticks() -> None:
    wait = WaitPrimitive(STILL_SPEC, seconds=0.3)
    for _ in range(2):
        wait.reset("")
        chunks = [wait.infer(observation()) for _ in range(5)]
        assert [chunk.success for chunk in chunks] == [0.0, 0.0, 0.0, 1.0, 1.0]
        assert all(not chunk.actions[0, :6].any() for chunk in chunks)


JOINTS = Joints(np.full(3, -3.0), np.full(3, 3.0), np.array([0.5, -0.5, 1.0]))


def _of_joints(space: ActionSpace) -> ActionSpec:
    names = ("1", "2", "3", "gripper")
    return ActionSpec(space, names, np.full(4, -3.0), np.full(4, 3.0), 20.0)


@pytest.mark.parametrize("space", [ActionSpace.JOINT_POSITION, ActionSpace.DELTA_JOINT])
def test_joints_turn_home_no_faster_than_they_may(space: ActionSpace) -> None:
    home = JointHomePrimitive(_of_joints(space), JOINTS, settle_ticks=2)
    home.reset("")
    joints = np.array([-1.5, 0.5, 1.2])
    for _ in range(200):
        chunk = home.infer(replace(observation(gripper=0.4), joint_pos=joints))
        assert chunk.actions[0, -1] == 0.0
        if chunk.success == 1.0:
            break
        motion = chunk.actions[0, :-1].astype(float)
        after = motion if space is ActionSpace.JOINT_POSITION else joints + motion
        assert np.abs(after - joints).max() <= 1.0 / 20.0 + 1e-6
        joints = after
    assert chunk.success == 1.0
    assert np.abs(joints - JOINTS.home).max() < 0.02


@pytest.mark.parametrize("make", [ReleasePrimitive, WaitPrimitive])
def test_an_arm_of_joints_that_sags_is_held_where_it_was(make: Callable[..., Policy]) -> None:
    policy = make(_of_joints(ActionSpace.JOINT_POSITION))
    policy.reset("")
    for sag in (0.0, 0.01, 0.02):
        chunk = policy.infer(replace(observation(), joint_pos=np.full(3, 0.5 - sag)))
        assert chunk.actions[0, :-1].tolist() == [0.5, 0.5, 0.5]


def test_home_of_an_arm_that_cannot_turn_its_tool_is_a_place() -> None:
    spec = ActionSpec(
        ActionSpace.DELTA_EE_POSITION, ("x", "y", "z", "g"), -np.ones(4), np.ones(4), 25.0
    )
    home = HomePrimitive(replace(BODY, spec=spec))
    home.reset("")
    chunk = home.infer(_far())
    assert chunk.actions.shape == (1, 4)
    assert chunk.dt_s == 0.04
    assert np.linalg.norm(chunk.actions[0, :3]) <= 0.45 / 25.0 + 1e-6
    assert chunk.actions[0, 2] > 0
