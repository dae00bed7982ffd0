"""Jobs run at once and in this process, where a test looks into what runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from typing import Any


class InlineProcess:
    """Behaves like a `JobProcess`."""

    def __init__(self, run: Callable[[Any], Any]) -> None:
        self._run = run

    def begin(self, job: Any) -> None:
        """Run it; what it raises is raised with its result."""
        self.wire, theirs = Pipe()
        theirs.close()
        try:
            self._result, self._error = self._run(job), None
        except OSError as error:
            self._error = error

    def result(self) -> Any:
        """Return what came of it."""
        self.wire.close()
        if self._error is not None:
            raise self._error
        return self._result


@contextmanager
def inline_processes(make: Callable[[], Callable[[Any], Any]], _: int) -> Iterator[list[Any]]:
    """Stand for `job_processes`, with one, however many there are to be."""
    yield [InlineProcess(make())]
