from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.action_space import ActionSpace, ActionSpec
from agent.body import Joints
from agent.errors import ShieldBreach
from agent.joint_shield import JointShield, ToolLimits
from agent.types import Observation, Vector
from tests.parts import observation

RATE_HZ, SPEED_RAD_S, SPEED_M_S, TURN_RAD_S = 10.0, 2.0, 0.5, 3.0
JOINTS = Joints(np.array([-2.0, -1.5]), np.array([2.0, 1.5]), np.array([0.5, 0.5]))
LOW, HIGH = np.array([0.3, -0.6, -0.1]), np.array([0.9, 0.6, 0.1])


class _TwoLinks:
    """Two links of half a metre in the plane of the table, the tool at their end."""

    def pose(self, joints: Vector) -> Vector:
        first, both = joints[0], joints[0] + joints[1]
        place = 0.5 * np.array([np.cos(first) + np.cos(both), np.sin(first) + np.sin(both), 0.0])
        return np.array([*place, np.cos(both / 2), 0.0, 0.0, np.sin(both / 2)])

    def jacobian(self, joints: Vector) -> Vector:
        first, both = joints[0], joints[0] + joints[1]
        elbow = 0.5 * np.array([-np.sin(first), np.cos(first), 0.0, 0.0, 0.0, 0.0])
        hand = 0.5 * np.array([-np.sin(both), np.cos(both), 0.0, 0.0, 0.0, 2.0])
        return np.column_stack([elbow + hand, hand])

    def solve(self, joints: Vector, pose: Vector) -> Vector:
        raise NotImplementedError("A shield does not ask for it.")


ARM = _TwoLinks()
BOX = ToolLimits(ARM, LOW, HIGH, SPEED_M_S, TURN_RAD_S)


def _shield(space: ActionSpace, tool: ToolLimits | None = BOX) -> JointShield:
    most = np.array([0.3, 0.3]) if space is ActionSpace.DELTA_JOINT else JOINTS.high
    spec = ActionSpec(
        space, ("1", "2", "gripper"), np.append(-most, 0.0), np.append(most, 1.0), RATE_HZ
    )
    return JointShield(spec, JOINTS, SPEED_RAD_S, tool)


def _seen(*joints: float) -> Observation:
    return replace(observation(), joint_pos=np.array(joints))


def _way(space: ActionSpace, seen: Observation, sent: Vector) -> Vector:
    return sent[:-1] - seen.joint_pos if space is ActionSpace.JOINT_POSITION else sent[:-1]


SPACES = pytest.mark.parametrize("space", [ActionSpace.JOINT_POSITION, ActionSpace.DELTA_JOINT])


@SPACES
def test_a_small_action_passes_unchanged_and_is_left_as_it_was(space: ActionSpace) -> None:
    seen = _seen(0.5, -0.7)
    asked = np.array([0.013, -0.021, 0.4])
    if space is ActionSpace.JOINT_POSITION:
        asked[:2] += seen.joint_pos
    before = asked.copy()
    assert np.array_equal(_shield(space).limit(seen, asked), before)
    assert np.array_equal(asked, before)


