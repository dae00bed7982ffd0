"""Letting simulated time pass as fast as the wall clock, and no slower where that can be helped."""

from __future__ import annotations

import time
from collections.abc import Callable

_LATE_S = 0.02
_HOPELESS_S = 0.2


class Pace:
    """Says when each step of physics is due.

    Whatever takes time in between, such as drawing pictures, is made up for by steps without a
    pause, so that the steps stay on their times. A world further behind than that can mend lets
    the lost time go.

    Attributes:
        late: How often a period ended late.
        worst_s: The most by which one did, s.
        lost_s: Time let go in all, s.
    """

    def __init__(
        self,
        step_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin now, with steps of so many seconds."""
        self._step_s, self._clock, self._sleep = step_s, clock, sleep
        self._due_s = clock()
        # Stamps are of the system's clock, but a step of that one must not change the pace.
        self._system_s = time.time() - self._due_s
        self.late, self.worst_s, self.lost_s = 0, 0.0, 0.0

    @property
    def stamp_s(self) -> float:
        """The system's time that the world has reached, s since 1970."""
        return self._system_s + self._due_s

    def step(self) -> None:
        """Wait until the next step is due."""
        self._due_s += self._step_s
        ahead_s = self._due_s - self._clock()
        if ahead_s > 0:
            self._sleep(ahead_s)
        elif -ahead_s > _HOPELESS_S:
            self.restart()

    def count(self) -> None:
        """Take note of how late a period ends."""
        behind_s = self._clock() - self._due_s
        self.late += behind_s > _LATE_S
        self.worst_s = max(self.worst_s, behind_s)

    def restart(self) -> None:
        """Let time go that was not simulated, as when a scene is laid out."""
        now_s = self._clock()
        self.lost_s += max(0.0, now_s - self._due_s)
        self._due_s = now_s
