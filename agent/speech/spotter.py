"""What hears one word in a stream of sound: at once, and a moment later whether it really was."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from agent.errors import ConfigError, MissingDependency
from agent.speech.keyword.features import BandStream
from agent.speech.keyword.network import KeywordNetwork, weights_of
from agent.speech.source import SAMPLE_RATE_HZ, Block
from agent.types import FloatArray


class Heard(StrEnum):
    """What a spotter makes of the last block."""

    SUSPECTED = "suspected"
    """The word may just have ended. What follows is either of the other two, within a second."""
    CONFIRMED = "confirmed"
    """It was the word."""
    DISMISSED = "dismissed"
    """It was something else."""


class Spotter(Protocol):
    """Hears one word; every suspicion is confirmed or dismissed."""

    def hear(self, block: Block) -> Heard | None:
        """Return what is made of the next block, mostly nothing."""
        ...


def spotter_for(word: str) -> Spotter:
    """Return what hears a word best: its own network where it has one, else pocketsphinx.

    Raises:
        ConfigError: There is no network, and pocketsphinx does not know how the word sounds.
        MissingDependency: pocketsphinx is needed, but not installed.
    """
    weights = weights_of(word)
    return NetworkSpotter(weights) if weights.is_file() else KeyphraseSpotter(word)


class NetworkSpotter:
    """Hears a word with a network that was taught nothing else; works in noise.

    The network says whether the word ends now, and whether it did a moment ago. Either pauses; only
    both, each in its time, make a stop.
    """

    def __init__(
        self, weights: Path, suspect: float = 0.6, confirm: float = 0.65, ends: float = 0.45
    ) -> None:
        """Load the network.

        Args:
            weights: Of the word.
            suspect: Probability 0..1 of the word's end that pauses.
            confirm: Probability 0..1 with hindsight that makes it a stop.
            ends: Probability 0..1 that the word ended, as it was then, which that must have had.
        """
        self._network, self._bands = KeywordNetwork(weights), BandStream()
        self._suspect, self._confirm, self._ends = suspect, confirm, ends
        self._lately: deque[float] = deque(maxlen=_LATELY)
        self._suspected_s: float | None = None
        self._ready = True

    def hear(self, block: Block) -> Heard | None:
        """Return what is made of the next block."""
        probabilities = self._network(self._bands(block.samples))
        if not len(probabilities):
            return None
        now, ago = probabilities.max(axis=0)
        self._lately.append(now)
        if self._suspected_s is None:
            quiet = max(now, ago) < self._suspect
            if quiet or not self._ready:
                # One word is one suspicion, however long it rings on.
                self._ready = quiet
                return None
            self._suspected_s, self._ready = block.ended_s, False
            return Heard.SUSPECTED
        if ago >= self._confirm and max(self._lately) >= self._ends:
            self._suspected_s = None
            return Heard.CONFIRMED
        if block.ended_s - self._suspected_s < _JUDGED_S:
            return None
        self._suspected_s = None
        return Heard.DISMISSED


_LATELY = 25
"""Blocks, half a second, within which the word has ended if hindsight says so."""
_JUDGED_S = 0.5
"""After so long, s, what was suspected and not confirmed is dismissed."""
_KEPT_S = 1.5
"""Sound the second look at a keyphrase gets, s."""


class KeyphraseSpotter:
    """Hears any word of pocketsphinx's English dictionary, in a quiet room.

    A loose search suspects; a strict one is given the sound around it to confirm.
    """

    def __init__(self, word: str, loose: float = 1e-20, strict: float = 1e-10) -> None:
        """Load the acoustic model.

        Args:
            word: One word, or several that are said in a row.
            loose: Threshold of the search that suspects; the smaller, the more it hears.
            strict: Threshold of the search that confirms.

        Raises:
            ConfigError: The dictionary does not know the word.
            MissingDependency: pocketsphinx is not installed.
        """
        self._search, self._second = _keyphrase(word, loose), _keyphrase(word, strict)
        self._kept: deque[bytes] = deque()
        self._suspected_s: float | None = None
        self._search.start_utt()

    def hear(self, block: Block) -> Heard | None:
        """Return what is made of the next block."""
        pcm = _pcm(block.samples)
        self._kept.append(pcm)
        while sum(map(len, self._kept)) > 2 * _KEPT_S * SAMPLE_RATE_HZ:
            self._kept.popleft()
        self._search.process_raw(pcm)
        if self._suspected_s is None:
            if self._search.hyp() is None:
                return None
            self._restart()
            self._suspected_s = block.ended_s
            return Heard.SUSPECTED
        if block.ended_s - self._suspected_s < _JUDGED_S:
            return None
        self._suspected_s = None
        self._restart()
        return Heard.CONFIRMED if self._was_said() else Heard.DISMISSED

    def _was_said(self) -> bool:
        self._second.start_utt()
        self._second.process_raw(b"".join(self._kept))
        said = self._second.hyp() is not None
        self._second.end_utt()
        return said

    def _restart(self) -> None:
        """Forget the hit, which is reported until the utterance ends."""
        self._search.end_utt()
        self._search.start_utt()


def _keyphrase(word: str, threshold: float) -> Any:
    """Return a decoder that looks for nothing but a phrase."""
    try:
        from pocketsphinx import Decoder, get_model_path
    except ImportError:
        raise MissingDependency(
            "pocketsphinx is not installed: pip install 'bosun[speech]'."
        ) from None
    decoder = Decoder(
        hmm=get_model_path("en-us/en-us"),
        dict=get_model_path("en-us/cmudict-en-us.dict"),
        lm=None,
        kws_threshold=threshold,
        loglevel="FATAL",
    )
    strange = [part for part in word.lower().split() if decoder.lookup_word(part) is None]
    if strange or not word.strip():
        raise ConfigError(
            f"How the stop word {word!r} sounds is not known: pocketsphinx's English dictionary "
            "does not have it; python -m agent.speech.keyword.train --word WORD teaches a network."
        )
    decoder.add_keyphrase("word", word.lower())
    decoder.activate_search("word")
    return decoder


def _pcm(samples: FloatArray) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
