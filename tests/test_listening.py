"""Missions that are spoken: a voice in a file, the real decoder, the real robot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from agent.cli import main
from agent.types import FloatArray
from skills.evaluate.voices import RATE
from tests.speech.sounds import needs_voices, say

SILENT = ("--set", "speech.voice=none")
SEED = ("--seed", "20")
"""Of a scene with a drawer that is shut."""


def _spoken(path: Path, *parts: str | float) -> Path:
    """Write a file in which sentences are said, and so many seconds of silence between them."""
    import soundfile

    def sound(part: str | float) -> FloatArray:
        if isinstance(part, str):
            return say("flite/rms", part)
        return np.zeros(round(part * RATE), np.float32)

    soundfile.write(path, np.concatenate([sound(part) for part in parts]), RATE)
    return path


@needs_voices
def test_a_spoken_command_is_carried_out_after_a_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _spoken(tmp_path / "said.wav", 0.5, "open the drawer", 3.0, "yes", 1.0)
    words = ["run", "--audio", str(file), *SEED, *SILENT, "--episode", str(tmp_path / "episode")]
    assert main([*words, "--json"]) == 0
    told = capsys.readouterr()
    summary = json.loads(told.out)
    assert (summary["command"], summary["world_success"]) == ("open the drawer", True)
    assert "I would open the drawer. Shall I?" in told.err
    assert "Heard 'yes'" in told.err


@needs_voices
def test_nothing_moves_without_a_yes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = _spoken(tmp_path / "said.wav", 0.5, "open the drawer", 1.0)
    episode = tmp_path / "episode"
    assert main(["run", "--audio", str(file), *SEED, *SILENT, "--episode", str(episode)]) == 2
    assert "I heard nothing" in capsys.readouterr().err
    assert not episode.exists()


@needs_voices
def test_the_stop_word_stops_the_arm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = (0.5, "open the drawer", 3.0, "yes", 2.0, "stop", 2.0)
    file = _spoken(tmp_path / "said.wav", *said)
    words = ["run", "--audio", str(file), *SEED, *SILENT, "--episode", str(tmp_path / "episode")]
    # A slow arm has not arrived when the word comes, however fast the machine is.
    assert main([*words, "--set", "shield.max_speed_m_s=0.04", "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["outcome"] == "stopped"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["open the drawer", "--audio", "said.wav"], "not both"),
        ([], "The command is empty"),
        (["--audio", "missing.wav"], "missing.wav"),
    ],
)
def test_what_cannot_be_heard_is_named(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *words, *SILENT]) == 2
    assert sentence in capsys.readouterr().err
