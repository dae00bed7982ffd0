from __future__ import annotations

import numpy as np
import pytest

from agent.monitor.conformal import Curve, course, reach, worst


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
        usual = course(_runs(count // 2, rng))
        limit = reach(worst(usual, _runs(count // 2, rng)), alpha)
        left += [far > limit for far in worst(usual, _runs(20, rng))]
    assert alpha - 1 / (count // 2 + 1) - 0.03 < np.mean(left) < alpha + 0.02


@pytest.mark.parametrize(("alpha", "least"), [(0.5, 1), (0.1, 9), (0.05, 19), (0.03, 33)])
def test_too_few_runs_give_no_limit(alpha: float, least: int) -> None:
    strays = [float(i) for i in range(least)]
    assert reach(strays, alpha) == strays[-1]
    with pytest.raises(ValueError, match=f"at least {least} .* there are {least - 1}"):
        reach(strays[:-1], alpha)


def test_late_ticks_are_held_against_the_last_one() -> None:
    usual = course([np.zeros(5) + 0.01 * i for i in range(20)])
    assert usual.strays(1000, 0.5) == usual.strays(4, 0.5) > 0


def test_runs_that_agree_wholly_still_have_a_width() -> None:
    usual = course([np.ones(6)] * 10)
    assert usual.strays(3, 1.0) == 0
    assert 1 < usual.strays(3, 1.1) < np.inf


def test_no_width_is_below_the_least_that_means_something() -> None:
    usual = course([np.full(6, 0.001 * i) for i in range(10)], least=0.05)
    assert usual.width == pytest.approx(np.full(6, 0.05))
    wide = course([np.full(6, 1.0 * i) for i in range(10)], least=0.05)
    assert wide.width.min() > 1.0
