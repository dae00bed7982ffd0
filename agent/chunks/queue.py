"""The actions that are planned, by time: what is left of the chunks inferred so far."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agent.chunks.ensemble import Foreseen, TemporalEnsemble
from agent.types import ActionChunk


class ActionQueue:
    """Holds the chunks of one subgoal and says what is to be done at a tick.

    A row whose time has passed is never given.
    """

    def __init__(self, decay: float) -> None:
        """Begin empty; see `TemporalEnsemble` for the decay, 0 lets the newest chunk take over."""
        self._ensemble = TemporalEnsemble(decay)
        self._newest: tuple[Foreseen, ActionChunk] | None = None

    def add(self, began_s: float, chunk: ActionChunk, now_s: float) -> None:
        """Take in a chunk whose row 0 is for a time, s; one that is late as a whole is dropped."""
        foreseen = Foreseen(began_s, chunk.dt_s, chunk.actions)
        if not foreseen.covers(now_s):
            return
        self._ensemble.add(foreseen)
        self._newest = foreseen, chunk

    def clear(self) -> None:
        """Forget all that is planned."""
        self._ensemble.clear()
        self._newest = None

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
