from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from agent.chunks.policy import RealtimePolicy
from agent.chunks.schedule import Merge, Schedule
from agent.doubles import ScriptedPolicy, StillRobot
from agent.errors import ConfigError, PolicyLost
from agent.faults import DelayedPolicy, Fault, FaultyPolicy
from agent.protocols import Policy
from agent.types import ActionChunk, MissionOutcome, Observation
from tests.parts import COMMAND, Bench, observation
from tests.virtual import LateExecutor, VirtualTime

HORIZON, DT_S = 6, 0.1


class Timetable:
    """Tells of each tick, as an action, when it is, and takes some time to say so.

    It keeps the `phrases` and the times it has `seen`; what it is told to raise, it raises.
    """

    def __init__(
        self,
        latency: Callable[[], object] = lambda: None,
        fails: Callable[[str], Exception | None] = lambda where: None,
        horizon: int = HORIZON,
    ) -> None:
        self._latency, self._fails, self._horizon = latency, fails, horizon
        self.phrases: list[str] = []
        self.seen: list[float] = []
        self.continued: list[tuple[float, int]] = []
        self.continues = True

    def reset(self, phrase: str) -> None:
        if (failure := self._fails("reset")) is not None:
            raise failure
        self.phrases.append(phrase)

    def infer(self, seen: Observation) -> ActionChunk:
        self._latency()
        if (failure := self._fails("infer")) is not None:
            raise failure
        self.seen.append(seen.time_s)
        rows = np.zeros((self._horizon, 7), dtype=np.float32)
        rows[:, 0] = seen.time_s + DT_S * np.arange(self._horizon)
        rows[:, 1] = len(self.phrases)
        return ActionChunk(rows, DT_S, success=0.0)

    def infer_after(self, seen: Observation, delay: int) -> ActionChunk:
        self.continued.append((seen.time_s, delay))
        return self.infer(seen)


class Plain:
    """A policy that cannot continue a chunk."""

    def reset(self, phrase: str) -> None:
        """Begin."""

    def infer(self, seen: Observation) -> ActionChunk:
        return ActionChunk(np.zeros((HORIZON, 7), dtype=np.float32), DT_S)


def _slow(
    latency_s: float, merge: Merge = Merge.REPLACE, every: int | None = None, horizon: int = HORIZON
) -> tuple[RealtimePolicy, Timetable, VirtualTime]:
    """Return a policy in virtual time whose inferences take so long."""
    time = VirtualTime()
    table = Timetable(lambda: time.sleep(latency_s), horizon=horizon)
    schedule = Schedule(horizon, DT_S, latency_s, every, merge)
    policy = RealtimePolicy(
        table, schedule, 0.6, 5.0, clock=time.clock, executor=LateExecutor(time)
    )
    return policy, table, time


def _run(policy: RealtimePolicy, time: VirtualTime, ticks: int) -> Iterator[ActionChunk]:
    """Tick on a robot whose clock is on the wall and whose actions take a period each."""
    for _ in range(ticks):
        yield policy.infer(observation(time.now_s))
        time.sleep(DT_S)


@pytest.mark.parametrize("horizon", [2, 5, 6, 8])
@pytest.mark.parametrize("every", [None, 1, 3, 4, 6])
@pytest.mark.parametrize("latency_s", [0.02, 0.1, 0.15, 0.2, 0.29, 0.31, 0.5])
def test_it_starves_where_the_arithmetic_says_so(
    latency_s: float, every: int | None, horizon: int
) -> None:
    policy, _, time = _slow(latency_s, every=every, horizon=horizon)
    policy.reset("go")
    starved = [c.timing.starved for c in _run(policy, time, 60) if c.timing is not None]
    assert len(starved) == 60
    assert any(starved) == Schedule(horizon, DT_S, latency_s, every).starves


@pytest.mark.parametrize("merge", [Merge.ENSEMBLE, Merge.REPLACE])
@pytest.mark.parametrize("latency_s", [0.05, 0.15, 0.28, 0.45, 0.8])
def test_what_is_done_was_meant_for_now(merge: Merge, latency_s: float) -> None:
    """Every chunk foresees the same, so that nothing but its place in time can be wrong.

    No row is done twice, and none is left out, however long the arm has to stand in between.
    """
    policy, table, time = _slow(latency_s, merge)
    policy.reset("go")
    done = [chunk.actions[0, 0] for chunk in _run(policy, time, 40)]
    assert done == pytest.approx(DT_S * np.arange(40), abs=1e-5)
    assert table.seen == sorted(set(table.seen))


