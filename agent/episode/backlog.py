"""What was heard and is not yet written: other threads tell it, the mission's own writes it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from agent.events import Event, Heard, MissionEnded, MissionStarted, StopWordJudged
from agent.protocols import Subscriber

_MOST_BYTES = 16_000_000
"""Sound that is kept; of more, the oldest is dropped. Speech takes some 25 kB a second."""
_MOST_EVENTS = 1_000
_SETTLES_S = 2.0
"""How long the end of a mission waits for what is just being heard, s."""


class Backlog:
    """Keeps what was heard until there is a mission to write it down.

    Attributes:
        dropped: Events that gave way because no mission came for too long.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        """Begin empty; it never holds more than so many bytes of sound."""
        self.dropped = 0
        self._most_bytes, self._bytes = most_bytes, 0
        self._events: deque[Heard | StopWordJudged] = deque()
        self._changed = threading.Condition()
        self._due, self._due_until = 0, 0.0

    def put(self, event: Heard | StopWordJudged) -> None:
        """Keep an event, from any thread."""
        with self._changed:
            self._events.append(event)
            self._bytes += _size(event)
            while self._bytes > self._most_bytes or len(self._events) > _MOST_EVENTS:
                self._bytes -= _size(self._events.popleft())
                self.dropped += 1

    def take(self, time_s: float) -> list[Heard | StopWordJudged]:
        """Return all that is kept, oldest first, as of this time of the mission, and forget it."""
        with self._changed:
            taken, self._bytes = [replace(event, time_s=time_s) for event in self._events], 0
            self._events.clear()
        return taken

    @contextmanager
    def due(self) -> Iterator[None]:
        """Say that something is being heard which is put before this ends."""
        with self._changed:
            self._due += 1
        try:
            yield
        finally:
            with self._changed:
                self._due -= 1
                self._changed.notify_all()

    def expect(self, seconds: float) -> None:
        """Say that something will be heard within so many seconds; 0 takes that back."""
        with self._changed:
            self._due_until = time.monotonic() + seconds if seconds else 0.0
            self._changed.notify_all()

    def settle(self, timeout_s: float = _SETTLES_S) -> bool:
        """Wait until nothing is due any more; return whether that came within the timeout."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while self._due or time.monotonic() < self._due_until:
                if (left_s := deadline - time.monotonic()) <= 0:
                    return False
                until_s = self._due_until - time.monotonic()
                self._changed.wait(left_s if self._due else min(left_s, max(until_s, 0.0)))
        return True


class Handover:
    """Tells recorders the events of a mission, and between them what was heard meanwhile.

    Recorders are told by one thread only, the mission's, so they need no lock, and a disk that is
    full stops the mission instead of the ears. While a mission waits, what is heard waits with it.
    What led to a mission comes after its beginning, so that an episode begins with that. Before
    its end the mission waits a moment for the utterance that may just have ended it.
    """

    def __init__(self, backlog: Backlog, recorders: Sequence[Subscriber]) -> None:
        """Keep both."""
        self._backlog, self._recorders = backlog, tuple(recorders)

    def on_event(self, event: Event) -> None:
        """Tell an event, and what is in the backlog."""
        if isinstance(event, MissionEnded):
            self._backlog.settle()
        heard: list[Event] = [*self._backlog.take(event.time_s)]
        begins = isinstance(event, MissionStarted)
        for told in [event, *heard] if begins else [*heard, event]:
            for recorder in self._recorders:
                recorder.on_event(told)


def _size(event: Heard | StopWordJudged) -> int:
    return len(event.flac) if isinstance(event, Heard) else 0
