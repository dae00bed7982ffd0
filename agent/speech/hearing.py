"""All that is heard: from a source to the stop word first, then to utterances."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from agent.errors import BosunError
from agent.speech.source import Source
from agent.speech.stop_word import StopWord
from agent.speech.vad import Endpointer, Utterance

_WAITING = 8
"""Utterances kept for a listener that is busy; of more, the oldest is dropped."""


class Hearing:
    """Listens in a thread of its own and keeps utterances until they are asked for.

    Attributes:
        level_dbfs: How loud it is now, dB; silence is -120.
        heard_s: How much was heard, s of the source's time.
        dropped: Utterances that nobody asked for in time.
    """

    def __init__(
        self,
        source: Source,
        endpointer: Endpointer,
        stop_word: StopWord | None,
        notice: Callable[[str], None] = lambda sentence: None,
        deaf: Callable[[float], bool] = lambda time_s: False,
        missed: Callable[[Utterance], None] = lambda utterance: None,
    ) -> None:
        """Start to listen.

        Args:
            source: What is listened to; it is closed in the end.
            endpointer: Cuts it into utterances.
            stop_word: Hears every block before the endpointer; it is closed in the end.
            notice: Told why, in one sentence, should there be nothing more to hear by a fault.
            deaf: Whether what was heard at a time of the computer's monotonic clock, s, may be the
                robot's own voice, which is no utterance. The stop word is listened for all the
                same.
            missed: Told of utterances that nobody asked for in time.
        """
        self._source, self._endpointer, self._stop_word = source, endpointer, stop_word
        self._notice, self._deaf, self._missed = notice, deaf, missed
        self._utterances: queue.Queue[Utterance] = queue.Queue(_WAITING)
        self.level_dbfs = -120.0
        self.heard_s = 0.0
        self.dropped = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="hearing", daemon=True)
        self._thread.start()

    def utterance(self, timeout_s: float) -> Utterance | None:
        """Return the oldest utterance, or None where there is none within so many seconds."""
        try:
            return self._utterances.get(timeout=timeout_s)
        except queue.Empty:
            return None

    @property
    def ended(self) -> bool:
        """Whether the source has ended and every utterance was asked for."""
        return self._ended.is_set() and self._utterances.empty()

    @property
    def waiting(self) -> int:
        """Utterances that wait to be asked for."""
        return self._utterances.qsize()

    def close(self) -> None:
        """Stop listening; idempotent."""
        self._source.close()
        self._thread.join()

    def _listen(self) -> None:
        try:
            for block in self._source.blocks():
                if self._stop_word is not None:
                    self._stop_word.put(block)
                self.level_dbfs, self.heard_s = block.level_dbfs, block.ended_s
                if self._deaf(block.heard_at_s):
                    block = replace(block, samples=np.zeros_like(block.samples))
                for utterance in self._endpointer.feed(block):
                    self._keep(utterance)
        except BosunError as error:
            self._notice(str(error))
        finally:
            if self._stop_word is not None:
                self._stop_word.close()
            self._ended.set()

    def _keep(self, utterance: Utterance) -> None:
        """Put an utterance where it is asked for; a new one is worth more than an old one."""
        while True:
            try:
                return self._utterances.put_nowait(utterance)
            except queue.Full:
                # Whoever takes them may just have emptied it.
                with suppress(queue.Empty):
                    self._missed(self._utterances.get_nowait())
                    self.dropped += 1