@SPACES
@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_asked_stays_within_every_limit(space: ActionSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    seen = _seen(*rng.uniform(JOINTS.low, JOINTS.high))
    asked = rng.normal(size=3) * 10.0 ** rng.integers(-2, 3)
    sent = _shield(space).limit(seen, asked)
    way, now = _way(space, seen, sent), seen.joint_pos
    start, end = ARM.pose(now), ARM.pose(now + way)
    assert np.abs(way).max() <= SPEED_RAD_S / RATE_HZ + 1e-8
    assert np.all((now + way >= JOINTS.low - 1e-8) & (now + way <= JOINTS.high + 1e-8))
    assert np.linalg.norm(end[:3] - start[:3]) <= SPEED_M_S / RATE_HZ + 1e-5
    assert 2 * np.arccos(np.minimum(1.0, abs(end[3:] @ start[3:]))) <= TURN_RAD_S / RATE_HZ + 1e-5
    assert np.all(end[:3] >= np.minimum(LOW, start[:3]) - 1e-5)
    assert np.all(end[:3] <= np.maximum(HIGH, start[:3]) + 1e-5)
    assert 0.0 <= sent[-1] <= 1.0


@SPACES
def test_the_tool_goes_along_the_wall_it_would_go_through(space: ActionSpace) -> None:
    """The first joint carries the tool out of the box in x, and on in y; only that is left."""
    wall = 0.7
    now = np.array([-0.3, 0.3 + np.arccos(2 * (wall - 0.005) - np.cos(-0.3))])
    seen, asked = _seen(*now), np.array([-0.05, 0.0, 1.0])
    wanted = ARM.pose(now + asked[:2]) - ARM.pose(now)
    if space is ActionSpace.JOINT_POSITION:
        asked[:2] += now
    tool = replace(BOX, high=np.array([wall, 0.6, 0.1]))
    end = ARM.pose(now + _way(space, seen, _shield(space, tool).limit(seen, asked)))
    assert wanted[0] > 0.01
    assert end[0] == pytest.approx(wall, abs=1e-4)
    assert end[1] - ARM.pose(now)[1] == pytest.approx(wanted[1], abs=1e-4)


@SPACES
def test_an_arm_outside_may_come_back_but_not_go_further(space: ActionSpace) -> None:
    """Stretched ahead, its tool is 8 cm beyond the box."""
    seen = _seen(0.3, -0.4)
    assert ARM.pose(seen.joint_pos)[0] > HIGH[0]
    for turn in (-0.05, 0.05):
        asked = np.array([0.0, turn, 1.0])
        further = ARM.pose(seen.joint_pos + asked[:2])[0] - ARM.pose(seen.joint_pos)[0]
        if space is ActionSpace.JOINT_POSITION:
            asked[:2] += seen.joint_pos
        way = _way(space, seen, _shield(space).limit(seen, asked))
        gone = ARM.pose(seen.joint_pos + way)[0] - ARM.pose(seen.joint_pos)[0]
        assert gone <= 1e-5
        assert further > 0 or gone == pytest.approx(further, abs=1e-6)


@SPACES
def test_a_joint_beyond_its_range_may_come_back_but_not_go_further(space: ActionSpace) -> None:
    shield, seen = _shield(space, tool=None), _seen(0.0, 1.6)
    for asked_rad, sent_rad in ((0.1, 0.0), (-0.1, -0.1)):
        asked = np.array([0.0, asked_rad, 1.0])
        if space is ActionSpace.JOINT_POSITION:
            asked[:2] += seen.joint_pos
        way = _way(space, seen, shield.limit(seen, asked))
        assert way == pytest.approx([0.0, sent_rad])


def test_every_joint_slows_down_where_one_is_too_fast() -> None:
    shield = _shield(ActionSpace.JOINT_POSITION, tool=None)
    sent = shield.limit(_seen(0.0, 0.0), np.array([0.8, -0.4, 0.0]))
    assert sent == pytest.approx([0.2, -0.1, 0.0])


@SPACES
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("index", range(3))
def test_what_is_no_number_is_refused(space: ActionSpace, index: int, value: float) -> None:
    action = np.zeros(3)
    action[index] = value
    with pytest.raises(ShieldBreach, match="finite"):
        _shield(space).limit(_seen(0.5, 0.5), action)


@pytest.mark.parametrize("shape", [(2,), (4,), (1, 3), ()])
def test_a_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShieldBreach, match="shape"):
        _shield(ActionSpace.JOINT_POSITION).limit(_seen(0.5, 0.5), np.zeros(shape))


@pytest.mark.parametrize("joints", [(0.5, np.nan), (0.5,), (0.5, 0.5, 0.5)])
def test_an_arm_that_does_not_know_its_joints_is_refused(joints: tuple[float, ...]) -> None:
    with pytest.raises(ShieldBreach, match="where its joints are"):
        _shield(ActionSpace.JOINT_POSITION).limit(_seen(*joints), np.zeros(3))
