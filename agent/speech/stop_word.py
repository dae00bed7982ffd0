"""The stop word: always listened for, in its own thread, before anything else hears the sound."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from agent.speech.source import Block
from agent.speech.spotter import Heard, Spotter

_WAITING = 250
"""Blocks that may wait for it, 5 s; whoever brings more waits."""
_POLL_S = 0.1
"""How long it waits for a block before it looks whether it is to end, s."""


class Brakes(Protocol):
    """What the stop word acts on; called from its thread, and never for long."""

    def pause(self) -> None:
        """Hold still at once; what was heard may have been the stop word."""
        ...

    def confirm_stop(self) -> None:
        """Stop for good; it was."""
        ...

    def resume(self) -> None:
        """Go on; it was something else."""
        ...


class StopWord:
    """Pauses as soon as a spotter suspects its word; stops, or goes on, once it is judged.

    It fails closed: should it break, it stops the robot.

    Attributes:
        heard_s: How far it has listened, s of the source's time.
    """

    def __init__(self, spotters: Sequence[Spotter], brakes: Brakes) -> None:
        """Start to listen.

        Args:
            spotters: One per word.
            brakes: What is done about it.
        """
        self._spotters, self._brakes = tuple(spotters), brakes
        self._suspected: set[int] = set()
        self.heard_s = 0.0
        self._waiting: queue.Queue[Block] = queue.Queue(_WAITING)
        self._closed = threading.Event()
        self._beat_s = time.monotonic()
        self._thread = threading.Thread(target=self._listen, name="stop word", daemon=True)
        self._thread.start()

    def put(self, block: Block) -> None:
        """Let it hear a block; waits where it is more than 5 s behind."""
        while not self._closed.is_set():
            try:
                return self._waiting.put(block, timeout=_POLL_S)
            except queue.Full:
                continue

    @property
    def silent_s(self) -> float:
        """Time since its thread last gave a sign of life, s; more than a second is a fault."""
        return time.monotonic() - self._beat_s

    @property
    def waiting(self) -> int:
        """Blocks that it has not heard yet."""
        return self._waiting.qsize()

    def close(self) -> None:
        """End the thread, once it has heard what waits; idempotent."""
        self._closed.set()
        self._thread.join()

    def _listen(self) -> None:
        finished = False
        try:
            while not (self._closed.is_set() and self._waiting.empty()):
                self._beat_s = time.monotonic()
                try:
                    block = self._waiting.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                self.heard_s = block.ended_s
                for number, spotter in enumerate(self._spotters):
                    self._act(number, spotter.hear(block))
            finished = True
        finally:
            if not finished:
                self._closed.set()
                self._brakes.confirm_stop()

    def _act(self, number: int, heard: Heard | None) -> None:
        """Pause at the first suspicion, stop at a confirmed one, go on after the last dismissed."""
        match heard:
            case Heard.SUSPECTED:
                self._suspected.add(number)
                self._brakes.pause()
            case Heard.CONFIRMED:
                self._suspected.discard(number)
                self._brakes.confirm_stop()
            case Heard.DISMISSED:
                self._suspected.discard(number)
                if not self._suspected:
                    self._brakes.resume()
