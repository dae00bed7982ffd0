"""How well the stop word is heard: `python -m tests.benchmarks.stop_word [--times 25]`.

Eight voices say it in quiet and in noise, and say other things; all of it is played in real time
through the pipeline that `bosun listen` uses, the three streams at once. With `--capture` it is
played to virtual microphones and really taken in, and time counts from when that was. Exit code 1
if a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np

from agent.speech.hearing import Hearing
from agent.speech.microphone import Microphone
from agent.speech.source import SAMPLE_RATE_HZ, Block, Playback, Source
from agent.speech.spotter import spotter_for
from agent.speech.stop_word import StopWord
from agent.speech.vad import VoiceEndpointer
from agent.types import FloatArray
from skills.evaluate.virtual_microphone import virtual_microphone
from tests.speech.sounds import VOICES, say, silence, with_noise

SENTENCES = (
    "put the red block in the blue bowl", "pick up the green block",
    "push the yellow block to the left", "open the drawer",
    "close the drawer and press the button", "put all blocks on the plate",
    "stack the red block on top of the blue block", "no the green one please",
    "put it on the plate instead", "faster is fine", "what are you doing", "go home",
    "place the can in the drawer", "move the block next to the bowl",
    "take the top one and drop it in the spot at the back", "what is the weather like today",
    "i went to the shop to buy a new pot", "she took a step towards the station",
    "the stock market opened higher this morning", "my uncle started a small store in town",
    "turn the lamp on before you start", "can you hear me now", "he wrote a letter about the storm",
    "the concert begins at half past eight", "please wait for the others",
)  # fmt: skip
"""Commands, remarks and what is said to others; many sound a little like the word."""
MIN_RECALL = {"clean": 0.98, "10 dB": 0.90}
MAX_PAUSE_S = 0.3
MAX_FALSE_PER_MIN = 1.0
MAX_RESUME_S = 1.0
_CLICK, _LOUD, _AFTER_S = 16, 0.98, 0.5
"""Samples of the click that tells where a word is, how loud it is, and how long after it the word
begins, s."""
_EARLY_S, _LATE_S = 0.5, 0.6
"""A pause so long before to so long after the end of the word is one for it, s."""


class Clocked:
    """A source that knows when, by the computer's clock, its sound began and clicked.

    Attributes:
        began_s: When the source began.
        clicks_s: When each click in its sound was handed over.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.began_s = 0.0
        self.clicks_s: list[float] = []

    def blocks(self) -> Iterator[Block]:
        for block in self._source.blocks():
            self.began_s = self.began_s or block.heard_at_s - block.ended_s
            clicks = np.flatnonzero(block.samples > _LOUD / 2)
            if len(clicks):
                rest_s = (len(block.samples) - int(clicks[0])) / SAMPLE_RATE_HZ
                at_s = block.heard_at_s - rest_s
                # A click may lie across two blocks, and the word after it may be as loud.
                if not self.clicks_s or at_s - self.clicks_s[-1] > 2 * _AFTER_S:
                    self.clicks_s.append(at_s)
            yield block

    def close(self) -> None:
        self._source.close()


class Captured:
    """A microphone to which a sound is played.

    PortAudio looks for microphones once, so a process has one such sound.
    """

    def __init__(self, sound: FloatArray) -> None:
        self._open = ExitStack()
        self._virtual = self._open.enter_context(virtual_microphone())
        os.environ.update(self._virtual.environment)
        self._microphone, self._sound = Microphone(), sound

    def blocks(self) -> Iterator[Block]:
        player = threading.Thread(target=self._play, daemon=True)
        for block in self._microphone.blocks():
            if player.ident is None:
                player.start()
            yield block

    def close(self) -> None:
        self._microphone.close()
        self._open.close()

    def _play(self) -> None:
        self._virtual.play(self._sound)
        # What was played last has yet to be handed over and judged.
        time.sleep(_AFTER_S)
        self._microphone.close()


@dataclass(slots=True)
class Noted:
    """Brakes that note when, by the computer's clock, they were pulled."""

    pauses: list[float] = field(default_factory=list)
    judged: list[tuple[str, float]] = field(default_factory=list)

    def pause(self) -> None:
        self.pauses.append(time.monotonic())

    def confirm_stop(self) -> None:
        self.judged.append(("stop", time.monotonic()))

    def resume(self) -> None:
        self.judged.append(("resume", time.monotonic()))


@dataclass(frozen=True, slots=True)
class Pulled:
    """One pause: when it came by the computer's clock, how long until it was judged, and how; s."""

    at_s: float
    judged_after_s: float
    judged: str


