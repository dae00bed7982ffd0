"""What several chunks say of one tick, found by time and averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.types import FloatArray, Vector


@dataclass(frozen=True, slots=True, eq=False)
class Foreseen:
    """Actions by time.

    Attributes:
        began_s: Time of the mission that row 0 is for, s.
        dt_s: Seconds between rows.
        actions: (horizon, dim).
    """

    began_s: float
    dt_s: float
    actions: FloatArray | Vector

    def row(self, time_s: float) -> int:
        """Return the number of the row for a time, of the nearest tick; there may be none."""
        return round((time_s - self.began_s) / self.dt_s)

    def covers(self, time_s: float) -> bool:
        """Return whether there is a row for a time."""
        return 0 <= self.row(time_s) < len(self.actions)


class TemporalEnsemble:
    """Averages what chunks that begin at different times foresee for one tick.

    Temporal ensembling (Zhao et al. 2023, arXiv 2304.13705), with the weights reversed: newer
    chunks weigh more.
    """

    def __init__(self, decay: float, ticks: int | None = None) -> None:
        """Begin without a chunk.

        Args:
            decay: What a chunk weighs that began a tick earlier, as a share, 0..1; at 0 the newest
                alone counts.
            ticks: From how many ticks before the newest on a chunk is forgotten; None keeps each
                for as long as it has rows.
        """
        self._decay, self._ticks = decay, ticks
        self._chunks: list[Foreseen] = []

    def clear(self) -> None:
        """Forget every chunk."""
        self._chunks.clear()

    def add(self, chunk: Foreseen) -> None:
        """Take in the newest chunk; one for the same time it replaces."""
        kept = [old for old in self._chunks if chunk.row(old.began_s) < 0]
        if self._ticks is not None:
            kept = [old for old in kept if old.row(chunk.began_s) < self._ticks]
        self._chunks = [chunk, *kept]

    def at(self, time_s: float) -> Vector | None:
        """Return the (dim,) action for a time, None where no chunk has one.

        A gripper that every chunk either opens, 1, or closes, 0, is told one of the two.
        """
        self._chunks = [c for c in self._chunks if c.row(time_s) < len(c.actions)]
        known = [c for c in self._chunks if c.covers(time_s)]
        if not known:
            return None
        rows = np.stack([c.actions[c.row(time_s)] for c in known])
        weights = self._decay ** np.array([c.row(known[0].began_s) for c in known])
        action = np.asarray((rows * weights[:, None]).sum(0) / weights.sum())
        if np.isin(rows[:, -1], (0.0, 1.0)).all():
            action[-1] = action[-1] > 0.5
        return action
