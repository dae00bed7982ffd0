from __future__ import annotations

import numpy as np
import pytest

from agent.monitor.tempo import Tempo
from agent.timing import Timing
from agent.types import ActionChunk
from tests.parts import observation


def _chunk(seen_s: float | None = None) -> ActionChunk:
    timing = None if seen_s is None else Timing(seen_s, 0.15)
    return ActionChunk(np.zeros((6, 7), dtype=np.float32), 0.1, timing=timing)


def test_seconds_in_which_the_arm_was_kept_waiting_do_not_count() -> None:
    tempo = Tempo()
    times = (3.2, 3.5, 3.6, 3.71, 3.8)
    told = [tempo.note(observation(time_s), _chunk()) for time_s in times]
    assert told == pytest.approx([0.0, 0.1, 0.2, 0.31, 0.4])


def test_where_every_tick_has_its_own_inference_nothing_is_changed() -> None:
    tempo = Tempo()
    for tick in range(20):
        time_s = round(3.0 + 0.1 * tick, 6)
        elapsed_s = tempo.note(observation(time_s), _chunk())
        assert elapsed_s == time_s - 3.0
        assert tempo.judged(_chunk()) == (0, elapsed_s)


def test_heads_are_of_the_tick_whose_observation_they_judge() -> None:
    tempo = Tempo()
    for tick in range(5):
        tempo.note(observation(0.1 * tick), _chunk())
    assert tempo.judged(_chunk(0.1 * 2)) == (2, 0.1 * 2)
    assert tempo.judged(_chunk(0.1 * 4)) == (0, 0.1 * 4)
    assert tempo.judged(_chunk(-1.0)) == (4, 0.0)
