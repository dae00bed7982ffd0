"""What is usual of every skill, learned from successful runs, and kept beside the checkpoint."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError

from agent.errors import CheckpointError
from agent.monitor.conformal import Band, Curve, band, course
from agent.types import Model

Readings = npt.NDArray[np.float64]
"""(ticks, signals) what every signal said over one run; NaN where it had nothing to say."""

FILE = "monitor.json"
_LEAST, _MOST = -1.0, 6.0
"""Widths to which one signal's word is limited, so that none drowns all others."""
_WINDOW = 10
"""Ticks over which the fused score is averaged."""


class Course(Model):
    """The usual course of one signal, by tick."""

    middle: tuple[float, ...] = Field(min_length=1)
    width: tuple[float, ...] = Field(min_length=1)


class SkillCalibration(Model):
    """What is usual of one skill.

    Attributes:
        signals: Signal -> its course.
        fused: The course of the fused score.
        reach: Widths of the fused score above its middle that count as usual.
        runs: Successful runs it was learned from.
    """

    signals: dict[str, Course]
    fused: Course
    reach: float
    runs: int


class Calibration(Model):
    """What is usual of all skills under one checkpoint.

    Attributes:
        alpha: Chosen rate of false alarms per subgoal, 0..1.
        checkpoint: Hash of the policy's weights.
        data: Hash of the runs.
        skills: Skill -> what is usual of it.
    """

    alpha: float = Field(gt=0, lt=1)
    checkpoint: str
    data: str
    skills: dict[str, SkillCalibration]

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
        mend = "run `bosun eval monitor --calibrate`"
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
        self._bands = {
            name: Band(np.array(of.middle), np.array(of.width), np.inf)
            for name, of in signals.items()
        }
        self.reset()

    def reset(self) -> None:
        """Begin a subgoal."""
        self._tick = 0
        self._recent: deque[float] = deque(maxlen=_WINDOW)

    def score(self, readings: Mapping[str, float]) -> tuple[float, dict[str, float]]:
        """Return the fused score after one more tick, and how far each signal strays, in widths.

        A signal that has nothing to say has no voice; the score is NaN when none has.
        """
        strays = {
            name: usual.strays(self._tick, readings[name])
            for name, usual in self._bands.items()
            if np.isfinite(readings.get(name, np.nan))
        }
        self._tick += 1
        voices = [float(np.clip(stray, _LEAST, _MOST)) for stray in strays.values()]
        self._recent.append(float(np.mean(voices)) if voices else np.nan)
        return float(np.mean(self._recent)), strays


def calibrated(
    names: Sequence[str], runs: Sequence[Readings], alpha: float, rng: np.random.Generator
) -> SkillCalibration:
    """Learn from the successful runs of one skill what is usual of it.

    The first third, drawn at random, gives the course of every signal; the rest the band of the
    fused score, so that no run is held against a course it helped to make.

    Args:
        names: The signals, in the order of the columns of the runs.
        runs: Of successes.
        alpha: Chosen rate of false alarms, 0..1.
        rng: Draws the thirds.

    Raises:
        ValueError: There are too few runs for that rate.
    """
    order = rng.permutation(len(runs))
    third = max(2, len(runs) // 3)
    first, rest = [runs[i] for i in order[:third]], [runs[i] for i in order[third:]]
    columns = [
        [run[:, column] for run in first if np.isfinite(run[:, column]).any()]
        for column in range(len(names))
    ]
    signals = {
        name: _course([_filled(curve) for curve in curves])
        for name, curves in zip(names, columns, strict=True)
        if len(curves) >= 2
    }
    scores = [fused_scores(names, run, signals) for run in rest]
    usual = band(scores, alpha)
    fused = Course(middle=tuple(usual.middle.tolist()), width=tuple(usual.width.tolist()))
    return SkillCalibration(signals=signals, fused=fused, reach=usual.reach, runs=len(runs))


def fused_scores(names: Sequence[str], run: Readings, signals: Mapping[str, Course]) -> Curve:
    """Return (ticks,) the fused score over a run."""
    fusion = Fusion(signals)
    return np.array([fusion.score(dict(zip(names, row, strict=True)))[0] for row in run])


def _course(curves: Sequence[Curve]) -> Course:
    middle, width = course(curves)
    return Course(middle=tuple(middle.tolist()), width=tuple(width.tolist()))


def _filled(curve: Curve) -> Curve:
    """Return a curve whose gaps hold the last word before, or the first one after."""
    said = np.flatnonzero(np.isfinite(curve))
    last = np.maximum.accumulate(np.where(np.isfinite(curve), np.arange(len(curve)), said[0]))
    return curve[last]
