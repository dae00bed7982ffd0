"""A policy whose inferences run beside the ticks, each on the newest observation."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from agent.action_space import ActionSpec
from agent.chunks.clock import ActedClock, on_clock
from agent.chunks.queue import ActionQueue
from agent.chunks.schedule import Merge, Schedule, whole_ticks
from agent.errors import ConfigError, PolicyLost
from agent.fitting import fit
from agent.protocols import ContinuingPolicy, Policy
from agent.timing import Timing
from agent.types import ActionChunk, Observation

_REMEMBERED = 10
"""Of how many inferences the slowest says how long the next may take."""


@dataclass(frozen=True, slots=True, eq=False)
class _Reply:
    chunk: ActionChunk
    latency_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """An observation that was asked about: its time by the robot's clock and by that of its acts.

    Both in s.
    """

    seen_s: float
    acted_s: float
    reply: Future[_Reply]


class RealtimePolicy:
    """Answers at once with what is planned, and has the policy it wraps plan on meanwhile.

    Where nothing is planned, as at a subgoal's first tick, `infer` waits, no action is sent and the
    arm stands. So it does where the last tick is longer ago than a chunk lasts. All inferences run
    on one thread, which ends with `close`. What the thread raises is raised by the next `infer`.
    """

    def __init__(
        self,
        policy: Policy,
        schedule: Schedule,
        decay: float,
        limit_s: float,
        *,
        clock: Callable[[], float] = time.perf_counter,
        executor: Executor | None = None,
    ) -> None:
        """Wrap a policy; `reset` must be called before `infer`.

        Args:
            policy: Is used on the thread, and by nobody else.
            schedule: How often it is asked, how chunks are merged, and the latency declared.
            decay: What a chunk weighs in an ensemble that began a tick earlier, as a share, 0..1.
            limit_s: How long a tick may wait, s.
            clock: Tells seconds of wall time.
            executor: Runs one inference after another; None is a thread of its own.

        Raises:
            ConfigError: Chunks shall continue each other, and the policy cannot do that.
        """
        continues = isinstance(policy, ContinuingPolicy) and policy.continues
        if schedule.merge is Merge.RTC and not continues:
            raise ConfigError(
                "policy.realtime.merge is rtc, but this policy cannot continue a chunk that is "
                "under way; use ensemble or replace."
            )
        self._policy, self._schedule, self._limit_s = policy, schedule, limit_s
        self._clock = clock
        self._thread = executor or ThreadPoolExecutor(1, "policy")
        self._queue = ActionQueue(decay if schedule.merge is Merge.ENSEMBLE else 0.0)
        self._latencies = deque([schedule.latency_s], maxlen=_REMEMBERED)
        self._asked: _Asked | None = None
        self._phrase: str | None = None
        self._ticked_s = clock()

    def fit(self, spec: ActionSpec, observation: Observation) -> None:
        """Let the policy it wraps look whether it fits the robot."""
        fit(self._policy, spec, observation)

    def reset(self, phrase: str) -> None:
        """Begin a subgoal: what is planned or being inferred for the last one is dropped."""
        self._drop()
        self._phrase = phrase
        self._acted, self._since_asked, self._waited = ActedClock(), 0, False

    def _drop(self) -> None:
        """Leave alone what is planned, and whatever answer is to come."""
        self._queue.clear()
        if self._asked is not None:
            self._asked.reply.cancel()
        self._asked = None

    def infer(self, observation: Observation) -> ActionChunk:
        """Return what is planned from now on.

        Raises:
            PolicyLost: The policy is lost, or a tick has waited for it for too long.
        """
        now_s = self._acted.at(observation.time_s, self._schedule.dt_s, waited=self._waited)
        first = self._phrase is not None
        if self._clock() - self._ticked_s > self._schedule.horizon * self._schedule.dt_s:
            # Somebody held the arm, whatever the robot's clock says: the plan is an old one.
            self._drop()
        self._take(now_s, wait=False)
        self._since_asked += 1
        if self._asked is None and (first or self._since_asked >= (self._schedule.every or 1)):
            self._ask(observation, now_s)
        chunk = self._queue.at(now_s)
        self._waited = chunk is None
        while chunk is None:
            if self._asked is None:
                # What came was too late to be of use: only an answer to what is sensed now will do.
                self._ask(observation, now_s)
            self._take(now_s, wait=True)
            chunk = self._queue.at(now_s)
        self._ticked_s = self._clock()
        assert chunk.timing is not None
        return replace(chunk, timing=replace(chunk.timing, starved=self._waited and not first))

    def close(self) -> None:
        """End the thread, once the inference under way has ended; idempotent."""
        self._thread.shutdown(cancel_futures=True)

    def _ask(self, observation: Observation, acted_s: float) -> None:
        phrase, self._phrase, self._since_asked = self._phrase, None, 0
        delay = whole_ticks(max(self._latencies), self._schedule.dt_s)
        # Where nothing is planned any more the arm stands, and there is nothing to go on from.
        continuing = self._schedule.merge is Merge.RTC and self._queue.at(acted_s) is not None
        seen = on_clock(observation, acted_s)

        def answer() -> _Reply:
            if phrase is not None:
                self._policy.reset(phrase)
            began_s = self._clock()
            if continuing and isinstance(self._policy, ContinuingPolicy):
                chunk = self._policy.infer_after(seen, delay)
            else:
                chunk = self._policy.infer(seen)
            if not (len(chunk.actions) and chunk.dt_s > 0):
                raise PolicyLost("The policy answered with a chunk in which there is no action.")
            return _Reply(chunk, self._clock() - began_s)

        self._asked = _Asked(observation.time_s, acted_s, self._thread.submit(answer))

    def _take(self, now_s: float, *, wait: bool) -> None:
        """Put an answer that is there, or is waited for, into the queue."""
        asked = self._asked
        if asked is None or not (wait or asked.reply.done()):
            return
        try:
            reply = asked.reply.result(self._limit_s)
        except TimeoutError:
            if asked.reply.done():
                raise
            raise PolicyLost(f"The policy has not answered for {self._limit_s:g} s.") from None
        finally:
            if asked.reply.done():
                self._asked = None
        self._latencies.append(reply.latency_s)
        timing = Timing(asked.seen_s, reply.latency_s)
        self._queue.add(asked.acted_s, replace(reply.chunk, timing=timing), now_s)