def test_heads_are_told_with_the_time_of_what_they_judge() -> None:
    policy, _, time = _slow(0.15)
    policy.reset("go")
    for chunk in list(_run(policy, time, 20))[3:]:
        assert chunk.timing is not None and not chunk.timing.starved
        assert len(chunk.actions) == HORIZON - round(
            (chunk.actions[0, 0] - (chunk.timing.seen_s - 0.15)) / DT_S
        )


def test_the_first_tick_waits_and_is_not_called_starved() -> None:
    policy, _, time = _slow(0.25)
    policy.reset("go")
    chunk = policy.infer(observation(0.0))
    assert time.now_s == pytest.approx(0.25)
    assert len(chunk.actions) == HORIZON
    assert chunk.timing is not None and not chunk.timing.starved
    assert chunk.timing.latency_s == pytest.approx(0.25)


def test_after_a_pause_nothing_is_done_that_was_planned_before() -> None:
    """The robot's clock stands still in a pause; what it then does rests on what is seen after."""
    policy, table, time = _slow(0.15)
    policy.reset("go")
    assert len(list(_run(policy, time, 5))) == 5
    paused_s = 2.0
    time.sleep(paused_s)
    chunk = policy.infer(observation(time.now_s - paused_s))
    assert chunk.timing is not None and chunk.timing.starved
    assert chunk.timing.seen_s == pytest.approx(0.65)
    assert len(chunk.actions) == HORIZON
    assert len(table.phrases) == 1


@pytest.mark.parametrize(("rows", "dt_s"), [(0, 0.1), (6, 0.0), (6, float("nan"))])
def test_a_chunk_without_an_action_is_an_answer_of_a_policy_that_is_lost(
    rows: int, dt_s: float
) -> None:
    empty = ActionChunk(np.zeros((rows, 7), dtype=np.float32), dt_s)
    with _threaded(ScriptedPolicy([empty])) as policy:
        policy.reset("go")
        with pytest.raises(PolicyLost, match="no action"):
            policy.infer(observation(0.0))


def test_inferences_are_as_rare_as_asked() -> None:
    policy, table, time = _slow(0.05, every=3)
    policy.reset("go")
    assert len(list(_run(policy, time, 31))) == 31
    between = np.diff(table.seen[1:])
    assert between == pytest.approx(np.full(len(between), 0.3), abs=1e-6)


def test_the_next_subgoal_begins_with_nothing_of_the_last() -> None:
    policy, table, time = _slow(0.15)
    for number in range(1, 6):
        policy.reset(f"subgoal {number}")
        told = {float(chunk.actions[0, 1]) for chunk in _run(policy, time, number)}
        assert told == {number}
    assert table.phrases == [f"subgoal {number}" for number in range(1, 6)]


@pytest.mark.parametrize(
    ("where", "nth"), [("reset", 0), ("infer", 0), ("infer", 1), ("infer", 2), ("infer", 3)]
)
@pytest.mark.parametrize("failure", [PolicyLost("gone"), ValueError("no such thing")])
def test_what_fails_on_the_thread_is_raised_by_a_tick(
    where: str, nth: int, failure: Exception
) -> None:
    counts = {"reset": 0, "infer": 0}

    def fails(at: str) -> Exception | None:
        counts[at] += 1
        return failure if at == where and counts[at] == nth + 1 else None

    with _threaded(Timetable(fails=fails)) as policy:
        policy.reset("go")
        with pytest.raises(type(failure), match=str(failure)):
            for tick in range(200):
                policy.infer(observation(DT_S * tick))
        policy.reset("again")
        assert policy.infer(observation(0.0)).actions[0, 0] == 0.0


@contextmanager
def _threaded(table: Policy, limit_s: float = 5.0) -> Iterator[RealtimePolicy]:
    """Yield a policy with a thread of its own, which has ended afterwards."""
    policy = RealtimePolicy(table, Schedule(HORIZON, DT_S, 0.05), 0.6, limit_s)
    try:
        yield policy
    finally:
        policy.close()
        policy.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("policy")]


