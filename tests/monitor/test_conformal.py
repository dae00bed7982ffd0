from __future__ import annotations

import numpy as np
import pytest

from agent.monitor.conformal import Curve, band, least_runs


def _runs(count: int, rng: np.random.Generator) -> list[Curve]:
    """Return random walks about a slope, of random lengths."""
    return [
        0.1 * np.arange(n) + rng.normal(0, 0.3, n).cumsum() for n in rng.integers(20, 40, count)
    ]


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("count", [60, 201])
def test_new_runs_leave_the_band_as_often_as_chosen(alpha: float, count: int) -> None:
    """Over many calibrations the mean rate is at most alpha, and not much below it."""
    rng, left = np.random.default_rng(7), []
    for _ in range(150):
        usual = band(_runs(count, rng), alpha)
        new = _runs(20, rng)
        left += [any(usual.left(t, v) for t, v in enumerate(run)) for run in new]
    assert alpha - 1 / (count // 2 + 1) - 0.03 < np.mean(left) < alpha + 0.02


@pytest.mark.parametrize(("alpha", "least"), [(0.5, 1), (0.1, 9), (0.05, 19), (0.03, 33)])
def test_too_few_runs_give_no_band(alpha: float, least: int) -> None:
    assert least_runs(alpha) == least
    runs = _runs(max(3, 2 * least), np.random.default_rng(0))
    band(runs, alpha)
    with pytest.raises(
        ValueError, match=f"at least {len(runs)} successful runs; there are {len(runs) - 1}"
    ):
        band(runs[:-1], alpha)


def test_at_the_least_number_the_worst_run_is_the_border() -> None:
    runs = _runs(18, np.random.default_rng(1))
    usual = band(runs, 0.1)
    worst = [max(usual.strays(t, v) for t, v in enumerate(run)) for run in runs[1::2]]
    assert usual.reach == max(worst)


def test_late_ticks_are_held_against_the_last_one() -> None:
    usual = band([np.zeros(5) + 0.01 * i for i in range(20)], 0.2)
    assert usual.strays(1000, 0.5) == usual.strays(4, 0.5)
    assert usual.left(1000, 0.5)


def test_what_is_no_number_is_unusual() -> None:
    assert band(_runs(40, np.random.default_rng(2)), 0.1).left(0, float("nan"))


def test_runs_that_agree_wholly_still_have_a_width() -> None:
    usual = band([np.ones(6)] * 10, 0.5)
    assert not usual.left(3, 1.0)
    assert usual.left(3, 1.1)
