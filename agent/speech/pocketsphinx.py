"""Pocketsphinx: turns an utterance into a command offline, with what may be said here.

Two decoders hear the same sound: a network of sentences, which may say nothing else, and a trigram
over sentences of that network, which may say anything in its words. Where both hear the same, a
command was given; speech about something else and noise make them disagree, and leave the trigram
unsure of its words.
"""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from agent.errors import MissingDependency, SpeechError
from agent.protocols import Transcript
from agent.speech.network import Network
from agent.speech.trigram import arpa
from agent.types import FloatArray, Scene

_SAMPLES = 2_000
"""Sentences the trigram is made of."""
_LOUDNESS = 0.1
"""Root mean square that every utterance is brought to."""
_FLOOR = 3e-4
"""Root mean square of the noise that is laid under it.

Acoustic models are trained on rooms, which are never silent: without a floor, whole words of a
synthetic voice are taken for silence, with ten times as much others are lost.
"""
_ADDED = {"leftmost": ("L EH F T M OW S T",), "rightmost": ("R AY T M OW S T",)}
"""Words that the dictionary lacks, with their phones."""
_BEAMS = {"beam": 1e-75, "pbeam": 1e-75, "wbeam": 1e-50}
"""Shares of the likeliest path below which others are given up.

Its own ones, 1e-48 and 7e-29, are for large vocabularies: with few words wider ones cost little,
and one command in ten more is heard right.
"""
_VARIANT = re.compile(r"\(\d+\)")
_MODEL = "en-us/en-us"
_DICTIONARY = "en-us/cmudict-en-us.dict"


class PocketsphinxTranscriber:
    """Hears what may be said about a scene; loaded once, good for many utterances."""

    def __init__(self, grammar: Callable[[Scene], Network]) -> None:
        """Find the model; it is loaded with the first scene.

        Args:
            grammar: Returns what may be said about a scene.

        Raises:
            MissingDependency: Pocketsphinx is not installed.
        """
        try:
            import pocketsphinx
        except ImportError as error:
            raise MissingDependency(
                'The transcriber pocketsphinx is not installed; run: pip install "bosun[speech]"'
            ) from error
        self._library: Any = pocketsphinx
        self._library.set_loglevel("FATAL")
        self._folder = Path(pocketsphinx.get_model_path())
        self._grammar = grammar
        self._decoder: Any = None
        self._known: dict[frozenset[tuple[str, str]], str] = {}
        self._current = ""

    def expect(self, scene: Scene) -> None:
        """Say what is there to be spoken of; what was once expected is kept.

        Raises:
            SpeechError: A name in the scene has a word that nobody knows how to pronounce.
        """
        there = frozenset((o.name, o.kind) for o in scene.objects.values())
        if there not in self._known:
            self._load(self._grammar(scene), f"scene{len(self._known)}")
            self._known[there] = f"scene{len(self._known)}"
        self._current = self._known[there]

    def transcribe(self, audio: FloatArray) -> Transcript:
        """Return what was said: by the network, and else or besides by the trigram.

        `confidence` is the trigram's posterior per word times how alike both decoders heard.

        Args:
            audio: (samples,) float32 at 16 kHz, -1..1, of one utterance.

        Raises:
            SpeechError: Nothing was said to be expected.
        """
        if not self._current:
            raise SpeechError("Pocketsphinx must be told what scene to expect before it listens.")
        sound = _in_a_room(audio)
        if sound is None:
            return Transcript("", 0.0, 1.0, language="en")
        strict, _, _ = self._decode(f"{self._current}/network", sound)
        loose, posterior, score = self._decode(f"{self._current}/trigram", sound)
        heard = strict.split(), loose.split()
        alike = difflib.SequenceMatcher(None, *heard).ratio() if all(heard) else 0.0
        posterior = posterior ** (1 / max(1, len(loose.split())))
        confidence = posterior * alike
        texts = tuple(dict.fromkeys(text for text in (strict, loose) if text))
        return Transcript(
            text=texts[0] if texts else "",
            confidence=confidence,
            no_speech=0.0 if texts else 1.0,
            alternatives=texts[1:],
            language="en",
            evidence={"word_posterior": posterior, "agreement": alike, "frame_score": score},
        )

    def _decode(self, search: str, sound: bytes) -> tuple[str, float, float]:
        """Return the words, their posterior 0..1, and the log score per frame."""
        decoder = self._decoder
        decoder.activate_search(search)
        decoder.start_utt()
        decoder.process_raw(sound, full_utt=True)
        decoder.end_utt()
        heard = decoder.hyp()
        if heard is None:
            return "", 0.0, 0.0
        score = float(np.log(max(heard.score, 1e-300))) / max(1, decoder.n_frames())
        return _VARIANT.sub("", heard.hypstr), min(1.0, float(heard.prob)), score

    def _load(self, network: Network, name: str) -> None:
        """Add a scene's two decoders."""
        with tempfile.TemporaryDirectory() as folder:
            self._pronounce(network.words, Path(folder) / "words.dict")
            sentences = network.samples(np.random.default_rng(0), _SAMPLES)
            model = Path(folder) / "trigram.arpa"
            model.write_text(arpa(sentences), encoding="utf-8")
            self._decoder.add_lm_file(f"{name}/trigram", str(model))
        # Through its lattice the best path of a network need not reach the end of a sentence.
        self._decoder.config["bestpath"] = False
        # A silent transition must have no word at all.
        arcs = [arc if arc[3] else arc[:3] for arc in network.arcs]
        made = self._decoder.create_fsg(f"{name}/network", 0, network.final, arcs)
        self._decoder.add_fsg(f"{name}/network", made)
        self._decoder.config["bestpath"] = True

    def _pronounce(self, words: frozenset[str], file: Path) -> None:
        """Let the decoder know words; the first ones come as a file, which it loads."""
        dictionary = _dictionary(self._folder / _DICTIONARY)
        if strange := sorted(words - dictionary.keys()):
            raise SpeechError(
                f"Nobody knows how to pronounce {', '.join(strange)}; rename it in the scene."
            )
        spoken = [
            (word if at == 0 else f"{word}({at + 1})", phones)
            for word in sorted(words)
            for at, phones in enumerate(dictionary[word])
        ]
        if self._decoder is None:
            file.write_text("".join(f"{word} {phones}\n" for word, phones in spoken))
            model = str(self._folder / _MODEL)
            self._decoder = self._library.Decoder(
                hmm=model, dict=str(file), lm=None, loglevel="FATAL", **_BEAMS
            )
            return
        for word, phones in spoken:
            if self._decoder.lookup_word(word) is None:
                self._decoder.add_word(word, phones, False)


@lru_cache(maxsize=1)
def _dictionary(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Return word -> its pronunciations."""
    found: dict[str, tuple[str, ...]] = dict(_ADDED)
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, phones = line.strip().split(maxsplit=1)
            word = _VARIANT.sub("", word)
            found[word] = (*found.get(word, ()), phones)
    return found


def _in_a_room(audio: FloatArray) -> bytes | None:
    """Return an utterance at an even loudness over a low noise, 16 bit; None of silence."""
    loud = float(np.sqrt(np.mean(np.square(audio)))) if audio.size else 0.0
    if loud < 1e-5:
        return None
    noise = np.random.default_rng(0).normal(scale=_FLOOR, size=audio.shape)
    sound = np.clip(audio * (_LOUDNESS / loud) + noise, -1, 1)
    return (sound * 32767).astype("<i2").tobytes()
