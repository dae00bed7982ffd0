"""The demo whose voice talks to the robot through a microphone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.resources import resource
from skills.evaluate import virtual_microphone
from tests.speech.sounds import needs_voices


@needs_voices
@pytest.mark.skipif(
    not all(map(shutil.which, virtual_microphone.PROGRAMS)), reason="needs PulseAudio"
)
def test_the_robot_does_what_a_voice_tells_it_and_stops_at_a_word(tmp_path: Path) -> None:
    demo = resource("demos/05_spoken_mission.py")
    shown = subprocess.run(
        [sys.executable, str(demo)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    told = shown.stdout
    parts = ["person: put", "Shall I?", "person: yes", "“Done.", "person: stop", "I have stopped."]
    places = [told.index(part) for part in parts]
    assert places == sorted(places)
    assert "success, by the world's own verdict True" in told
    episodes = [line.split(": ")[1] for line in told.splitlines() if line.startswith("Episode")]
    assert [(tmp_path / episode).is_dir() for episode in episodes] == [True, True]
    assert list(tmp_path.rglob("*.mp4"))
