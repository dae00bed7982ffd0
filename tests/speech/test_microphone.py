"""A real capture path: a sound server, PortAudio, our microphone, the stop word, utterances."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from agent.types import FloatArray
from skills.evaluate.virtual_microphone import VirtualMicrophone
from tests.speech.sounds import needs_voices, say, silence

COMMAND = "put the red block in the blue bowl"


class Listener:
    """A process that listens; keeps what it `told`, and in the end what it `heard`."""

    def __init__(
        self, microphone: VirtualMicrophone, out: Path, seconds: float, device: str | None = None
    ) -> None:
        command = [sys.executable, "-m", "tests.speech.capture", str(out), str(seconds)]
        self._out = out
        self._process = subprocess.Popen(
            command + ([device] if device else []),
            env=microphone.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.told: list[dict[str, Any]] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with self._more:
                    self.told.append(json.loads(line))
                    self._more.notify_all()

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        with self._more:
            found = self._more.wait_for(lambda: any(map(wanted, self.told)), 60.0)
            assert found, self.told
            return next(filter(wanted, self.told))

    def said(self, what: str) -> dict[str, Any]:
        return self.wait_for(lambda told: told["what"] == what)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def heard(self) -> FloatArray:
        assert self._process.wait(40.0) == 0
        self._reader.join()
        return np.fromfile(self._out, dtype=np.float32)


def _likeness(heard: FloatArray, played: FloatArray) -> float:
    """Return the largest normalised correlation of what was played with what was heard."""
    size = 1 << (len(heard) + len(played)).bit_length()
    spectra = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(played, size))
    at = int(np.argmax(np.fft.irfft(spectra, size)[: len(heard)]))
    found = heard[at : at + len(played)]
    return float(found @ played[: len(found)] / np.linalg.norm(found) / np.linalg.norm(played))


@needs_voices
def test_what_is_said_is_heard_and_the_stop_word_stops(
    virtual_microphone: VirtualMicrophone, tmp_path: Path
) -> None:
    with Listener(virtual_microphone, tmp_path / "heard", 9.0) as listener:
        listener.said("listening")
        spoken = say("flite/rms", COMMAND)
        virtual_microphone.play(np.concatenate([spoken, silence(1.2)]))
        listener.said("utterance")
        assert "stop" not in [told["what"] for told in listener.told]
        virtual_microphone.play(np.concatenate([say("espeak/en-us", "stop"), silence(1.2)]))
        listener.said("stop")
        assert _likeness(listener.heard(), spoken) > 0.95
        end = listener.told[-1]
        assert (end["overflows"], end["dropped"]) == (0, 0)
        assert [t["what"] for t in listener.told if t["what"] in ("pause", "stop")] == [
            "pause",
            "stop",
        ]


def test_a_microphone_that_is_unplugged_is_taken_up_again(
    virtual_microphone: VirtualMicrophone, tmp_path: Path
) -> None:
    with Listener(virtual_microphone, tmp_path / "heard", 14.0) as listener:
        listener.said("listening")
        virtual_microphone.unplug()
        lost = "The microphone sends nothing any more. I go on when it is back."
        listener.wait_for(lambda told: told.get("sentence") == lost)
        virtual_microphone.plug_in()
        listener.wait_for(lambda told: told.get("sentence") == "I hear the microphone again.")
        tone = (0.3 * np.sin(np.arange(16000) * 0.3)).astype(np.float32)
        virtual_microphone.play(tone)
        assert _likeness(listener.heard(), tone) > 0.95
        # The time of the stream goes on while nothing is heard.
        assert listener.told[-1]["gap_s"] > 1.0
        assert len([told for told in listener.told if told["what"] == "notice"]) == 3


@pytest.mark.parametrize("device", ["webcam", "pulze"])
def test_a_microphone_that_does_not_exist_is_named(
    virtual_microphone: VirtualMicrophone, tmp_path: Path, device: str
) -> None:
    with Listener(virtual_microphone, tmp_path / "heard", 1.0, device) as listener:
        sentence = listener.said("error")["sentence"]
        assert sentence.startswith(f"There is no microphone {device!r}; there are: default, pulse.")
        assert sentence.endswith("Did you mean 'pulse'?") == (device == "pulze")


@pytest.mark.parametrize("device", ["PULSE", "def"])
def test_a_part_of_the_name_will_do(
    virtual_microphone: VirtualMicrophone, tmp_path: Path, device: str
) -> None:
    with Listener(virtual_microphone, tmp_path / "heard", 1.0, device) as listener:
        listener.said("listening")
        assert len(listener.heard())
