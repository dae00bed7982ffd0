"""What is usual of every skill, learned from successful runs, and kept beside the checkpoint."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError

from agent.errors import CheckpointError
from agent.monitor.conformal import Band, Curve, course, worst
from agent.types import Model

Readings = npt.NDArray[np.float64]
"""(ticks, signals) what every signal said over one run; NaN where it had nothing to say."""

FILE = "monitor.json"
_LEAST, _MOST = -1.0, 6.0
"""Widths to which one signal's word is limited, so that none drowns all others."""
_LEAST_SCORE = 0.1
"""The smallest difference of the fused score that means something, in widths of the signals."""
_WINDOW = 10
"""Ticks over which the fused score is averaged; those before the first one count as usual."""


class Course(Model):
    """The usual course of one number, by tick."""

    middle: tuple[float, ...] = Field(min_length=1)
    width: tuple[float, ...] = Field(min_length=1)

    @classmethod
    def of(cls, curves: Sequence[Curve], least: float = _LEAST_SCORE) -> Self:
        """Learn it from at least two runs, no width below `least`; four digits are kept."""
        usual = course(curves, least)
        middle, width = (
            tuple(float(f"{v:.4g}") for v in values) for values in (usual.middle, usual.width)
        )
        return cls(middle=middle, width=width)

    @property
    def band(self) -> Band:
        """The same, to hold values against."""
        return Band(np.array(self.middle), np.array(self.width))


class SkillCalibration(Model):
    """What is usual of one skill.

    Attributes:
        signals: Signal -> its course.
        fused: The course of the fused score.
        worst: Widths of the fused score above its middle at the worst tick of each successful run
            that had no part in the courses, in ascending order.
    """

    signals: dict[str, Course]
    fused: Course
    worst: tuple[float, ...]


class Calibration(Model):
    """What is usual of all skills under one checkpoint.

    Attributes:
        checkpoint: Hash of the policy's weights.
        data: Hash of the runs it was learned from.
        skills: Skill -> what is usual of it.
        others: Skill -> what is usual of all the other ones: what would be known of it had it never
            been calibrated.
    """

    checkpoint: str
    data: str
    skills: dict[str, SkillCalibration]
    others: dict[str, SkillCalibration]

    @property
    def digest(self) -> str:
        """Hash of all of it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @classmethod
    def beside(cls, folder: Path, weights: str) -> Self:
        """Read the calibration beside a checkpoint.

        Args:
            folder: Of the checkpoint.
            weights: Hash of its weights.

        Raises:
            CheckpointError: There is none, it is damaged, or it was made for other weights.
        """
        path = folder / FILE
        mend = "run `bosun eval monitor --calibrate`, or go without: --set monitor.alpha=null"
        try:
            found = cls.model_validate_json(path.read_text(encoding="utf-8"))
        except OSError:
            raise CheckpointError(f"There is no calibration {path}; {mend}.") from None
        except (ValidationError, UnicodeDecodeError) as error:
            raise CheckpointError(f"The calibration {path} is damaged; {mend}.") from error
        if found.checkpoint != weights:
            raise CheckpointError(
                f"The calibration {path} was made for weights {found.checkpoint}, not for "
                f"{weights}; {mend}."
            )
        return found


class Fusion:
    """One score from all signals of a subgoal: how many widths above usual they are on average."""

    def __init__(self, signals: Mapping[str, Course]) -> None:
        """Hold signals against their courses."""
        self._bands = {name: usual.band for name, usual in signals.items()}
        self.reset()

    def reset(self) -> None:
        """Begin a subgoal."""
        self._tick = 0
        self._recent: deque[float] = deque(maxlen=_WINDOW)

    def score(
        self, readings: Mapping[str, float], ages: Mapping[str, int] | None = None
    ) -> tuple[float, dict[str, float]]:
        """Return the fused score after one more tick, and how far each signal strays, in widths.

        A signal that has nothing to say has no voice; the score is NaN when none has.

        Args:
            readings: Signal -> its value.
            ages: Signal -> how many ticks ago what it tells of was; this one where it is not named.
        """
        old = ages or {}
        strays = {
            name: usual.strays(self._tick - old.get(name, 0), readings[name])
            for name, usual in self._bands.items()
            if np.isfinite(readings.get(name, np.nan))
        }
        self._tick += 1
        voices = [float(np.clip(stray, _LEAST, _MOST)) for stray in strays.values()]
        self._recent.append(float(np.mean(voices)) if voices else np.nan)
        return float(np.sum(self._recent)) / _WINDOW, strays


def calibrated(
    least: Mapping[str, float], runs: Sequence[Readings], rng: np.random.Generator
) -> SkillCalibration:
    """Learn from the successful runs of one skill what is usual of it.

    A quarter, drawn at random, gives the course of every signal, a quarter that of the fused score,
    and the rest how far runs stray from it: no run is held against what it helped to make.

    Args:
        least: Signal -> what the width of its course does not fall below, in the order of the
            columns of the runs.
        runs: Of successes, at least eight.
        rng: Draws the parts.
    """
    order = rng.permutation(len(runs))
    quarters = [len(runs) // 4, len(runs) // 2]
    first, second, rest = ([runs[i] for i in part] for part in np.split(order, quarters))
    curves = {
        name: [_filled(run[:, column]) for run in first if np.isfinite(run[:, column]).any()]
        for column, name in enumerate(least)
    }
    signals = {n: Course.of(some, least[n]) for n, some in curves.items() if len(some) > 1}
    names = tuple(least)
    fused = Course.of([fused_scores(names, run, signals) for run in second])
    return SkillCalibration(
        signals=signals,
        fused=fused,
        worst=tuple(worst(fused.band, [fused_scores(names, run, signals) for run in rest])),
    )


def fused_scores(names: Sequence[str], run: Readings, signals: Mapping[str, Course]) -> Curve:
    """Return (ticks,) the fused score over a run."""
    fusion = Fusion(signals)
    return np.array([fusion.score(dict(zip(names, row, strict=True)))[0] for row in run])


def _filled(curve: Curve) -> Curve:
    """Return a curve whose gaps hold the last word before, or the first one after."""
    said = np.flatnonzero(np.isfinite(curve))
    last = np.maximum.accumulate(np.where(np.isfinite(curve), np.arange(len(curve)), said[0]))
    return curve[last]
