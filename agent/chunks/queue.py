"""The actions that are planned, by time: what is left of the chunks inferred so far."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agent.chunks.ensemble import Foreseen, TemporalEnsemble
from agent.timing import Timing
from agent.types import ActionChunk


class ActionQueue:
    """Holds the chunks of one subgoal and says what is to be done at a tick.

    A row whose time has passed is never given.
    """

    def __init__(self, decay: float) -> None:
        """Begin empty; see `TemporalEnsemble` for the decay, 0 lets the newest chunk take over."""
        self._ensemble = TemporalEnsemble(decay)
        self._newest: tuple[Foreseen, ActionChunk] | None = None

    def add(self, chunk: ActionChunk, timing: Timing) -> None:
        """Take in a chunk, which begins at the time of the observation it was inferred on."""
        foreseen = Foreseen(timing.seen_s, chunk.dt_s, chunk.actions)
        self._ensemble.add(foreseen)
        self._newest = foreseen, replace(chunk, timing=timing)

    def clear(self) -> None:
        """Forget all that is planned."""
        self._ensemble.clear()
        self._newest = None

    def postpone(self, seconds: float) -> None:
        """Move all that is planned to a later time: the arm has stood still for so long."""
        self._ensemble.postpone(seconds)
        if self._newest is not None:
            foreseen, chunk = self._newest
            self._newest = replace(foreseen, began_s=foreseen.began_s + seconds), chunk

    def at(self, time_s: float) -> ActionChunk | None:
        """Return what is planned from a time on, None where the newest chunk has no row for it.

        Row 0 is made of all chunks, as chosen; the later rows and the heads are those of the chunk
        inferred last, and its timing says when that was.
        """
        if self._newest is None:
            return None
        foreseen, chunk = self._newest
        action = self._ensemble.at(time_s)
        if action is None or not foreseen.covers(time_s):
            return None
        rows = np.array(chunk.actions[foreseen.row(time_s) :])
        rows[0] = action
        return replace(chunk, actions=rows)
