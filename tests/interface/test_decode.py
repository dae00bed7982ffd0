from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from agent.action_space import ActionSpace
from agent.errors import PolicyInvalid
from skills.backend import Reply
from skills.interface.decode import decode
from tests.interface.samples import DIMS, interface, observation, reply, spec

SEEN = observation()
ROWS = np.random.default_rng(5).uniform(-0.05, 0.05, (4, 8)).astype(np.float32)


def _rows(space: ActionSpace) -> np.ndarray:
    """Return a chunk whose grippers are open, closed, open, closed."""
    rows = ROWS[:, : DIMS[space]].copy()
    rows[:, -1] = [1, 0, 1, 0]
    return rows


@pytest.mark.parametrize("space", list(ActionSpace))
def test_what_is_meant_alike_is_passed_on_to_the_bit(space: ActionSpace) -> None:
    rows = _rows(space)
    spread = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    answer = Reply(rows, spread, 0.5, 0.75)
    chunk = decode(interface(space), answer, SEEN, spec(space))
    assert chunk.actions.tobytes() == rows.tobytes()
    assert chunk.spread is not None
    assert (chunk.spread == spread).all()
    assert (chunk.dt_s, chunk.progress, chunk.success) == (0.1, 0.5, 0.75)


def test_more_rows_and_numbers_are_ignored_and_fewer_refused() -> None:
    rows = np.zeros((6, 32), np.float32)
    assert decode(interface(), reply(rows), SEEN, spec()).actions.shape == (4, 7)
    for shape in [(3, 7), (4, 6), (7,), (1, 4, 7)]:
        with pytest.raises(PolicyInvalid, match=r"its interface says \(4, 7\)"):
            decode(interface(), reply(np.zeros(shape)), SEEN, spec())


@pytest.mark.parametrize("space", list(ActionSpace))
@pytest.mark.parametrize("rate_hz", [10, 20])
@pytest.mark.parametrize("nonsense", [np.nan, np.inf])
def test_what_is_no_number_stays_none(space: ActionSpace, rate_hz: float, nonsense: float) -> None:
    rows = _rows(space)
    rows[1, 0] = nonsense
    expected = interface(space, actions={"rate_hz": rate_hz, "rotation": "euler_xyz"})
    chunk = decode(expected, reply(rows), SEEN, spec(space))
    assert not np.isfinite(chunk.actions).all()
    rows = np.full_like(rows, np.nan)
    binary = interface(space, actions={"rate_hz": rate_hz, "binary": True})
    assert np.isnan(decode(binary, reply(rows), SEEN, spec(space)).actions).all()


@pytest.mark.parametrize(
    ("kind", "low", "high", "restored"),
    [("bounds", -0.2, 0.6, 0.4), ("quantiles", -0.2, 0.6, 0.4), ("mean_std", 0.1, 2.0, 1.1)],
)
def test_statistics_are_undone_and_scales_applied(
    kind: str, low: float, high: float, restored: float
) -> None:
    rows = np.full((4, 7), 0.5, np.float32)
    known = {
        "kind": kind,
        "low": [low] * 7,
        "high": [high] * 7,
        "mask": [True] * 6 + [False],
    }
    expected = interface(action_statistics=known, actions={"scale": [0.1] * 3 + [0.5] * 3})
    actions = decode(expected, reply(rows), SEEN, spec()).actions
    np.testing.assert_allclose(actions[:, :3], 0.1 * restored, rtol=1e-6)
    np.testing.assert_allclose(actions[:, 3:6], 0.5 * restored, rtol=1e-6)
    np.testing.assert_allclose(actions[:, 6], 0.5)


@pytest.mark.parametrize(
    ("gripper", "given", "opening"),
    [
        ({"closed": 1.0, "open": -1.0}, [1.0, -1.0, 0.0, -7.0], [0.0, 1.0, 0.5, 1.0]),
        ({"closed": 0.0, "open": 0.08}, [0.08, 0.0, 0.02, -1.0], [1.0, 0.0, 0.25, 0.0]),
    ],
)
def test_grippers_by_name(gripper: Any, given: list[float], opening: list[float]) -> None:
    rows = np.zeros((4, 7), np.float32)
    rows[:, 6] = given
    chunk = decode(interface(actions={"gripper": gripper}), reply(rows), SEEN, spec())
    np.testing.assert_allclose(chunk.actions[:, 6], opening, atol=1e-6)
    either = interface(actions={"gripper": gripper, "binary": True})
    decided = decode(either, reply(rows), SEEN, spec()).actions[:, 6]
    assert set(decided) <= {0.0, 1.0}
    assert (decided[:2] == opening[:2]).all()


def test_euler_angles_become_rotation_vectors() -> None:
    rows = np.zeros((4, 7), np.float32)
    rows[:, 3:6] = [0.3, -0.2, 0.5]
    chunk = decode(interface(actions={"rotation": "euler_xyz"}), reply(rows), SEEN, spec())
    turn = Rotation.from_euler("xyz", [0.3, -0.2, 0.5]).as_rotvec()
    np.testing.assert_allclose(chunk.actions[0, 3:6], turn, atol=1e-6)


def test_deltas_of_joints_become_positions_and_back() -> None:
    deltas = _rows(ActionSpace.DELTA_JOINT)
    there = decode(
        interface(ActionSpace.DELTA_JOINT),
        reply(deltas),
        SEEN,
        spec(ActionSpace.JOINT_POSITION),
    )
    expected = SEEN.joint_pos + np.cumsum(deltas[:, :7].astype(float), axis=0)
    np.testing.assert_allclose(there.actions[:, :7], expected, atol=1e-6)
    back = decode(
        interface(ActionSpace.JOINT_POSITION),
        reply(there.actions),
        SEEN,
        spec(ActionSpace.DELTA_JOINT),
    )
    np.testing.assert_allclose(back.actions, deltas, atol=1e-6)


def test_a_translation_is_a_motion_without_a_turn() -> None:
    rows = _rows(ActionSpace.DELTA_EE_POSITION)
    chunk = decode(interface(ActionSpace.DELTA_EE_POSITION), reply(rows), SEEN, spec())
    np.testing.assert_array_equal(chunk.actions[:, [0, 1, 2, 6]], rows)
    assert (chunk.actions[:, 3:6] == 0).all()


def test_two_rows_of_a_faster_model_make_one_action() -> None:
    rows = _rows(ActionSpace.DELTA_EE)
    rows[:, 3:6] *= 20
    twice = interface(actions={"rate_hz": 20})
    chunk = decode(twice, reply(rows), SEEN, spec())
    assert chunk.actions.shape == (2, 7)
    assert chunk.dt_s == 0.1
    np.testing.assert_allclose(chunk.actions[:, :3], rows[::2, :3] + rows[1::2, :3], atol=1e-6)
    turns = Rotation.from_rotvec(rows[1::2, 3:6]) * Rotation.from_rotvec(rows[::2, 3:6])
    np.testing.assert_allclose(chunk.actions[:, 3:6], turns.as_rotvec(), atol=1e-6)
    np.testing.assert_array_equal(chunk.actions[:, 6], rows[1::2, 6])
    joints = interface(ActionSpace.JOINT_POSITION, actions={"rate_hz": 20})
    rows = _rows(ActionSpace.JOINT_POSITION)
    chunk = decode(joints, reply(rows), SEEN, spec(ActionSpace.JOINT_POSITION))
    np.testing.assert_array_equal(chunk.actions, rows[1::2])
