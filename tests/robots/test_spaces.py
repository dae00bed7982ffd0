"""The tabletop's arm in every action space, and a policy of the tool on an arm of joints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from agent.action_space import ActionSpace, still
from agent.body import Body, Kinematics
from agent.checks import check_policy, check_robot
from agent.doubles import ScriptedPolicy
from agent.robots.steering import SteeredPolicy
from agent.robots.tabletop.robot import TabletopRobot
from agent.robots.tabletop.spaces import tabletop_body
from agent.sections import ShieldConfig
from agent.shielding import shield
from agent.types import ActionChunk, Observation, Vector
from tests.parts import observation

JOINTS = (ActionSpace.JOINT_POSITION, ActionSpace.DELTA_JOINT)
DELTAS = np.array(
    [[0.01, 0.005, -0.015, 0.0, 0.0, 0.05, 1.0]] * 6
    + [[-0.005, 0.015, -0.015, 0.025, 0.0, 0.0, 0.0]] * 6
)


@pytest.fixture(scope="module", params=list(ActionSpace))
def robot(request: pytest.FixtureRequest) -> Iterator[TabletopRobot]:
    """Return a robot in each space; each test resets it."""
    made = TabletopRobot(space=request.param)
    yield made
    made.close()


@pytest.fixture(scope="module")
def bodies() -> dict[ActionSpace, Body]:
    return {space: tabletop_body(space) for space in ActionSpace}


def _kinematics(body: Body) -> Kinematics:
    assert body.kinematics is not None
    return body.kinematics


def test_the_arm_keeps_its_protocol() -> None:
    check_robot(lambda: TabletopRobot(space=ActionSpace.JOINT_POSITION))


def test_it_is_what_its_body_says(robot: TabletopRobot, bodies: dict[ActionSpace, Body]) -> None:
    spec, body = robot.spec, bodies[robot.spec.space]
    assert body.spec.names == spec.names
    assert np.array_equal(body.spec.low, spec.low)
    assert np.array_equal(body.spec.high, spec.high)
    assert (body.joints is not None) == spec.space.of_joints


def test_an_arm_told_to_be_still_is(robot: TabletopRobot) -> None:
    seen = robot.reset(4)
    for _ in range(5):
        robot.act(still(robot.spec, seen, 1.0))
    assert np.abs(robot.observe().ee_pose[:3] - seen.ee_pose[:3]).max() < 1e-3


def test_joints_tell_where_the_tool_is(bodies: dict[ActionSpace, Body]) -> None:
    robot = TabletopRobot()
    try:
        seen = [robot.reset(4), *(robot.reset(seed) for seed in (5, 6))]
    finally:
        robot.close()
    for one in seen:
        told = _kinematics(bodies[ActionSpace.JOINT_POSITION]).pose(one.joint_pos)
        assert told == pytest.approx(one.ee_pose, abs=1e-6)


def test_the_jacobian_is_how_the_tool_moves(bodies: dict[ActionSpace, Body]) -> None:
    body = bodies[ActionSpace.JOINT_POSITION]
    assert body.joints is not None
    kinematics, home, small = _kinematics(body), body.joints.home, 1e-6
    found = kinematics.jacobian(home)
    for number, turn in enumerate(small * np.eye(7)):
        moved = kinematics.pose(home + turn)[:3] - kinematics.pose(home - turn)[:3]
        assert found[:3, number] == pytest.approx(moved / (2 * small), abs=1e-6)


def _driven(space: ActionSpace, body: Body) -> list[Vector]:
    """Return where the tool is after each of a few deltas, sent through the shield."""
    robot, limits = TabletopRobot(space=space), shield(body, ShieldConfig())
    chunks = [ActionChunk(row[None].astype(np.float32), 0.1) for row in DELTAS]
    policy = ScriptedPolicy(chunks)
    steered = SteeredPolicy(policy, body, body.kinematics) if body.kinematics else policy
    try:
        robot.reset(4)
        steered.reset("there")
        places = []
        for _ in DELTAS:
            seen = robot.observe()
            action = steered.infer(seen).actions[0].astype(np.float64)
            robot.act(limits.limit(seen, action))
            places.append(robot.observe().ee_pose)
    finally:
        robot.close()
    return places


@pytest.mark.parametrize("space", JOINTS)
def test_a_policy_of_the_tool_moves_it_as_much_by_joints(
    space: ActionSpace, bodies: dict[ActionSpace, Body]
) -> None:
    by_tool = _driven(ActionSpace.DELTA_EE, bodies[ActionSpace.DELTA_EE])
    by_joints = _driven(space, bodies[space])
    apart = [np.linalg.norm(a[:3] - b[:3]) for a, b in zip(by_tool, by_joints, strict=True)]
    assert np.linalg.norm(by_tool[-1][:3] - by_tool[0][:3]) > 0.15
    assert max(apart) < 0.005
    assert abs(by_tool[-1][3:] @ by_joints[-1][3:]) > 0.9995


@pytest.mark.parametrize("space", JOINTS)
def test_a_steered_policy_keeps_its_protocol(
    space: ActionSpace, bodies: dict[ActionSpace, Body]
) -> None:
    body = bodies[space]
    chunk = ActionChunk(DELTAS.astype(np.float32), 0.1, progress=0.5, success=0.1)
    check_policy(lambda: SteeredPolicy(ScriptedPolicy([chunk]), body, _kinematics(body)), _at(body))
    made = SteeredPolicy(ScriptedPolicy([chunk]), body, _kinematics(body))
    made.reset("")
    found = made.infer(_at(body))
    assert found.actions.shape == (len(DELTAS), 8)
    assert (found.progress, found.success) == (0.5, 0.1)


def test_rows_of_joints_and_of_turns_mean_the_same(bodies: dict[ActionSpace, Body]) -> None:
    rows = {}
    for space in JOINTS:
        body = bodies[space]
        chunk = ActionChunk(DELTAS.astype(np.float32), 0.1)
        made = SteeredPolicy(ScriptedPolicy([chunk]), body, _kinematics(body))
        made.reset("")
        rows[space] = made.infer(_at(body)).actions
    body = bodies[ActionSpace.JOINT_POSITION]
    turned = _at(body).joint_pos + np.cumsum(rows[ActionSpace.DELTA_JOINT][:, :-1], axis=0)
    assert turned == pytest.approx(rows[ActionSpace.JOINT_POSITION][:, :-1], abs=1e-5)


def test_the_commanded_tool_stays_in_the_box(bodies: dict[ActionSpace, Body]) -> None:
    body = bodies[ActionSpace.JOINT_POSITION]
    down = ActionChunk(np.array([[0, 0, -0.05, 0, 0, 0, 1]] * 3, np.float32), 0.1)
    made = SteeredPolicy(ScriptedPolicy([down]), body, _kinematics(body))
    made.reset("")
    seen = _at(body)
    for _ in range(12):
        rows = made.infer(seen).actions[:, :-1].astype(np.float64)
        seen = _at(body, rows[0])
    for row in rows:
        # The pull towards the rest posture keeps it a few millimetres off.
        assert -1e-3 < _kinematics(body).pose(row)[2] - body.low[2] < 6e-3


def test_what_is_no_number_stays_none(bodies: dict[ActionSpace, Body]) -> None:
    """The monitor judges it; a row after it cannot be known either."""
    body = bodies[ActionSpace.JOINT_POSITION]
    deltas = DELTAS[:3].astype(np.float32)
    deltas[1, 2] = np.nan
    made = SteeredPolicy(ScriptedPolicy([ActionChunk(deltas, 0.1)]), body, _kinematics(body))
    made.reset("")
    actions = made.infer(_at(body)).actions
    assert np.isfinite(actions[0]).all()
    assert np.isnan(actions[1:, :-1]).all()


def _at(body: Body, joints: Vector | None = None) -> Observation:
    """Return what an arm senses that is at home, or whose joints are so, rad."""
    assert body.joints is not None
    joints = body.joints.home if joints is None else joints
    return replace(observation(), joint_pos=joints, ee_pose=_kinematics(body).pose(joints))
