"""Bands that a successful run leaves with a chosen probability, from successful runs alone.

Split conformal prediction over whole curves, as in Diquigiovanni et al. 2022 (arXiv 2102.06746) and
SAFE (arXiv 2506.09937): one half of the successful runs gives the usual course, mean and width per
time, the other half says how many widths a run strays at its worst.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float64]

_LEAST_WIDTH = 0.05
"""Share of the mean width over time below which a width does not fall: where all runs agree to the
last digit, nothing could ever be said to be usual."""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """What is usual of one number over the ticks of a run.

    Attributes:
        middle: (ticks,) mean; the last one holds for ever after.
        width: (ticks,) standard deviation, never 0.
        reach: Widths above the middle that count as usual.
    """

    middle: Curve
    width: Curve
    reach: float

    def strays(self, tick: int, value: float) -> float:
        """Return how many widths a value lies above the middle at a tick."""
        at = min(tick, len(self.middle) - 1)
        return float((value - self.middle[at]) / self.width[at])

    def left(self, tick: int, value: float) -> bool:
        """Return whether a value is unusual; what is not a number always is."""
        return not self.strays(tick, value) <= self.reach


def least_runs(alpha: float) -> int:
    """Return how many runs the second half must have for a false-alarm rate of `alpha`."""
    return math.ceil(1 / alpha) - 1


def band(runs: Sequence[Curve], alpha: float) -> Band:
    """Return the band that a new successful run leaves with a probability of at most `alpha`.

    Args:
        runs: (ticks,) each, of successful runs in random order; every second one is held back for
            the quantile.
        alpha: Chosen rate of false alarms, 0..1.

    Raises:
        ValueError: There are too few runs for that rate.
    """
    usual, held_back = runs[0::2], runs[1::2]
    if len(held_back) < least_runs(alpha) or len(usual) < 2:
        raise ValueError(
            f"A false-alarm rate of {alpha:g} needs at least {max(3, 2 * least_runs(alpha))} "
            f"successful runs; there are {len(runs)}."
        )
    middle, width = course(usual)
    open_band = Band(middle, width, math.inf)
    worst = sorted(
        max(open_band.strays(tick, value) for tick, value in enumerate(run)) for run in held_back
    )
    # The (n + 1)(1 - alpha)-th smallest of n, counted from 1: the one more is the run to come.
    rank = math.ceil((len(worst) + 1) * (1 - alpha))
    return Band(middle, width, worst[rank - 1])


def course(runs: Sequence[Curve]) -> tuple[Curve, Curve]:
    """Return (ticks,) mean and width over runs of any length, while two of them still last.

    A run that has ended stays at its last value, so that those that take longer are compared with
    what success looks like at its end.
    """
    ticks = sorted(len(run) for run in runs)[-2]
    held = np.stack([np.concatenate([run, np.full(ticks, run[-1])])[:ticks] for run in runs])
    width = held.std(axis=0)
    return held.mean(axis=0), np.maximum(width, max(_LEAST_WIDTH * float(width.mean()), 1e-9))
