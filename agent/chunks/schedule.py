"""Whether chunks come as fast as they are used up: arithmetic, done before anything moves."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

_ROUNDING = 1e-9


def whole_ticks(seconds: float, dt_s: float) -> int:
    """Return in how many ticks of `dt_s` seconds so many have passed; at least one."""
    return max(1, math.ceil(seconds / dt_s - _ROUNDING))


class Merge(StrEnum):
    """How chunks that overlap become one action a tick.

    ENSEMBLE averages what they foresee for it, REPLACE takes the newest one's, and so does RTC, of
    which each continues the one before (real-time chunking, Black et al. 2025, arXiv 2506.07339).
    """

    ENSEMBLE = "ensemble"
    REPLACE = "replace"
    RTC = "rtc"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Chunks of a length, inferred at a latency.

    Attributes:
        horizon: Actions in a chunk.
        dt_s: Seconds between them, which is a tick.
        latency_s: How long an inference takes, s, as declared.
        every: Ticks between two inferences; None is as few as the latency allows.
        merge: How overlapping chunks become one.
    """

    horizon: int
    dt_s: float
    latency_s: float
    every: int | None = None
    merge: Merge = Merge.ENSEMBLE

    @property
    def delay(self) -> int:
        """Return how many ticks old a chunk is as it comes; at least one."""
        return whole_ticks(self.latency_s, self.dt_s)

    @property
    def interval(self) -> int:
        """Return how many ticks lie between two inferences; one begins where the last has ended."""
        return max(self.every or 1, self.delay)

    @property
    def starves(self) -> bool:
        """Return whether the actions of one chunk run out before the next one comes.

        A chunk that is inferred on tick k has actions up to k + horizon - 1, and the next one comes
        at k + interval + delay.
        """
        return self.interval + self.delay > self.horizon

    def __str__(self) -> str:
        """Say in one sentence whether that does."""
        lasts = f"Chunks of {self.horizon} actions last {self.horizon * self.dt_s:g} s"
        needed_s = (self.interval + self.delay) * self.dt_s
        comes = f"at a latency of {self.latency_s:g} s they must last {needed_s:g} s"
        if not self.starves:
            return f"{lasts}, {comes}: the next is there before one is used up."
        longest_s = self.horizon // 2 * self.dt_s
        mend = f"a latency up to {longest_s:g} s would do"
        if 2 * self.delay <= self.horizon:
            mend = f"set policy.realtime.every to {self.horizon - self.delay} or less"
        return f"{lasts}, but {comes}: the arm will stand and wait for the next; {mend}."

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it, with what it says."""
        return {**asdict(self), "starves": self.starves, "says": str(self)}
