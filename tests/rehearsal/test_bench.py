from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from agent.config import load_config
from agent.errors import UsageError
from agent.monitor.signals import all_signals
from agent.rehearsal.bench import RehearsalBench
from agent.rehearsal.calibrate import learned
from agent.types import Reason

SEED = 1_500_000


@pytest.fixture(scope="module")
def bench() -> Iterator[RehearsalBench]:
    calm = load_config(None)
    jammed = load_config(None, ["robot.disturbances.jam=1"])
    made = RehearsalBench(calm, jammed)
    yield made
    made.close()


def _first(bench: RehearsalBench, skill: str, which: int) -> tuple[Reason, bool, np.ndarray]:
    found = next(run for s in range(SEED, SEED + 40) if (run := bench((skill, s, which))))
    assert found.skill == skill
    assert len(found.readings) == len(found.elapsed_s) == len(found.read_ms)
    return found.reason, found.success, found.readings


@pytest.mark.parametrize("skill", ["open", "place_in"])
def test_a_success_is_written_down(bench: RehearsalBench, skill: str) -> None:
    """Placing is come to by picking up, as in a mission."""
    reason, success, readings = _first(bench, skill, 0)
    assert success
    assert reason is Reason.DONE
    assert readings.shape[1] == len(all_signals())
    assert (np.diff(readings[:, 0]) > 0).all()
    assert np.isfinite(readings[1:]).all()


def test_a_jammed_drawer_is_a_failure(bench: RehearsalBench) -> None:
    reason, success, readings = _first(bench, "open", 1)
    assert not success
    assert reason is not Reason.DONE
    assert len(readings) > 30


def test_too_few_successes_give_no_calibration() -> None:
    with pytest.raises(UsageError, match=r"2 successes of 'open'.*--episodes"):
        learned({"open": [np.zeros((20, len(all_signals())))] * 2}, "abc")
