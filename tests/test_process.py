"""A process that runs jobs is killed, interrupted and goes on; nobody waits for what is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ProcessGone, RobotError
from agent.process import JobProcess, ended, job_processes

PATIENCE_S = 60.0
BEGUN = "It has begun."
Process = JobProcess[str, str]


def fail(message: str) -> None:
    raise RobotError(message)


def die(message: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(message: str) -> None:
    os._exit(3)


def die_sending(message: str) -> None:
    """Have the process killed where half of its next result is written."""

    def half(wire: Connection, sent: bytes) -> None:
        os.write(wire.fileno(), len(sent).to_bytes(4, "big") + sent[: len(sent) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    Connection._send_bytes = half  # type: ignore[attr-defined]


def sleep(message: str) -> None:
    sys.stderr.write(f"{BEGUN}\n")
    sys.stderr.flush()
    time.sleep(3600.0)


def runner() -> Callable[[str], str]:
    """Return what does as a job is named, and says the name."""
    return run


def run(job: str) -> str:
    actions = {f.__name__: f for f in (fail, die, leave, die_sending, sleep)}
    if job in actions:
        actions[job](f"It was to {job}.")
    return job


def unmade() -> Callable[[str], str]:
    raise RobotError("It cannot be made.")


@pytest.fixture
def process() -> Iterator[Process]:
    with Process(runner) as made:
        yield made


def ran(process: Process, job: str) -> str:
    process.begin(job)
    assert process.wire.poll(PATIENCE_S), "Nothing came of the job."
    return process.result()


def of(process: Process) -> Any:
    """Return the process itself."""
    return process._process


def test_what_is_raised_comes_back_with_where_that_was(process: Process) -> None:
    with pytest.raises(RobotError, match="was to fail") as raised:
        ran(process, "fail")
    assert "in fail" in raised.value.__notes__[0]
    assert ran(process, "go on") == "go on"


def test_what_cannot_be_made_is_told_with_each_job() -> None:
    with Process(unmade) as process:
        for _ in range(2):
            with pytest.raises(RobotError, match="cannot be made"):
                ran(process, "go")


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("die", "was killed by SIGKILL"),
        ("die_sending", "was killed by SIGKILL"),
        ("leave", "ended with exit code 3"),
    ],
)
def test_a_process_that_is_gone_is_said_and_the_next_job_gets_another(
    process: Process, job: str, said: str
) -> None:
    with pytest.raises(ProcessGone, match=f"^The process at work {said}.$"):
        ran(process, job)
    for words in ("first", "second"):
        assert ran(process, words) == words


def test_a_process_killed_between_two_jobs_is_found_out_at_the_next(process: Process) -> None:
    assert ran(process, "go") == "go"
    of(process).kill()
    of(process).join()
    with pytest.raises(ProcessGone):
        ran(process, "go")
    assert ran(process, "go") == "go"


def test_interrupts_do_not_reach_a_process_however_early(process: Process) -> None:
    process.begin("go")
    while not process.wire.poll(0.001):
        os.kill(of(process).pid, signal.SIGINT)
    assert process.result() == "go"
    os.kill(of(process).pid, signal.SIGINT)
    assert ran(process, "go on") == "go on"


def test_a_process_ends_well_and_after_an_error_at_once() -> None:
    with Process(runner) as process:
        ran(process, "go")
        itself = of(process)
    assert itself.exitcode == 0
    with pytest.raises(ValueError, match="enough"), process:
        process.begin("sleep")
        itself = of(process)
        raise ValueError("enough")
    assert itself.exitcode == -signal.SIGTERM


@pytest.mark.parametrize("workers", [1, 3])
def test_every_job_ends_once_and_those_of_killed_processes_alone_are_lost(workers: int) -> None:
    jobs = ["a", "die", "b", "fail", "leave", "c", "die_sending", "x", "d"]
    came: dict[int, str] = {}
    with job_processes(runner, workers) as processes:
        for number, process in ended(processes, jobs):
            assert number not in came
            try:
                came[number] = process.result()
            except (ProcessGone, RobotError) as error:
                came[number] = type(error).__name__
    assert sorted(came) == list(range(len(jobs)))
    lost = [jobs[number] for number in sorted(came) if came[number] == "ProcessGone"]
    assert lost == ["die", "leave", "die_sending"]
    kept = [came[number] for number in (0, 2, 3, 5, 7, 8)]
    assert kept == ["a", "b", "RobotError", "c", "x", "d"]


def test_no_job_is_taken_before_a_process_has_time_for_it() -> None:
    jobs = iter("abcdef")
    with job_processes(runner, 2) as processes:
        number, process = next(ended(processes, jobs))
        assert process.result() == "ab"[number]
        assert next(jobs) == "c"


def begin_and_wait() -> None:
    with Process(runner) as process:
        ran(process, "sleep")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_ends_with_its_parent(number: signal.Signals) -> None:
    root = str(Path(__file__).parents[1])
    parent = subprocess.Popen(
        [sys.executable, "-c", "from tests.test_process import begin_and_wait as b; b()"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert parent.stderr is not None
    with parent:
        assert any(BEGUN in line for line in parent.stderr)
        parent.send_signal(number)
        # Both write to the same pipe, which is closed when both are gone.
        parent.communicate(timeout=PATIENCE_S)
