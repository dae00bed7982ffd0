"""What chunks in real time came to in one mission, from its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agent.action_space import ActionSpace
from agent.chunks.clock import ActedClock
from agent.chunks.ensemble import Foreseen
from agent.events import Event, MissionStarted, SubgoalStarted, Ticked

_MOTION: Mapping[ActionSpace, Mapping[str, slice]] = {
    ActionSpace.DELTA_EE: {"jump_m": slice(0, 3), "jump_rad": slice(3, 6)},
    ActionSpace.DELTA_EE_POSITION: {"jump_m": slice(0, 3)},
    ActionSpace.JOINT_POSITION: {"jump_rad": slice(0, -1)},
    ActionSpace.DELTA_JOINT: {"jump_rad": slice(0, -1)},
}
"""Action space -> what is measured of its actions, and in which of their numbers."""


class ChunkMeter:
    """Hears a mission and measures latency, starved ticks and the jumps between chunks.

    A jump is how far the action sent at the first tick under a new chunk is from what the chunk
    before it had foreseen for that tick, by the clock of what was carried out: an arm that stood
    goes on with the next row, and that is no jump.
    """

    def __init__(self) -> None:
        """Begin before a mission."""
        self._forget({})

    def _forget(self, metadata: Mapping[str, Any]) -> None:
        self._declared: dict[str, Any] | None = metadata.get("chunks")
        self._motion = _MOTION[ActionSpace(metadata.get("action_space", ActionSpace.DELTA_EE))]
        self._latencies_s: list[float] = []
        self._ages_s: list[float] = []
        self._jumps: dict[str, list[float]] = {"jump_m": [], "jump_rad": []}
        self._ticks = self._starved = 0
        self._begin_subgoal()

    def _begin_subgoal(self) -> None:
        self._last: tuple[float, Foreseen] | None = None
        self._acted, self._waited = ActedClock(), False

    def on_event(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case MissionStarted():
                self._forget(event.metadata)
            case SubgoalStarted():
                self._begin_subgoal()
            case Ticked():
                self._ticked(event)

    def _ticked(self, event: Ticked) -> None:
        timing = event.chunk.timing
        if timing is None:
            return
        now_s = self._acted.at(event.time_s, event.chunk.dt_s, waited=self._waited)
        # The first tick of a subgoal waits for its chunk, too.
        self._waited = timing.starved or self._last is None
        planned = Foreseen(now_s, event.chunk.dt_s, event.chunk.actions)
        self._ticks += 1
        self._starved += timing.starved
        self._ages_s.append(event.time_s - timing.seen_s)
        last, self._last = self._last, (timing.seen_s, planned)
        if last is not None and last[0] == timing.seen_s:
            return
        self._latencies_s.append(timing.latency_s)
        if last is not None and event.sent is not None and last[1].covers(now_s):
            off = event.sent - last[1].actions[last[1].row(now_s)]
            for name, part in self._motion.items():
                self._jumps[name].append(float(np.linalg.norm(off[part])))

    def summary(self) -> dict[str, Any] | None:
        """Return what was declared and what was measured, None where each tick waited for its own.

        Latencies in s of wall time, ages in s of the mission; None where nothing was measured.
        """
        if self._declared is None:
            return None
        return {
            **self._declared,
            "inferences": len(self._latencies_s),
            "ticks": self._ticks,
            "starved_ticks": self._starved,
            "measured_latency_s": _quantiles(self._latencies_s),
            "age_s": _quantiles(self._ages_s),
            **{name: _quantiles(jumps) for name, jumps in self._jumps.items()},
        }

    def lines(self) -> list[str]:
        """Return the same as sentences for people."""
        told = self.summary()
        if told is None or not told["inferences"]:
            return []
        latency = told["measured_latency_s"]
        said = (
            f"Policy: {told['inferences']} inferences in {latency['p50'] * 1e3:.0f} ms (p99 "
            f"{latency['p99'] * 1e3:.0f} ms, declared {told['latency_s'] * 1e3:.0f} ms); "
            f"{told['starved_ticks']} of {told['ticks']} ticks starved."
        )
        jumps = [
            f"{jump['p50'] * scale:.3g} {unit} (p99 {jump['p99'] * scale:.3g}, largest "
            f"{jump['max'] * scale:.3g})"
            for name, scale, unit in (("jump_m", 1e3, "mm"), ("jump_rad", 1.0, "rad"))
            if (jump := told[name]) is not None
        ]
        return [said, *([f"Jumps between chunks: {', '.join(jumps)}."] if jumps else [])]


def _quantiles(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    p50, p99 = np.percentile(values, [50, 99])
    return {"p50": float(p50), "p99": float(p99), "max": max(values)}
