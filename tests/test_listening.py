"""Missions that are spoken: a voice in a file, the real decoder, the real robot."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import numpy as np
import pytest

from agent.cli import main
from agent.episode.reader import read_episode
from agent.events import MissionStarted, StopWordJudged
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
    _holds_what_was_heard(tmp_path / "episode", file)
    assert main(["replay", str(tmp_path / "episode"), "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["divergence"] is None


def _holds_what_was_heard(folder: Path, file: Path) -> None:
    """Check that the question, the yes and their sound are in the episode."""
    import soundfile

    played, _ = soundfile.read(file, dtype="float32")
    episode = read_episode(folder)
    asked, agreed = episode.heard
    assert (asked.text, asked.became, asked.ruling) == ("open the drawer", "asked_back", "confirm")
    assert (agreed.text, agreed.became, agreed.ruling) == ("yes", "answer", None)
    assert asked.confidence == asked.evidence["confidence"]
    assert isinstance(episode.decisions[0], MissionStarted) and asked.time_s == 0.0
    for said in (asked, agreed):
        assert list(said.seconds) == ["endpointing", "waiting", "transcription", "understanding"]
        assert 0.5 < said.seconds["endpointing"] < 1.0
        assert min(said.seconds.values()) > 0
        assert abs(said.unix_s - time.time()) < 600
        sound, rate = soundfile.read(io.BytesIO(said.flac), dtype="float32")
        first = round(said.began_s * RATE)
        assert rate == RATE and len(sound) == round((said.ended_s - said.began_s) * RATE)
        assert np.array_equal(sound, played[first : first + len(sound)])


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
    told = capsys.readouterr()
    assert json.loads(told.out)["outcome"] == "stopped"
    episode = read_episode(tmp_path / "episode")
    [judged] = [e for e in episode.decisions if isinstance(e, StopWordJudged) and e.confirmed]
    stop = episode.heard[-1]
    assert stop.began_s < judged.suspected_s < judged.judged_s < stop.ended_s
    assert (stop.became, stop.text, stop.confidence) == ("control", "", None)
    assert "transcription" not in stop.seconds and stop.flac
    assert "It was the stop word." in told.err


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
