"""A simulated world on the wall clock."""

from __future__ import annotations

import time
from collections.abc import Callable


class Metronome:
    """Tells how far the wall clock is ahead of a world that goes on in periods."""

    def __init__(
        self,
        period_s: float,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin now, with periods of so many seconds."""
        self._period_s, self._clock, self._sleep = period_s, clock, sleep
        self.begin()

    def begin(self) -> None:
        """Let a period begin now."""
        self._began_s = self._clock()

    def missed(self) -> int:
        """Return how many whole periods have passed since the last one ended, and go past them."""
        count = int((self._clock() - self._began_s) / self._period_s)
        self._began_s += count * self._period_s
        return count

    def wait(self) -> None:
        """Return when the period that began last is over; the next one begins."""
        self._began_s += self._period_s
        self._sleep(max(0.0, self._began_s - self._clock()))
        # A machine that is too slow for a period does not pay for it in the next ones.
        self._began_s = max(self._began_s, self._clock())
