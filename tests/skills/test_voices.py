"""Voices: a pure function of voice and text, at 16 kHz, and a clear word where one is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.errors import MissingDependency, SpeechError
from skills.evaluate.offtopic import OFF_TOPIC, SOUNDS
from skills.evaluate.voices import RATE, VOICES, Engine, Voice


def test_there_are_eight_voices_of_three_engines() -> None:
    assert len({voice.label for voice in VOICES}) >= 8
    assert {voice.engine for voice in VOICES} == set(Engine)


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.label)
def test_a_voice_says_the_same_again(voice: Voice, tmp_path: Path) -> None:
    sound = voice.say("go home", tmp_path)
    assert sound.dtype == np.float32
    assert 0.4 < sound.size / RATE < 3
    assert 0.1 < np.abs(sound).max() <= 1
    np.testing.assert_array_equal(sound, voice.say("go home", tmp_path))
    np.testing.assert_array_equal(sound, voice.say("go home"))


def test_a_missing_engine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingDependency, match="apt-get install flite"):
        Voice(Engine.FLITE, "slt").say("go home")


def test_a_missing_voice_is_named() -> None:
    with pytest.raises(SpeechError, match="espeak/nowhere"):
        Voice(Engine.ESPEAK, "nowhere").say("go home")


def test_sounds_repeat_and_are_as_loud_as_speech() -> None:
    assert len(set(OFF_TOPIC)) == 60
    for make in SOUNDS.values():
        sound, again = (make(np.random.default_rng(1)) for _ in range(2))
        np.testing.assert_array_equal(sound, again)
        assert 0.05 < float(np.sqrt(np.mean(sound**2))) <= 0.11
