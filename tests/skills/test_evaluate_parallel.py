"""Tries over worker processes: in order, exactly as many as wanted, errors and all."""

from __future__ import annotations

import os
import time

import pytest

from agent.errors import CheckpointError, ProcessGone
from skills.evaluate.parallel import parallel


class Squares:
    """Squares its jobs; has no result for multiples of three, and is late with small ones."""

    def __init__(self, offset: int) -> None:
        self.offset = offset

    def __call__(self, job: int) -> int | None:
        time.sleep(0.02 if job < 5 else 0.0)
        return None if job % 3 == 0 else job * job + self.offset


class Broken:
    """Cannot be made."""

    def __init__(self) -> None:
        raise CheckpointError("There is no checkpoint.")

    def __call__(self, job: int) -> int:
        return job


class Dying:
    """Dies with its process, as one that runs out of memory does."""

    def __call__(self, job: int) -> int:
        os._exit(9)


@pytest.mark.parametrize("workers", [1, 3])
def test_first_results_in_the_order_of_jobs(workers: int) -> None:
    """Whatever the number of workers; each group has its own count, and may run out of jobs."""
    found = parallel(
        Squares,
        (1,),
        {"a": range(100), "b": range(10, 100), "short": range(4)},
        {"a": 5, "b": 2, "short": 9},
        workers,
        "test",
    )
    assert found == {"a": [2, 5, 17, 26, 50], "b": [101, 122], "short": [2, 5]}


def test_no_try_is_made_in_vain() -> None:
    """Only as many jobs are taken as the results wanted needed."""
    jobs = iter(range(100))
    parallel(Squares, (0,), {"a": jobs}, {"a": 4}, 2, "test")
    assert next(jobs) == 6


def test_an_error_in_a_worker_comes_back() -> None:
    """A bench that cannot be made is an error, not a wait without end."""
    with pytest.raises(CheckpointError, match="no checkpoint"):
        parallel(Broken, (), {"a": [1, 2]}, {"a": 2}, 2, "test")


def test_a_worker_that_dies_is_an_error() -> None:
    """Nobody waits for what never comes."""
    with pytest.raises(ProcessGone, match="ended with exit code 9"):
        parallel(Dying, (), {"a": [1]}, {"a": 1}, 1, "test")
