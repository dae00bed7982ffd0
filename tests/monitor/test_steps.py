from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.action_space import ActionSpace
from agent.monitor.signals import Inconsistency, Reversals, Tick
from agent.monitor.steps import ToolSteps
from agent.types import ActionChunk, Vector
from tests.parts import observation


class _Gantry:
    """Three joints that each move the tool along an axis, 10 cm for each rad."""

    def pose(self, joints: Vector) -> Vector:
        return np.array([*(0.1 * joints), 1.0, 0.0, 0.0, 0.0])

    def jacobian(self, joints: Vector) -> Vector:
        return np.concatenate([0.1 * np.eye(3), np.zeros((3, 3))])

    def solve(self, joints: Vector, pose: Vector) -> Vector:
        return 10.0 * pose[:3]


NOW = np.array([4.0, 0.0, 3.0])
SEEN = replace(observation(tool=(0.4, 0.0, 0.3)), joint_pos=NOW)
TURNS = np.array([[0.1, 0.0, 0.0], [0.1, 0.2, 0.0], [0.0, 0.0, -0.3]])
GRIP = np.ones((3, 1))


def _chunk(motion: Vector) -> ActionChunk:
    return ActionChunk(np.hstack([motion, GRIP]).astype(np.float32), 0.1)


def test_deltas_of_the_tool_are_its_steps() -> None:
    chunk = _chunk(TURNS)
    for space in (ActionSpace.DELTA_EE_POSITION, ActionSpace.DELTA_EE):
        assert np.array_equal(ToolSteps(space)(SEEN, chunk), chunk.actions[:, :3])


@pytest.mark.parametrize(
    ("space", "motion"),
    [
        (ActionSpace.DELTA_JOINT, TURNS),
        (ActionSpace.JOINT_POSITION, NOW + np.cumsum(TURNS, axis=0)),
    ],
)
def test_joints_tell_of_the_tool(space: ActionSpace, motion: Vector) -> None:
    steps = ToolSteps(space, _Gantry())
    assert steps(SEEN, _chunk(motion)) == pytest.approx(0.1 * TURNS, abs=1e-6)


def test_a_step_goes_on_from_what_was_told_before_and_not_from_an_arm_that_lags() -> None:
    steps = ToolSteps(ActionSpace.JOINT_POSITION, _Gantry())
    steps(SEEN, _chunk(NOW + np.cumsum(TURNS, axis=0)))
    told = NOW + TURNS[0]
    again = steps(SEEN, _chunk(told + np.cumsum(TURNS, axis=0)))
    assert again == pytest.approx(0.1 * TURNS, abs=1e-6)
    steps.reset()
    first = steps(SEEN, _chunk(told + np.cumsum(TURNS, axis=0)))
    assert first[0] == pytest.approx(0.2 * TURNS[0], abs=1e-6)


def test_where_nothing_is_known_the_signals_say_nothing() -> None:
    steps = ToolSteps(ActionSpace.JOINT_POSITION)(SEEN, _chunk(TURNS))
    assert steps.shape == (3, 3)
    tick = Tick(0.1, 8.0, SEEN, _chunk(TURNS), steps)
    for signal in (Inconsistency(), Reversals()):
        signal.reset()
        assert np.isnan([signal.read(tick), signal.read(tick)]).all()