def play(word: str, sound: FloatArray, *, capture: bool) -> tuple[list[Pulled], list[float]]:
    """Return every pause while a sound is played in real time, and when it clicked."""
    source, brakes = Clocked(Captured(sound) if capture else Playback([sound])), Noted()
    hearing = Hearing(source, VoiceEndpointer(), StopWord([spotter_for(word)], brakes))
    while not hearing.ended:
        hearing.utterance(0.2)
    hearing.close()
    pulled = [
        Pulled(pause, at - pause, how)
        for pause, (how, at) in zip(brakes.pauses, brakes.judged, strict=True)
    ]
    return pulled, source.clicks_s


def of_word(
    word: str, times: int, snr_db: float | None, *, capture: bool = False
) -> dict[str, float]:
    """Return how a word is heard that every voice says so many times."""
    rng = np.random.default_rng(times)
    click = np.full(_CLICK, _LOUD, np.float32)
    pieces, lengths_s = [silence(1.0)], list[float]()
    for n in range(times * len(VOICES)):
        clip = say(list(VOICES)[n % len(VOICES)], word if n % 2 else f"{word.title()}!")
        clip = clip * (0.06 / float(np.sqrt(np.mean(np.square(clip)))))
        lengths_s.append(_AFTER_S + len(clip) / SAMPLE_RATE_HZ)
        lead = silence(_AFTER_S)[_CLICK:]
        pieces += [click, lead, clip, silence(rng.uniform(0.7, 1.1))]
    sound = np.concatenate([*pieces, silence(1.0)])
    if snr_db is not None:
        sound = with_noise(pieces[3], sound, snr_db)
    pulled, clicks_s = play(word, sound, capture=capture)
    ends = [at + length for at, length in zip(clicks_s, lengths_s, strict=True)]
    mine = [[p for p in pulled if end - _EARLY_S < p.at_s < end + _LATE_S] for end in ends]
    late = [found[0].at_s - end for found, end in zip(mine, ends, strict=True) if found]
    return {
        "said": len(ends),
        "recall": len(late) / len(ends),
        "stopped": sum(any(p.judged == "stop" for p in found) for found in mine) / len(ends),
        "pause_p50_s": float(np.percentile(late, 50)),
        "pause_p95_s": float(np.percentile(late, 95)),
        "pause_max_s": max(late),
        **{f"recall {v}": _recall(mine[i :: len(VOICES)]) for i, v in enumerate(VOICES)},
    }


def of_speech(word: str, sentences: Sequence[str], *, capture: bool = False) -> dict[str, float]:
    """Return how often other speech pauses, and how long."""
    pieces = [silence(1.0)]
    for sentence in sentences:
        for voice in VOICES:
            pieces += [say(voice, sentence), silence(0.4)]
    sound = np.concatenate([*pieces, silence(1.0)])
    pulled, _ = play(word, sound, capture=capture)
    minutes = len(sound) / SAMPLE_RATE_HZ / 60
    return {
        "minutes": minutes,
        "false_pauses": len(pulled),
        "false_pauses_per_min": len(pulled) / minutes,
        "longest_until_judged_s": max((p.judged_after_s for p in pulled), default=0.0),
        "not_resumed": sum(p.judged == "stop" for p in pulled),
    }


def missed(words: dict[str, dict[str, float]], speech: dict[str, float]) -> list[str]:
    """Return which bars are missed, in words."""
    bars = [
        *[(f"recall {name}", words[name]["recall"] >= least) for name, least in MIN_RECALL.items()],
        *[(f"latency {name}", heard["pause_p95_s"] < MAX_PAUSE_S) for name, heard in words.items()],
        ("false pauses", speech["false_pauses_per_min"] <= MAX_FALSE_PER_MIN),
        ("resumed", speech["longest_until_judged_s"] <= MAX_RESUME_S and not speech["not_resumed"]),
    ]
    return [name for name, kept in bars if not kept]


def _recall(found: Sequence[Sequence[Pulled]]) -> float:
    return sum(map(bool, found)) / max(len(found), 1)


def main() -> int:
    """Measure, print one JSON object, and say by the exit code whether every bar is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--word", default="stop")
    parser.add_argument("--times", type=int, default=25, help="that each of eight voices says it")
    parser.add_argument("--sentences", type=int, default=len(SENTENCES), help="of other speech")
    parser.add_argument("--capture", action="store_true", help="through virtual microphones")
    asked = parser.parse_args()
    with ProcessPoolExecutor(3, get_context("spawn")) as pool:
        word, capture = asked.word, asked.capture
        clean = pool.submit(of_word, word, asked.times, None, capture=capture)
        noisy = pool.submit(of_word, word, asked.times, 10.0, capture=capture)
        speech = pool.submit(of_speech, word, SENTENCES[: asked.sentences], capture=capture)
        words, other = {"clean": clean.result(), "10 dB": noisy.result()}, speech.result()
    bad = missed(words, other)
    told = {"words": words, "speech": other, "missed": bad}
    sys.stdout.write(json.dumps(told, indent=1, default=float) + "\n")
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
