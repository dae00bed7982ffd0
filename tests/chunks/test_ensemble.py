from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from agent.chunks.ensemble import Foreseen, TemporalEnsemble
from agent.chunks.queue import ActionQueue
from agent.timing import Timing
from agent.types import ActionChunk


def _rows(values: Sequence[float], opening: float = 1.0) -> np.ndarray:
    return np.array([[value, opening] for value in values], dtype=np.float32)


def test_older_chunks_weigh_less_by_time_and_not_by_number() -> None:
    ensemble = TemporalEnsemble(0.5)
    ensemble.add(Foreseen(1.0, 0.1, _rows([0, 0, 8, 8])))
    ensemble.add(Foreseen(1.2, 0.1, _rows([3, 5])))
    now, later = ensemble.at(1.2), ensemble.at(1.3)
    assert now is not None and later is not None
    assert now[0] == pytest.approx((3 + 0.25 * 8) / 1.25)
    assert later[0] == pytest.approx((5 + 0.25 * 8) / 1.25)
    assert ensemble.at(1.4) is None


def test_without_weight_for_older_ones_the_newest_takes_over() -> None:
    ensemble = TemporalEnsemble(0.0)
    ensemble.add(Foreseen(0.0, 0.1, _rows([1, 1, 1, 1, 1])))
    ensemble.add(Foreseen(0.1, 0.1, _rows([2, 2])))
    told = [ensemble.at(0.1 * tick) for tick in (1, 2, 3)]
    assert [action[0] for action in told if action is not None] == [2, 2, 1]


def test_a_clock_that_is_not_exact_gives_the_nearest_row() -> None:
    ensemble = TemporalEnsemble(0.6)
    ensemble.add(Foreseen(10.003, 0.1, _rows([0, 1, 2])))
    told = [ensemble.at(time_s) for time_s in (10.003, 10.091, 10.212)]
    assert [action[0] for action in told if action is not None] == [0, 1, 2]


def test_chunks_too_far_apart_do_not_count() -> None:
    ensemble = TemporalEnsemble(1.0, ticks=2)
    for tick in range(3):
        ensemble.add(Foreseen(0.1 * tick, 0.1, _rows([tick] * 6)))
    action = ensemble.at(0.2)
    assert action is not None and action[0] == pytest.approx(1.5)


def test_one_observation_gives_one_voice() -> None:
    ensemble = TemporalEnsemble(0.6)
    ensemble.add(Foreseen(0.0, 0.1, _rows([1, 1])))
    ensemble.add(Foreseen(0.0, 0.1, _rows([5, 5])))
    action = ensemble.at(0.0)
    assert action is not None and action[0] == 5


@pytest.mark.parametrize(
    ("openings", "told"), [((0.0, 1.0), 1.0), ((1.0, 0.0), 0.0), ((0.25, 0.75), 0.5625)]
)
def test_a_gripper_told_one_of_two_is_told_one_of_two(
    openings: tuple[float, float], told: float
) -> None:
    ensemble = TemporalEnsemble(0.6)
    for tick, opening in enumerate(openings):
        ensemble.add(Foreseen(0.1 * tick, 0.1, _rows([0, 0, 0], opening)))
    action = ensemble.at(0.1)
    assert action is not None and action[1] == pytest.approx(told)


def test_the_queue_gives_no_row_whose_time_has_passed() -> None:
    queue = ActionQueue(0.6)
    assert queue.at(0.0) is None
    spread = np.array([1, 2, 3], dtype=np.float32)
    queue.add(0.0, ActionChunk(_rows([0, 1, 2]), 0.1, spread, 0.3, 0.2, Timing(0.0, 0.1)), 0.1)
    chunk = queue.at(0.1)
    assert chunk is not None and chunk.actions[:, 0].tolist() == [1, 2]
    assert (chunk.progress, chunk.success, chunk.timing) == (0.3, 0.2, Timing(0.0, 0.1))
    assert queue.at(0.3) is None


def test_the_later_rows_are_those_of_the_newest_chunk() -> None:
    queue = ActionQueue(1.0)
    queue.add(0.0, ActionChunk(_rows([0, 0, 0, 0]), 0.1), 0.1)
    queue.add(0.1, ActionChunk(_rows([4, 4, 4, 4]), 0.1), 0.2)
    chunk = queue.at(0.2)
    assert chunk is not None and chunk.actions[:, 0].tolist() == [2, 4, 4]
    again = queue.at(0.3)
    assert again is not None and again.actions[:, 0].tolist() == [2, 4]


def test_a_chunk_that_is_late_as_a_whole_takes_nobodys_place() -> None:
    queue = ActionQueue(0.6)
    queue.add(0.0, ActionChunk(_rows([0, 0, 0, 0, 7, 0]), 0.1), 0.1)
    queue.add(0.1, ActionChunk(_rows([9, 9]), 0.1), 0.4)
    chunk = queue.at(0.4)
    assert chunk is not None and chunk.actions[:, 0].tolist() == [7, 0]
