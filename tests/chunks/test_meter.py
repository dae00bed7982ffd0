from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pytest

from agent.chunks.meter import ChunkMeter
from agent.chunks.schedule import Schedule
from agent.console import Console
from agent.events import Event, MissionEnded, MissionStarted, SubgoalStarted, Ticked
from agent.timing import Timing
from agent.types import ActionChunk, MissionOutcome, MissionResult
from tests.parts import PICK, PLAN, observation

PLAIN = Schedule(6, 0.1, 0.15).plain()


def _tick(
    time_s: float,
    seen_s: float,
    rows: Sequence[Sequence[float]],
    latency_s: float = 0.15,
    starved: bool = False,
) -> Ticked:
    actions = np.array([[*row, 0, 0, 0, 0, 1] for row in rows], dtype=np.float32)
    chunk = ActionChunk(actions, 0.1, timing=Timing(seen_s, latency_s, starved))
    sent = actions[0].astype(float)
    return Ticked(time_s, observation(time_s), chunk, sent, sent)


def _heard(events: Sequence[Event]) -> ChunkMeter:
    meter = ChunkMeter()
    for event in events:
        meter.on_event(event)
    return meter


TICKS: list[Event] = [
    MissionStarted(0.0, "pick it up", {"chunks": PLAIN}),
    SubgoalStarted(0.0, PICK, 1),
    _tick(0.0, 0.0, [(0.01, 0.0)] * 6, 0.25),
    _tick(0.1, 0.0, [(0.01, 0.0)] * 5, 0.25),
    _tick(0.2, 0.1, [(0.01, 0.004), (0.02, 0.0)]),
    _tick(0.3, 0.1, [(0.02, 0.0)]),
    _tick(0.6, 0.6, [(0.03, 0.0)] * 6, 0.3, starved=True),
    SubgoalStarted(0.7, PICK, 2),
    _tick(0.7, 0.7, [(0.0, 0.05)] * 6),
]


def test_a_jump_is_from_what_the_last_chunk_foresaw_for_that_tick() -> None:
    told = _heard(TICKS).summary()
    assert told is not None
    assert told.items() >= PLAIN.items()
    assert (told["inferences"], told["ticks"], told["starved_ticks"]) == (4, 6, 1)
    assert told["measured_latency_s"]["max"] == 0.3
    # No jump where the last chunk had no more to say, nor from one subgoal to the next.
    assert told["jump_m"] == {q: pytest.approx(0.004, abs=1e-6) for q in ("p50", "p99", "max")}
    assert told["jump_rad"] == {"p50": 0.0, "p99": 0.0, "max": 0.0}
    assert told["age_s"]["max"] == pytest.approx(0.2)


def test_an_arm_that_stood_goes_on_with_the_next_row() -> None:
    """A tick that comes late is no jump, however many rows its lateness is."""
    rows = [(0.001 * number, 0.0) for number in range(6)]
    told = _heard([*TICKS[:2], _tick(0.0, 0.0, rows), _tick(0.4, 0.1, rows[1:])]).summary()
    assert told is not None
    assert told["jump_m"]["max"] == 0.0


def test_an_arm_that_moves_by_joints_jumps_in_radians() -> None:
    started = MissionStarted(0.0, "go", {"chunks": PLAIN, "action_space": "delta_joint"})
    told = _heard([started, *TICKS[1:]]).summary()
    assert told is not None
    assert told["jump_m"] is None
    assert told["jump_rad"]["max"] == pytest.approx(0.004, abs=1e-6)


def test_of_a_policy_that_is_asked_at_every_tick_nothing_is_said() -> None:
    meter = _heard([MissionStarted(0.0, "go", {"chunks": None}), *TICKS[1:]])
    assert meter.summary() is None
    assert meter.lines() == []


def test_the_operator_reads_it_first_and_last() -> None:
    stream = io.StringIO()
    console = Console(stream)
    for event in TICKS:
        console.on_event(event)
    console.on_event(MissionEnded(0.8, MissionResult(MissionOutcome.SUCCESS, PLAN, (), 0, 0.8)))
    lines = stream.getvalue().replace("\n", " ")
    assert lines.startswith("pick it up Chunks of 6 actions last 0.6 s,")
    assert "Policy: 4 inferences in 200 ms (p99 298 ms, declared 150 ms); 1 of 6 ticks" in lines
    assert lines.rstrip().endswith("0 rad (p99 0, largest 0).")
