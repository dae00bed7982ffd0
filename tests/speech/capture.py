"""Listens as `bosun listen` does and says what it hears: `python -m tests.speech.capture FILE S`.

A process of its own, because PortAudio looks for devices once and ALSA writes what it likes to
stderr. Prints one JSON object a line; what was heard goes to FILE as float32 at 16 kHz.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from agent.errors import BosunError
from agent.speech.hearing import Hearing
from agent.speech.microphone import Microphone, input_devices
from agent.speech.source import Block
from agent.speech.spotter import spotter_for
from agent.speech.stop_word import StopWord
from agent.speech.vad import VoiceEndpointer


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


class Kept:
    """A source that keeps what was heard."""

    def __init__(self, microphone: Microphone) -> None:
        self._microphone = microphone
        self.blocks_heard: list[Block] = []

    def blocks(self) -> Iterator[Block]:
        for block in self._microphone.blocks():
            if not self.blocks_heard:
                tell(what="listening")
            self.blocks_heard.append(block)
            yield block

    def close(self) -> None:
        self._microphone.close()


class Told:
    def pause(self) -> None:
        tell(what="pause")

    def confirm_stop(self) -> None:
        tell(what="stop")

    def resume(self) -> None:
        tell(what="resume")


def main(out: Path, seconds: float, device: str | None) -> None:
    try:
        tell(what="devices", names=input_devices())
        microphone = Microphone(device, lambda sentence: tell(what="notice", sentence=sentence))
    except BosunError as error:
        tell(what="error", sentence=str(error))
        return
    kept = Kept(microphone)
    hearing = Hearing(kept, VoiceEndpointer(), StopWord([spotter_for("stop")], Told()))
    # A loaded machine takes its time to open a device.
    gives_up = time.monotonic() + 30.0
    while not kept.blocks_heard and time.monotonic() < gives_up:
        time.sleep(0.02)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        said = hearing.utterance(0.1)
        if said is not None:
            tell(what="utterance", began_s=said.began_s, ended_s=said.ended_s)
    hearing.close()
    np.concatenate(
        [block.samples for block in kept.blocks_heard] or [np.zeros(0, np.float32)]
    ).tofile(out)
    times = [block.began_s for block in kept.blocks_heard]
    gap_s = max((b - a for a, b in pairwise(times)), default=0.0)
    tell(what="end", overflows=microphone.overflows, dropped=microphone.dropped, gap_s=gap_s)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
