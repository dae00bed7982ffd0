"""The key that is pressed to talk: the space bar of the terminal."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from agent.errors import UsageError

_KEY = b" "
_POLL_S = 0.1
"""How long a key is waited for before it is looked whether that is still wanted, s."""


class TalkKey:
    """Calls `press` and `release` in turn, once per stroke of the space bar.

    A terminal tells that a key went down, but never that it came up again, so one stroke begins
    an utterance and the next one ends it. Ctrl-C interrupts as ever.
    """

    def __init__(self, press: Callable[[], None], release: Callable[[], None]) -> None:
        """Take the terminal.

        Args:
            press: Somebody begins to talk; called from a thread of its own, as is the other one.
            release: Somebody has said it.

        Raises:
            UsageError: The standard input is no terminal, or this system has none.
        """
        require_terminal()
        import termios
        import tty

        self._turns = (press, release)
        self._input = sys.stdin.fileno()
        before = termios.tcgetattr(self._input)
        # Keys are told one by one and not shown; signals stay.
        tty.setcbreak(self._input)
        self._restore = partial(termios.tcsetattr, self._input, termios.TCSADRAIN, before)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, name="talk key", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        strokes = 0
        while not self._closed.is_set():
            ready, _, _ = select.select([self._input], [], [], _POLL_S)
            if not ready:
                continue
            keys = os.read(self._input, 64)
            if not keys:
                return
            for _ in range(keys.count(_KEY)):
                self._turns[strokes % 2]()
                strokes += 1

    def close(self) -> None:
        """Give the terminal back as it was; idempotent."""
        self._closed.set()
        self._thread.join()
        self._restore()

    def __enter__(self) -> Self:
        """Return the key."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back."""
        self.close()


def require_terminal() -> None:
    """Make sure that there is a terminal whose keys can be told one by one.

    Raises:
        UsageError: The standard input is no terminal, or this system has none.
    """
    if find_spec("termios") is None or not sys.stdin.isatty():
        raise UsageError("--push-to-talk needs a terminal as Unix has them: run it in one.")
