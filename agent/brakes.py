"""What the stop word does to a mission, and which utterances it has thereby settled."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack

from agent.episode.backlog import Backlog
from agent.events import StopWordJudged
from agent.pause import Pause
from agent.speech.stop_word import StopWord
from agent.speech.vad import Utterance

_WORD_S, _RINGS_S = 0.8, 0.4
"""The word lies so long before to so long after its suspicion, s."""
_HARDLY_S = 0.25
"""Voice beside the word that is shorter is no other word, s."""
_JUDGED_S, _POLL_S = 0.6, 0.01
"""How long an utterance waits for the stop word to have heard it, and how it looks, s."""
_FOLLOWS_S = 1.5
"""So long after a stop, s, the utterance that held it is complete, if ever."""
_KEPT = 16
"""Stops that are kept, for utterances that are yet to come."""


class MissionBrakes:
    """Holds a mission as soon as the stop word is suspected; stops it, or lets it go on.

    The first three methods are called from the stop word's thread, and act before they record.
    """

    def __init__(
        self,
        pause: Pause,
        hush: Callable[[], None],
        stop: Callable[[], None],
        backlog: Backlog,
    ) -> None:
        """Hold nothing yet.

        Args:
            pause: Holds the mission.
            hush: Silences the robot's voice.
            stop: Stops the mission for good.
            backlog: Is told of every suspicion and its judgement.
        """
        self._pause, self._hush, self._stop, self._backlog = pause, hush, stop, backlog
        self._held = False
        self._suspected_s: float | None = None
        self._stops_s: deque[float] = deque(maxlen=_KEPT)
        self._due = ExitStack()
        self._stop_word: StopWord | None = None

    def follow(self, stop_word: StopWord) -> None:
        """Take the time from the stop word that pulls these brakes, before it hears anything."""
        self._stop_word = stop_word

    def pause(self) -> None:
        """Hold still and fall silent: the stop word may have been said."""
        held = self._pause.shut
        self._pause.pause()
        self._hush()
        if self._suspected_s is None:
            # A second suspicion finds the pause of the first one.
            self._held, self._suspected_s = held, self._heard_s
            self._due.enter_context(self._backlog.due())

    def confirm_stop(self) -> None:
        """Stop: the stop word was said."""
        self._stop()
        self._judged(confirmed=True)

    def resume(self) -> None:
        """Go on, unless it was paused before: something else was said."""
        if not self._held:
            self._pause.resume()
        self._judged(confirmed=False)

    def _judged(self, *, confirmed: bool) -> None:
        judged_s = self._heard_s
        suspected_s = judged_s if self._suspected_s is None else self._suspected_s
        if confirmed:
            self._stops_s.append(suspected_s)
            self._backlog.expect(_FOLLOWS_S)
        self._backlog.put(StopWordJudged(0.0, time.time(), suspected_s, judged_s, confirmed))
        self._suspected_s = None
        self._due.close()

    @property
    def _heard_s(self) -> float:
        return 0.0 if self._stop_word is None else self._stop_word.heard_s

    def settled(self, utterance: Utterance) -> bool:
        """Return whether an utterance was the stop word and hardly anything else.

        Waits until the stop word has heard all of it too; from any thread.
        """
        deadline = time.monotonic() + _JUDGED_S
        while time.monotonic() < deadline and (
            self._heard_s <= utterance.ended_s or self._suspected_s is not None
        ):
            time.sleep(_POLL_S)
        begins, ends = utterance.voice_began_s, utterance.voice_ended_s
        within = [s for s in self._stops_s if s - _WORD_S < ends and begins < s + _RINGS_S]
        return bool(within) and _beside(begins, ends, within) < _HARDLY_S


def _beside(begins: float, ends: float, words: list[float]) -> float:
    """Return how much of a voice is no stop word, s; the words are in order."""
    beside, at = 0.0, begins
    for word in words:
        beside += max(0.0, word - _WORD_S - at)
        at = max(at, word + _RINGS_S)
    return beside + max(0.0, ends - at)
