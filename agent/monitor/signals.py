"""What can be told of a running subgoal from one tick to the next, each as one number.

A signal grows as things get worse. Every one reads only what the policy was given and what it
answered; a policy without the head that a signal reads gives it nothing to say, which is NaN.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from agent.types import ActionChunk, Observation, Vector

_MOVES_M = 0.002
"""Length of a commanded step, m, below which it has no direction."""
_TURNS_BACK = -0.3
"""Cosine between two steps below which the second one goes back."""


@dataclass(frozen=True, slots=True, eq=False)
class Tick:
    """One tick of a subgoal.

    Attributes:
        elapsed_s: Since the subgoal began.
        budget_s: What its contract allows it.
        observation: What the robot sensed.
        chunk: What the policy answered.
        steps: (horizon, 3) m: how each row of it moves the tool on, NaN where that is not known.
        judged_s: When it was what the chunk's heads judge, in the same seconds as `elapsed_s`; None
            where that is this tick.
    """

    elapsed_s: float
    budget_s: float
    observation: Observation
    chunk: ActionChunk
    steps: npt.NDArray[np.floating]
    judged_s: float | None = None

    @property
    def of_heads_s(self) -> float:
        """When it was what the chunk's heads judge, s since the subgoal began."""
        return self.elapsed_s if self.judged_s is None else self.judged_s


class Signal(Protocol):
    """One number per tick.

    Attributes:
        name: What it is called.
        unit: Of its values.
        least: The smallest difference that means something, in that unit. Where successes differ by
            less, as at their first ticks, a band is no narrower.
    """

    name: str
    unit: str
    least: float

    def reset(self) -> None:
        """Begin a subgoal."""
        ...

    def read(self, tick: Tick) -> float:
        """Return the value after one more tick, NaN where there is nothing to tell."""
        ...


class Lateness:
    """How much of the time budget is spent."""

    name, unit, least = "lateness", "share", 0.02

    def reset(self) -> None:
        """Nothing is kept."""

    def read(self, tick: Tick) -> float:
        """Return the share, 0 at the start and 1 when the budget is spent."""
        return tick.elapsed_s / tick.budget_s


class Spread:
    """How far the policy's heads disagree (deep ensembles, arXiv 1612.01474)."""

    name, unit, least = "spread", "m", 0.001

    def reset(self) -> None:
        """Nothing is kept."""

    def read(self, tick: Tick) -> float:
        """Return the mean over the chunk."""
        spread = tick.chunk.spread
        return float("nan") if spread is None else float(np.mean(spread))


class Inconsistency:
    """How far a chunk is from what the last one foresaw for the same ticks.

    After the temporal consistency of Agia et al. 2024 (arXiv 2410.04640), with one sample. Only
    chunks of different inferences are compared; as the world has moved on between them, per tick
    between the observations they were inferred on.
    """

    name, unit, least = "inconsistency", "m", 0.002

    def reset(self) -> None:
        """Forget the last chunk."""
        self._last: Tick | None = None
        self._apart = float("nan")

    def read(self, tick: Tick) -> float:
        """Return how far apart the two paths of the tool end, per tick they have in common."""
        last = self._last
        if last is None:
            self._last = tick
            return self._apart
        since_s = tick.of_heads_s - last.of_heads_s
        if tick.chunk.timing is not None and since_s == 0:
            return self._apart
        self._last, dt_s = tick, tick.chunk.dt_s
        gone = round((tick.elapsed_s - last.elapsed_s) / dt_s)
        steps, before = tick.steps, last.steps[gone:]
        common = min(len(before), len(steps))
        if common == 0:
            self._apart = float("nan")
            return self._apart
        apart = np.cumsum(steps[:common] - before[:common], axis=0)
        between = max(1, round(since_s / dt_s))
        self._apart = float(np.linalg.norm(apart, axis=-1).mean() / common / between)
        return self._apart


class Reversals:
    """How often the tool is sent back where it came from: hovering, and jams."""

    name, unit, least = "reversals", "share", 0.07

    def __init__(self, window: int = 15) -> None:
        """Look over so many ticks."""
        self._window = window

    def reset(self) -> None:
        """Forget the path."""
        self._step: Vector | None = None
        self._turns: deque[bool] = deque(maxlen=self._window)

    def read(self, tick: Tick) -> float:
        """Return the share of ticks in the window that went back."""
        step = tick.steps[0].astype(np.float64)
        if not np.isfinite(step).all():
            return float("nan")
        length = float(np.linalg.norm(step))
        if length < _MOVES_M:
            self._turns.append(False)
            return float(np.mean(self._turns))
        way, before = step / length, self._step
        self._turns.append(before is not None and float(way @ before) < _TURNS_BACK)
        self._step = way
        return float(np.mean(self._turns))


class Stillness:
    """How long the tool has not left one spot."""

    name, unit, least = "stillness", "s", 0.2

    def __init__(self, spot_m: float = 0.005) -> None:
        """Call a ball of this radius, m, one spot."""
        self._spot_m = spot_m

    def reset(self) -> None:
        """Forget where the tool was."""
        self._anchor: Vector | None = None
        self._since_s = 0.0

    def read(self, tick: Tick) -> float:
        """Return the seconds."""
        tool = tick.observation.ee_pose[:3]
        if self._anchor is None or float(np.linalg.norm(tool - self._anchor)) > self._spot_m:
            self._anchor, self._since_s = tool.copy(), tick.elapsed_s
        return tick.elapsed_s - self._since_s


class Stall:
    """How long the policy has not got any further, by its own progress head."""

    name, unit, least = "stall", "s", 0.2

    def __init__(self, gain: float = 0.02) -> None:
        """Call so much more progress, as a share of the subgoal, further."""
        self._gain = gain

    def reset(self) -> None:
        """Begin from nothing."""
        self._best, self._since_s = 0.0, 0.0

    def read(self, tick: Tick) -> float:
        """Return the seconds."""
        progress = tick.chunk.progress
        if progress is None:
            return float("nan")
        now_s = tick.of_heads_s
        if progress > self._best + self._gain:
            self._best, self._since_s = progress, now_s
        return now_s - self._since_s


class Setback:
    """How far the policy is behind where it had been, by its own progress head."""

    name, unit, least = "setback", "share", 0.05

    def reset(self) -> None:
        """Begin from nothing."""
        self._best = 0.0

    def read(self, tick: Tick) -> float:
        """Return the difference to the best progress so far."""
        progress = tick.chunk.progress
        if progress is None:
            return float("nan")
        self._best = max(self._best, progress)
        return self._best - progress


def all_signals() -> tuple[Signal, ...]:
    """Return one of each, in a fixed order."""
    return (Lateness(), Spread(), Inconsistency(), Reversals(), Stillness(), Stall(), Setback())


LEAST = {signal.name: signal.least for signal in all_signals()}
"""Signal -> the smallest difference that means something, in the order of all signals."""
NAMES = tuple(LEAST)
OF_HEADS = ("spread", "inconsistency", "stall", "setback")
"""The signals that tell of the chunk inferred last, and not of what is done now."""
