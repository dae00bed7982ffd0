"""Cases over worker processes; what comes of them does not depend on how many."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from tqdm import tqdm

from agent.config import Config
from agent.errors import BosunError
from agent.script.bench import CaseBench, Finding, Job, Status

_STDOUT, _STDERR = 1, 2


def run_jobs(jobs: Sequence[Job], workers: int) -> list[Finding]:
    """Return what came of every job, in order; Ctrl-C leaves those unrun that have not ended.

    Args:
        jobs: What is run; those with the same settings are run together, since loading takes time.
        workers: Processes.
    """
    findings = [Finding(job.case, Status.NOT_RUN) for job in jobs]
    waiting = deque(_by_settings(jobs))
    with tqdm(total=len(jobs), desc="missions", unit="case") as bar:
        try:
            # Where a process was killed the pool is broken for good, and the rest gets another one.
            while waiting:
                for index, finding in _results(jobs, waiting, workers):
                    findings[index] = finding
                    bar.update()
        except KeyboardInterrupt:
            bar.write("Interrupted: what has ended is reported, the rest is not run.", file=bar.fp)
    return findings


def _results(
    jobs: Sequence[Job], waiting: deque[int], workers: int
) -> Iterator[tuple[int, Finding]]:
    """Yield what comes of waiting jobs until there are none, or until a process is killed.

    No more are handed out than there are processes, so that few are in the way of an interrupt.
    """
    running: dict[Future[Finding], int] = {}
    # What a human should know of settings is said once, by the process that is the first with them.
    warned: Config | None = None
    broken = False
    workers = min(workers, len(waiting))
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin) as pool:
        while running or (waiting and not broken):
            while waiting and len(running) < workers and not broken:
                try:
                    with _deaf_to_interrupts():
                        job = jobs[waiting[0]]
                        warns = job.config != warned
                        running[pool.submit(_run, job, warns=warns)] = waiting[0]
                    waiting.popleft()
                    warned = job.config
                except BrokenProcessPool:
                    broken = True
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                broken |= isinstance(future.exception(), BrokenProcessPool)
                index = running.pop(future)
                yield index, _finding(jobs[index], future)


def _by_settings(jobs: Sequence[Job]) -> list[int]:
    """Return the order in which settings change least."""
    first: dict[str, int] = {}
    keys = [first.setdefault(job.config.model_dump_json(), len(first)) for job in jobs]
    return sorted(range(len(jobs)), key=keys.__getitem__)


def _finding(job: Job, future: Future[Finding]) -> Finding:
    """Return what came of a job; whatever was raised in it is that case's error alone."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, BrokenProcessPool):
        said = "The process that ran it, or one beside it, was killed."
    else:
        said = str(error) if isinstance(error, BosunError) else f"{type(error).__name__}: {error}"
    return Finding(job.case, Status.ERROR, error=said)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, but for the robot in them, which it stops."""
    before: Any = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin() -> None:
    # What libraries print is no part of what is reported.
    os.dup2(_STDERR, _STDOUT)


@lru_cache(maxsize=1)
def _bench() -> CaseBench:
    bench = CaseBench()
    # Renderers cannot be released any more once the interpreter is being taken apart.
    atexit.register(bench.close)
    return bench


def _run(job: Job, *, warns: bool) -> Finding:
    return _bench()(job, _warn) if warns else _bench()(job)


def _warn(caveat: str) -> None:
    """Say it on a line of its own, below the progress bar of the process that waits."""
    sys.stderr.write(f"\nbosun: {caveat}\n")
    sys.stderr.flush()
