"""Processes that run jobs, any of which may be killed at any moment."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Self, TypeVar

from agent.errors import BosunError, ProcessGone

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")

_INTERRUPT = {signal.SIGINT}
FAILURES = (
    *(ArithmeticError, AssertionError, AttributeError, BosunError, ImportError, LookupError),
    *(MemoryError, OSError, RuntimeError, TypeError, ValueError),
)
"""What running a job raises; with anything else its process ends, and says so on stderr."""


class JobProcess(Generic[JobT, ResultT]):
    """Runs one job after another; where it is killed, the next job begins it anew.

    Its pipe is its own, and nobody else holds the end that it writes to. So a result of which half
    was written ends as the pipe does; behind a queue that is shared, its reader would wait forever.
    Ctrl-C does not reach it, but for a robot in it, which listens while a mission is under way. It
    ends with the process that started it, in whatever way that one does.

    Attributes:
        wire: Can be read from once the job that runs has ended; there from the first job on.
    """

    wire: Connection

    def __init__(self, make: Callable[[], Callable[[JobT], ResultT]]) -> None:
        """Start nothing yet.

        Args:
            make: Makes what runs the jobs, in the process and with the first one, so that what it
                raises comes back as that job's result.
        """
        self._make = make
        self._process: BaseProcess | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Let a job that runs come to its end, but for an error, and end the process."""
        if self._process is not None:
            if kind is not None:
                self._process.terminate()
            self._end()

    def begin(self, job: JobT) -> None:
        """Begin a job; the one before must have ended."""
        if self._process is None:
            self._start()
        # A process that was killed meanwhile is found out where the result is read.
        with suppress(OSError):
            self.wire.send(job)

    def result(self) -> ResultT:
        """Wait for the job and return what came of it.

        Raises:
            ProcessGone: The process was killed, or has ended.
            Exception: Whatever was raised in it.
        """
        try:
            result, error = self.wire.recv()
        except (EOFError, OSError):
            raise ProcessGone(f"The process at work {self._end()}.") from None
        if error is not None:
            raise error
        known: ResultT = result
        return known

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.wire, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._make))
        with _held_interrupts():
            process.start()
        theirs.close()
        self._process = process

    def _end(self) -> str:
        """Wait for the process's end and say what it was."""
        assert self._process is not None
        self.wire.close()
        self._process.join()
        code, self._process = self._process.exitcode or 0, None
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


@contextmanager
def job_processes(
    make: Callable[[], Callable[[JobT], ResultT]], number: int
) -> Iterator[list[JobProcess[JobT, ResultT]]]:
    """Have so many processes, each of which is started when it gets its first job."""
    with ExitStack() as stack:
        yield [stack.enter_context(JobProcess(make)) for _ in range(number)]


def ended(
    processes: Sequence[JobProcess[JobT, ResultT]], jobs: Iterable[JobT]
) -> Iterator[tuple[int, JobProcess[JobT, ResultT]]]:
    """Hand out jobs and yield the number of each that ends, and the process that ran it.

    Its result must be taken before the next one is asked for.
    """
    waiting = enumerate(jobs)
    running: dict[JobProcess[JobT, ResultT], int] = {}
    while True:
        idle = [process for process in processes if process not in running]
        for process, (index, job) in zip(idle, waiting, strict=False):
            process.begin(job)
            running[process] = index
        if not running:
            return
        ready = wait([process.wire for process in running])
        for process in [process for process in running if process.wire in ready]:
            yield running.pop(process), process


@contextmanager
def _held_interrupts() -> Iterator[None]:
    """Start a process that Ctrl-C does not reach before it can ignore it; none is lost here."""
    # Where this helper of the library's is only started inside, it lets interrupts through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(wire: Connection, make: Callable[[], Callable[[Any], Any]]) -> None:
    """Run what comes until the wire is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    run: Callable[[Any], Any] | None = None
    with suppress(EOFError, OSError):
        while True:
            job, result, raised = wire.recv(), None, None
            try:
                run = run or make()
                result = run(job)
            except FAILURES as error:
                raised = error
                raised.add_note("".join(traceback.format_exception(error)))
            wire.send((result, raised))


def _end_with_parent() -> None:
    """End at once where the parent does; a robot holds still where nobody sends it anything."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
