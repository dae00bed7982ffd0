"""Hours of noise, sped up through all that listens: `python -m tests.benchmarks.listening`.

White noise, babble and tones in turn, two hours by default. Exit code 1 if memory grows, a
heartbeat of the stop word is missed, or something waits that should not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from agent.speech.hearing import Hearing
from agent.speech.keyword.corpus import noises
from agent.speech.source import SAMPLE_RATE_HZ, Playback
from agent.speech.spotter import spotter_for
from agent.speech.stop_word import StopWord
from agent.speech.vad import VoiceEndpointer
from agent.types import FloatArray
from tests.speech.sounds import VOICES, say

MAX_GROWTH_MB = 20.0
"""Of the median from the first half to the second, a tenth of the way, when everything is loaded,
left out; a single look differs by as much from the next one, for every noise is made anew."""
MAX_SILENT_S = 1.0
_PIECE_S = 30


class Brakes:
    """Counts what noise does."""

    def __init__(self) -> None:
        self.pauses = self.stops = 0

    def pause(self) -> None:
        self.pauses += 1

    def confirm_stop(self) -> None:
        self.stops += 1

    def resume(self) -> None:
        pass


def noise_for(minutes: float) -> Iterator[FloatArray]:
    """Yield pieces of half a minute, each another noise at another level, and each made anew."""
    rng = np.random.default_rng(0)
    voices = [say(voice, "put the red block on top of the blue one please") for voice in VOICES]
    for _ in range(round(minutes * 60 / _PIECE_S)):
        piece = next(noises(rng, voices, _PIECE_S * SAMPLE_RATE_HZ))
        yield np.clip(piece * 10 ** (rng.uniform(-50, -15) / 20), -1, 1)


def resident_mb() -> float:
    """Return the memory this process holds, MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> int:
    """Listen, print one JSON object, and say by the exit code whether every bar is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0, help="of sound")
    asked = parser.parse_args()
    brakes = Brakes()
    stop_word = StopWord([spotter_for("stop")], brakes)
    source = Playback(noise_for(asked.minutes), speed=None)
    hearing = Hearing(source, VoiceEndpointer(), stop_word)
    memory, silent_s, waiting, utterances = [(0.0, resident_mb())], 0.0, 0, 0
    while not hearing.ended:
        utterances += hearing.utterance(0.05) is not None
        silent_s = max(silent_s, 0.0 if hearing.ended else stop_word.silent_s)
        waiting = max(waiting, hearing.waiting)
        if hearing.heard_s - memory[-1][0] >= asked.minutes * 60 / 20:
            memory.append((hearing.heard_s, resident_mb()))
    settled = [mb for s, mb in memory if s >= asked.minutes * 6]
    halves = settled[: len(settled) // 2], settled[len(settled) // 2 :]
    before, after = (float(np.median(half)) if half else 0.0 for half in halves)
    told = {
        "minutes": hearing.heard_s / 60,
        "memory_mb": [round(mb, 1) for _, mb in memory],
        "growth_mb": round(after - before, 1),
        "longest_silence_of_stop_word_s": round(silent_s, 3),
        "most_utterances_waiting": waiting,
        "blocks_left": stop_word.waiting,
        "utterances": utterances,
        "utterances_dropped": hearing.dropped,
        "pauses_per_min": brakes.pauses / asked.minutes,
        "stops": brakes.stops,
    }
    bad = [
        name
        for name, kept in (
            ("memory", told["growth_mb"] <= MAX_GROWTH_MB),
            ("heartbeat", silent_s <= MAX_SILENT_S),
            ("queues", stop_word.waiting == 0 and hearing.waiting == 0),
        )
        if not kept
    ]
    sys.stdout.write(json.dumps({**told, "missed": bad}, indent=1) + "\n")
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
