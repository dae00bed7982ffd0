"""Bands that a successful run leaves with a chosen probability, from successful runs alone.

Split conformal prediction over whole curves, as in Diquigiovanni et al. 2022 (arXiv 2102.06746) and
SAFE (arXiv 2506.09937): one half of the successful runs gives the usual course, mean and width per
time, the other half says how many widths a run strays at its worst.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float64]

_ROUNDING = 1e-9
_LEAST_WIDTH = 0.5
"""Share of the mean width over time below which a width does not fall: at the first ticks and past
the end of most runs all agree, and the smallest difference would be many widths."""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """The usual course of one number over the ticks of a run.

    Attributes:
        middle: (ticks,) mean; the last one holds for ever after.
        width: (ticks,) standard deviation, never 0.
    """

    middle: Curve
    width: Curve

    def strays(self, tick: int, value: float) -> float:
        """Return how many widths a value lies above the middle at a tick."""
        at = min(tick, len(self.middle) - 1)
        return float((value - self.middle[at]) / self.width[at])


def worst(band: Band, runs: Iterable[Curve]) -> list[float]:
    """Return how many widths each run lies above the middle of a band at its worst, in order."""
    return sorted(max(band.strays(tick, value) for tick, value in enumerate(run)) for run in runs)


def reach(worst: Sequence[float], alpha: float) -> float:
    """Return the widths that a new successful run exceeds with a probability of at most `alpha`.

    Args:
        worst: Of successful runs that had no part in the band, in ascending order, see `worst`.
        alpha: Chosen rate of false alarms, 0..1.

    Raises:
        ValueError: There are too few runs for that rate.
    """
    # The (n + 1)(1 - alpha)-th smallest of n, counted from 1: the one more is the run to come.
    rank = math.ceil((len(worst) + 1) * (1 - alpha) - _ROUNDING)
    if rank > len(worst):
        raise ValueError(
            f"A false-alarm rate of {alpha:g} needs at least {math.ceil(1 / alpha) - 1} successful "
            f"runs that had no part in the band; there are {len(worst)}."
        )
    return worst[rank - 1]


def course(runs: Sequence[Curve], least: float = _ROUNDING) -> Band:
    """Return mean and width over at least two runs of any length, while two of them still last.

    A run that has ended stays at its last value, so that those that take longer are compared with
    what success looks like at its end.

    Args:
        runs: (ticks,) each.
        least: What no width falls below, above 0.
    """
    ticks = sorted(len(run) for run in runs)[-2]
    held = np.stack([np.concatenate([run, np.full(ticks, run[-1])])[:ticks] for run in runs])
    width = held.std(axis=0)
    return Band(
        held.mean(axis=0), np.maximum(width, max(_LEAST_WIDTH * float(width.mean()), least))
    )
