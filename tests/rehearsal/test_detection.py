from __future__ import annotations

import numpy as np
import pytest

from agent.monitor.calibration import Calibration
from agent.monitor.signals import NAMES
from agent.rehearsal.bench import Run
from agent.rehearsal.calibrate import learned
from agent.rehearsal.detection import BASELINES, auc, balanced, skill_row
from agent.types import Reason
from skills.dataset import SKILLS


def _run(rng: np.random.Generator, *, success: bool, trouble: float = 0.0) -> Run:
    """Return a run whose every signal is noise about a slope; trouble raises the spread."""
    ticks = int(rng.integers(30, 40))
    readings = 0.01 * np.arange(ticks)[:, None] + rng.gamma(9, 0.01, (ticks, len(NAMES)))
    readings[15:, NAMES.index("spread")] += trouble
    elapsed_s = np.arange(ticks) / 10
    reason = Reason.DONE if success else Reason.TIMEOUT
    troubled = trouble > 0
    return Run("pick", 0, troubled, success, reason, readings, elapsed_s, np.full(ticks, 0.1))


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    rng = np.random.default_rng(2)
    usual = {s: [_run(rng, success=True).readings for _ in range(120)] for s in SKILLS}
    return learned(usual, "abc")


@pytest.mark.parametrize(
    ("scores", "failed", "area"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 0.0),
        ([1, 1, 1, 1], [0, 0, 1, 1], 0.5),
        ([1, 3, 2, 4], [0, 0, 1, 1], 0.75),
        ([1, np.inf, -np.inf, np.inf], [0, 0, 1, 1], 0.375),
        ([1, 2], [0, 0], None),
        ([1, 2], [1, 1], None),
    ],
)
def test_area_under_the_curve(scores: list[float], failed: list[int], area: float | None) -> None:
    assert auc(np.array(scores, dtype=float), np.array(failed, dtype=bool)) == area


def test_balanced_accuracy_counts_both_kinds_alike() -> None:
    failed = np.array([True, False, False, False])
    assert balanced(np.array([False] * 4), failed) == 0.5
    assert balanced(failed, failed) == 1.0
    assert balanced(failed[1:], failed[1:]) is None


def test_trouble_in_one_signal_is_found_soon_and_calm_is_let_pass(
    calibration: Calibration,
) -> None:
    rng = np.random.default_rng(4)
    runs = [_run(rng, success=True) for _ in range(100)]
    runs += [_run(rng, success=False, trouble=0.5) for _ in range(60)]
    told = skill_row("pick", runs, calibration, alpha=0.05).more
    assert told["failures"] == 60
    assert told["auc"] > 0.95
    assert told["auc_left_out"] > 0.95
    assert told["coverage"] > 0.85
    assert told["detected"] > 0.95
    assert 1.5 <= told["detected_after_s"] < told["failed_for_s"]
    assert told["baselines"]["spread"] > 0.95 > told["baselines"]["reversals"]
    assert set(told["baselines"]) == set(BASELINES)
    assert told["false_success"] == 0


def test_coverage_is_of_the_worlds_that_calibration_knows(calibration: Calibration) -> None:
    rng = np.random.default_rng(7)
    runs = [_run(rng, success=True) for _ in range(100)]
    calm = skill_row("pick", runs, calibration, alpha=0.05).more["coverage"]
    runs += [_run(rng, success=True, trouble=0.5) for _ in range(50)]
    told = skill_row("pick", runs, calibration, alpha=0.05).more
    assert told["coverage"] == calm > 0.85
    assert told["coverage_troubled"] < 0.1


def test_failures_that_look_like_successes_are_told_by_nobody(calibration: Calibration) -> None:
    rng = np.random.default_rng(5)
    runs = [_run(rng, success=bool(i % 2)) for i in range(200)]
    told = skill_row("pick", runs, calibration, alpha=0.05).more
    assert 0.35 < told["auc"] < 0.65


def test_a_skill_that_never_failed_has_no_rate_of_detection(calibration: Calibration) -> None:
    runs = [_run(np.random.default_rng(6), success=True)]
    told = skill_row("pick", runs, calibration, alpha=0.05).more
    assert told["auc"] is told["detected"] is told["detected_after_s"] is None
