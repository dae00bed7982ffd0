"""How loud it is, as a line at the bottom of a terminal."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from types import TracebackType
from typing import IO, Self

_WIDTH = 30
_QUIETEST_DBFS = -60.0
_EVERY_S = 0.1
_ERASE = "\r\x1b[K"


class LevelMeter(io.TextIOBase):
    """A stream that writes to another one, and can keep a level on the line below.

    Where the other one is no terminal it only passes on what is written.
    """

    def __init__(self, stream: IO[str]) -> None:
        """Show nothing yet."""
        self._stream = stream
        self._lock = threading.RLock()
        self._shown, self._line_is_free = False, True
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def show(self, level_dbfs: Callable[[], float]) -> None:
        """Show a level until the end.

        Args:
            level_dbfs: How loud it is now, dB; 0 is the loudest there is.
        """
        if self._stream.isatty():
            self._thread = threading.Thread(
                target=self._run, args=(level_dbfs,), name="level meter", daemon=True
            )
            self._thread.start()

    def _run(self, level_dbfs: Callable[[], float]) -> None:
        while not self._ended.wait(_EVERY_S):
            with self._lock:
                # A sentence that is still being written keeps its line.
                if self._line_is_free:
                    self._stream.write(_ERASE + bar(level_dbfs()))
                    self._stream.flush()
                    self._shown = True

    def write(self, text: str) -> int:
        """Write text in place of the meter, which comes back below it."""
        with self._lock:
            self._erase()
            if text:
                self._line_is_free = text.endswith("\n")
            return self._stream.write(text)

    def flush(self) -> None:
        """Let the stream show what was written."""
        with self._lock:
            self._stream.flush()

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream.isatty()

    def stop(self) -> None:
        """Take the meter away; what is written then is passed on as before."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._erase()
            self._stream.flush()

    def _erase(self) -> None:
        if self._shown:
            self._stream.write(_ERASE)
            self._shown = False

    def __enter__(self) -> Self:
        """Return the meter."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the meter away."""
        self.stop()


def bar(level_dbfs: float) -> str:
    """Return a level as a bar of fixed length and a number."""
    share = 1 - max(_QUIETEST_DBFS, min(0.0, level_dbfs)) / _QUIETEST_DBFS
    filled = round(share * _WIDTH)
    return f"[{'#' * filled}{'-' * (_WIDTH - filled)}] {max(_QUIETEST_DBFS, level_dbfs):4.0f} dB"
