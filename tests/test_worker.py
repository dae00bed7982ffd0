from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from agent.errors import PolicyLost
from agent.protocols import Policy
from agent.types import ActionChunk, Observation
from agent.worker import WorkerPolicy
from tests.parts import observation


class Echo:
    """Answers with the time of the observation, late or never where the phrase says so."""

    def reset(self, phrase: str) -> None:
        self.phrase = phrase

    def infer(self, seen: Observation) -> ActionChunk:
        if self.phrase == "fail":
            raise ValueError("no such thing")
        if self.phrase == "die":
            os._exit(3)
        if self.phrase == "dawdle" and seen.time_s == 1.0:
            time.sleep(0.6)
        return ActionChunk(np.full((2, 7), seen.time_s, np.float32), 0.1)


class Broken(Echo):
    def __init__(self) -> None:
        raise RuntimeError("no weights")


@contextmanager
def _worker(make: Callable[[], Policy] = Echo, limit_s: float = 5.0) -> Iterator[WorkerPolicy]:
    worker = WorkerPolicy(make, limit_s)
    try:
        yield worker
    finally:
        worker.close()


def _time_of(chunk: ActionChunk) -> float:
    return float(chunk.actions[0, 0])


def test_it_answers_like_the_policy() -> None:
    with _worker() as worker:
        worker.reset("go")
        assert [_time_of(worker.infer(observation(t))) for t in (0.0, 2.0, 0.5)] == [0, 2, 0.5]


def test_what_fails_there_is_said_here_and_it_goes_on() -> None:
    with _worker() as worker:
        worker.reset("fail")
        with pytest.raises(PolicyLost, match="ValueError: no such thing"):
            worker.infer(observation())
        worker.reset("go")
        assert _time_of(worker.infer(observation(3.0))) == 3.0


def test_a_late_answer_is_never_the_next_one() -> None:
    with _worker(limit_s=0.3) as worker:
        worker.reset("dawdle")
        began = time.perf_counter()
        with pytest.raises(PolicyLost, match=r"not answered for 0.3 s"):
            worker.infer(observation(1.0))
        assert time.perf_counter() - began < 0.5
        time.sleep(0.5)
        assert _time_of(worker.infer(observation(2.0))) == 2.0


@pytest.mark.parametrize("kill", [True, False])
def test_a_dead_process_is_noticed_at_once_and_started_anew(kill: bool) -> None:
    with _worker() as worker:
        worker.reset("die")
        if kill:
            os.kill(worker.pid, signal.SIGKILL)
        began = time.perf_counter()
        with pytest.raises(PolicyLost, match="gone"):
            worker.infer(observation())
        assert time.perf_counter() - began < 1.0
        worker.reset("go")
        assert _time_of(worker.infer(observation(4.0))) == 4.0


def test_what_cannot_be_loaded_is_said() -> None:
    with pytest.raises(PolicyLost, match="RuntimeError: no weights"):
        WorkerPolicy(Broken, 1.0)


def test_closing_ends_the_process_and_can_be_done_twice() -> None:
    worker = WorkerPolicy(Echo, 1.0)
    pid = worker.pid
    worker.close()
    worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
