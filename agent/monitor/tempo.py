"""Counts the ticks of a subgoal, and tells which of them the policy's heads judge."""

from __future__ import annotations

from agent.chunks.clock import ActedClock
from agent.types import ActionChunk, Observation


def judged_s(observation: Observation, chunk: ActionChunk) -> float:
    """Return the time of what a chunk's heads judge, s, given the observation of its tick."""
    return observation.time_s if chunk.timing is None else chunk.timing.seen_s


class Tempo:
    """Tells an arm that waits for its policy from one that does not get on.

    What is usual was learned where each tick has an inference of its own, on its own observation,
    and none is waited for. Held against it, the seconds an arm stood do not count, and a head is
    compared with what is usual of the tick whose observation it judges.
    """

    def __init__(self) -> None:
        """Begin before the first tick of a subgoal."""
        self._clock = ActedClock()
        self._ticks: list[tuple[float, float]] = []

    def note(self, observation: Observation, chunk: ActionChunk) -> float:
        """Take in one more tick and return the seconds in which the arm was not kept waiting."""
        time_s = observation.time_s
        began_s = self._ticks[0][0] if self._ticks else time_s
        elapsed_s = self._clock.at(time_s, chunk.dt_s) - began_s
        self._ticks.append((time_s, elapsed_s))
        return elapsed_s

    def judged(self, chunk: ActionChunk) -> tuple[int, float]:
        """Return what the heads of the tick noted last judge: how many ticks before, and when, s.

        The seconds are counted as those of `note`.
        """
        if chunk.timing is None:
            return 0, self._ticks[-1][1]
        seen_s = chunk.timing.seen_s
        later = sum(time_s > seen_s for time_s, _ in self._ticks)
        age = min(later, len(self._ticks) - 1)
        return age, self._ticks[-1 - age][1]
