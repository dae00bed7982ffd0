"""Cases over worker processes; what comes of them does not depend on how many."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import takewhile
from types import FrameType
from typing import Self

from tqdm import tqdm

from agent.config import Config
from agent.errors import BosunError
from agent.process import FAILURES, JobProcess, ended, job_processes
from agent.script.bench import CaseBench, Finding, Job, Status

_STDOUT, _STDERR = 1, 2


def run_jobs(jobs: Sequence[Job], workers: int) -> list[Finding]:
    """Return what came of every job, in order; Ctrl-C leaves those unrun that have not ended.

    Args:
        jobs: What is run; those with the same settings are run together, since loading takes time.
        workers: Processes.
    """
    findings = [Finding(job.case, Status.NOT_RUN) for job in jobs]
    order = _by_settings(jobs)
    with (
        _Interrupt() as interrupt,
        tqdm(total=len(jobs), desc="missions", unit="case") as bar,
        job_processes(_make_runner, workers) as processes,
    ):
        told = _told([jobs[index] for index in order])
        for number, process in ended(processes, takewhile(lambda _: not interrupt.came, told)):
            if interrupt.came:
                break
            findings[order[number]] = _finding(jobs[order[number]], process)
            bar.update()
        if interrupt.came:
            bar.write("Interrupted: what has ended is reported, the rest is not run.", file=bar.fp)
    return findings


def _by_settings(jobs: Sequence[Job]) -> list[int]:
    """Return the order in which settings change least."""
    first: dict[str, int] = {}
    keys = [first.setdefault(job.config.model_dump_json(), len(first)) for job in jobs]
    return sorted(range(len(jobs)), key=keys.__getitem__)


def _told(jobs: Sequence[Job]) -> Iterator[tuple[Job, bool]]:
    """Yield each job, and whether what a human should know of its settings is said with it.

    That is once, by the process that is the first with them.
    """
    told: Config | None = None
    for job in jobs:
        yield job, job.config != told
        told = job.config


def _finding(job: Job, process: JobProcess[tuple[Job, bool], Finding]) -> Finding:
    """Return what came of a job; what is raised in it is that case's error alone."""
    try:
        return process.result()
    except FAILURES as error:
        said = str(error) if isinstance(error, BosunError) else f"{type(error).__name__}: {error}"
        return Finding(job.case, Status.ERROR, error=said)


def _make_runner() -> Callable[[tuple[Job, bool]], Finding]:
    # What libraries print is no part of what is reported.
    os.dup2(_STDERR, _STDOUT)
    bench = CaseBench()
    # Renderers cannot be released any more once the interpreter is being taken apart.
    atexit.register(bench.close)
    return partial(_run, bench)


def _run(bench: CaseBench, told: tuple[Job, bool]) -> Finding:
    job, warns = told
    return bench(job, _warn) if warns else bench(job)


def _warn(caveat: str) -> None:
    """Say it on a line of its own, below the progress bar of the process that waits."""
    sys.stderr.write(f"\nbosun: {caveat}\n")
    sys.stderr.flush()


class _Interrupt:
    """Takes note of Ctrl-C, so that it is acted on where nothing is half done.

    Attributes:
        came: Whether there was one.
    """

    came = False

    def __enter__(self) -> Self:
        self._before = signal.getsignal(signal.SIGINT)
        # What is started in a shell's background ignores interrupts from the first.
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.came = True