def test_an_answer_to_the_last_subgoal_is_never_taken_for_the_next() -> None:
    gate = threading.Event()
    blocks = iter([False, True])
    with _threaded(Timetable(lambda: next(blocks, False) and gate.wait())) as policy:
        policy.reset("one")
        policy.infer(observation(0.0))
        policy.infer(observation(0.1))
        policy.reset("two")
        threading.Timer(0.03, gate.set).start()
        chunk = policy.infer(observation(0.2))
        assert chunk.actions[0, 1] == 2
        assert chunk.timing is not None and chunk.timing.seen_s == 0.2


def test_a_tick_waits_no_longer_than_the_limit() -> None:
    gate = threading.Event()
    with _threaded(Timetable(gate.wait), limit_s=0.02) as policy:
        policy.reset("go")
        with pytest.raises(PolicyLost, match=r"not answered for 0\.02 s"):
            policy.infer(observation(0.0))
        gate.set()


def test_a_thousand_subgoals_leave_one_thread_and_then_none() -> None:
    before = threading.active_count()
    with _threaded(Timetable()) as policy:
        for number in range(1_000):
            policy.reset(f"subgoal {number}")
            for tick in range(number % 3):
                policy.infer(observation(DT_S * tick))
            assert threading.active_count() <= before + 1


def test_it_stops_while_it_waits_and_nothing_is_sent() -> None:
    robot, asked = StillRobot(), threading.Event()

    def blocks() -> None:
        asked.set()
        gate.wait()

    gate = threading.Event()

    def stops() -> None:
        asked.wait()
        robot.stop()
        gate.set()

    hand = threading.Thread(target=stops)
    with _threaded(Timetable(blocks)) as policy:
        bench = Bench(policy=policy, robot=robot)
        hand.start()
        result = bench.runtime.run(COMMAND, 0)
        hand.join()
    assert result.outcome is MissionOutcome.STOPPED
    assert robot.sent == []


def test_chunks_that_continue_each_other_are_told_of_the_delay() -> None:
    policy, table, time = _slow(0.15, Merge.RTC)
    policy.reset("go")
    assert len(list(_run(policy, time, 9))) == 9
    assert [seen for seen, _ in table.continued] == table.seen[1 : 1 + len(table.continued)]
    assert {delay for _, delay in table.continued} == {2}


def test_a_chunk_does_not_continue_one_that_was_dropped_in_a_pause() -> None:
    policy, table, time = _slow(0.15, Merge.RTC)
    policy.reset("go")
    assert len(list(_run(policy, time, 5))) == 5
    before = list(table.continued)
    time.sleep(2.0)
    chunk = policy.infer(observation(time.now_s - 2.0))
    assert chunk.timing is not None and chunk.timing.starved
    assert table.continued == before
    assert len(list(_run(policy, time, 5))) == 5
    assert len(table.continued) > len(before)


def test_a_policy_that_is_late_on_purpose_continues_what_the_one_within_can() -> None:
    table, slept = Timetable(), list[float]()
    late = DelayedPolicy(lambda: table, 0.15, slept.append)
    assert late.continues
    late.reset("go")
    late.infer_after(observation(0.3), 2)
    assert table.continued == [(0.3, 2)] and slept == [0.15]
    assert not DelayedPolicy(Plain, 0.15).continues


def test_a_policy_that_fails_on_purpose_fails_in_a_chunk_that_continues_another_too() -> None:
    table = Timetable()
    failing = FaultyPolicy(lambda: table, Fault.NAN, 0.5)
    assert failing.continues
    failing.reset("go")
    assert np.isfinite(failing.infer_after(observation(0.3), 2).actions).all()
    assert np.isnan(failing.infer_after(observation(0.6), 2).actions).all()
    assert table.continued == [(0.3, 2), (0.6, 2)]


@pytest.mark.parametrize("can", [None, False])
def test_a_policy_that_cannot_continue_a_chunk_is_refused(can: bool | None) -> None:
    table: Timetable | Plain = Plain()
    if can is not None:
        table = Timetable()
        table.continues = can
    with pytest.raises(ConfigError, match=r"cannot continue a chunk .*ensemble or replace\.$"):
        RealtimePolicy(table, Schedule(6, 0.1, 0.1, None, Merge.RTC), 0.6, 1.0)
