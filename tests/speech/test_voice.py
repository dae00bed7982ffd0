"""The voice, with real players: shells that stand in for a speaker, and espeak-ng itself."""

from __future__ import annotations

import shutil
import sys
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.errors import ConfigError
from agent.speech.voice import TAIL_S, Voice, voice_command
from tests.waiting import wait_until

PLAYER = """
import sys, time
text = sys.stdin.read().strip()
with open({said!r}, "a") as out:
    out.write(text + "\\n")
time.sleep({seconds})
"""


@pytest.fixture
def said(tmp_path: Path) -> Path:
    return tmp_path / "said.txt"


@pytest.fixture
def speaking(said: Path) -> Iterator[Callable[[float], Voice]]:
    """Yield a maker of voices whose sentences take some seconds."""
    voices = []

    def make(seconds: float) -> Voice:
        program = PLAYER.format(said=str(said), seconds=seconds)
        voices.append(Voice([sys.executable, "-c", program]))
        return voices[-1]

    yield make
    for voice in voices:
        voice.close()


def begun(said: Path) -> bool:
    """Return whether something is being said; its file is there a moment before its text is."""
    return said.exists() and said.read_text().endswith("\n")


def test_it_speaks_in_order_and_nobody_waits(
    speaking: Callable[[float], Voice], said: Path
) -> None:
    voice = speaking(0.1)
    assert not voice.spoke_at(time.monotonic())
    began = time.monotonic()
    voice.say("One.")
    voice.say("$(reboot); `two`\x1b[2J -x")
    assert time.monotonic() - began < 0.1
    assert voice.spoke_at(time.monotonic())
    wait_until(lambda: not voice.spoke_at(time.monotonic()))
    assert said.read_text() == "One.\n$(reboot); `two` [2J -x\n"
    assert voice.fault is None


def test_the_microphone_stays_deaf_a_moment_longer(
    speaking: Callable[[float], Voice], said: Path
) -> None:
    voice = speaking(0.0)
    voice.say("One.")
    wait_until(lambda: begun(said))
    wait_until(lambda: not voice._busy)
    ended = time.monotonic()
    wait_until(lambda: not voice.spoke_at(time.monotonic()))
    assert time.monotonic() - ended > TAIL_S / 2


def test_who_hears_late_still_knows_whose_voice_it_was(speaking: Callable[[float], Voice]) -> None:
    voice = speaking(0.0)
    before = time.monotonic()
    voice.say("One.")
    during = time.monotonic()
    wait_until(lambda: not voice.spoke_at(time.monotonic()))
    assert voice.spoke_at(during)
    assert not voice.spoke_at(before - 0.1)


def test_barge_in_silences_it_at_once(speaking: Callable[[float], Voice], said: Path) -> None:
    voice = speaking(60.0)
    for sentence in ("One.", "Two.", "Three."):
        voice.say(sentence)
    wait_until(lambda: begun(said))
    began = time.monotonic()
    voice.hush()
    assert time.monotonic() - began < 0.1
    wait_until(lambda: not voice.spoke_at(time.monotonic()))
    assert time.monotonic() - began < 2
    assert said.read_text() == "One.\n"
    assert voice.fault is None


def test_news_overtakes_what_waits_too_long(speaking: Callable[[float], Voice], said: Path) -> None:
    voice = speaking(0.3)
    voice.say("first")
    wait_until(lambda: begun(said))
    for number in range(10):
        voice.say(f"news {number}")
    wait_until(lambda: not voice.spoke_at(time.monotonic()))
    assert said.read_text().split("\n") == ["first", "news 7", "news 8", "news 9", ""]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["false"], "failed"),
        (["sh", "-c", "echo no device >&2; exit 1"], "no device"),
        (["/no/such/program"], "cannot be started"),
        (["true"], None),
    ],
)
def test_a_voice_that_fails_is_noted_and_never_raises(command: list[str], told: str | None) -> None:
    voice = Voice(command)
    voice.say("Hello.")
    voice.say("Hello.")
    wait_until(lambda: not voice.spoke_at(time.monotonic()))
    assert (told is None) == (voice.fault is None)
    assert told is None or told in str(voice.fault)
    voice.close()
    voice.say("Nobody hears this.")
    voice.hush()


def test_no_voice_says_nothing() -> None:
    voice = Voice(None)
    voice.say("Hello.")
    assert not voice.spoke_at(time.monotonic())
    voice.close()


def test_what_speaks_is_found_or_named() -> None:
    assert voice_command("none") is None
    assert voice_command("cat -n") == ["cat", "-n"]
    with pytest.raises(ConfigError, match="no-such-voice"):
        voice_command("no-such-voice --loud")
    with pytest.raises(ConfigError, match="is no command"):
        voice_command("'")


def test_an_engine_that_is_installed_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name if name == "festival" else None)
    assert voice_command("auto") == ["festival", "--tts"]
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert voice_command("auto") is None


@pytest.mark.parametrize("engine", ["espeak-ng --stdin -w", "flite -f /dev/stdin -o"])
def test_real_engines_speak_what_they_read(engine: str, tmp_path: Path) -> None:
    if shutil.which(engine.split()[0]) is None:
        pytest.skip(f"needs {engine.split()[0]}")
    voice = Voice(voice_command(f"{engine} {tmp_path / 'said.wav'}"))
    voice.say("I will pick up the red block.")
    wait_until(lambda: not voice.spoke_at(time.monotonic()))
    assert voice.fault is None
    with wave.open(str(tmp_path / "said.wav")) as sound:
        samples = np.frombuffer(sound.readframes(10**6), np.int16)
        assert 1 < len(samples) / sound.getframerate() < 5
    assert np.abs(samples.astype(float)).max() > 1_000
    voice.close()
