"""The demos show what they are there for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.resources import resource
from skills.evaluate import virtual_microphone
from tests.speech.sounds import needs_voices


def _shown(demo: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(resource(f"demos/{demo}")), *words]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False)


def test_what_is_dropped_is_found_out_and_picked_up_again(tmp_path: Path) -> None:
    shown = _shown("03_disturbances.py", tmp_path)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    parts = ["dropped", "Replan 1", "Success", "World's own verdict: True"]
    places = [shown.stdout.index(part) for part in parts]
    assert places == sorted(places)
    assert list(tmp_path.rglob("*.mp4"))


def test_missions_are_run_as_tests_and_reported(tmp_path: Path) -> None:
    mission = str(resource("configs/missions/ambiguous.yaml"))
    shown = _shown("06_mission_suite.py", tmp_path, mission)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    parts = ["passed", "Nobody answers", "pass^1 100%, pass^2 100%", "Report: "]
    places = [shown.stdout.index(part) for part in parts]
    assert places == sorted(places)
    page = tmp_path / shown.stdout.split("Report: ")[1].strip()
    assert page.read_text(encoding="utf-8").count("data:image/jpeg") >= 4


def test_a_failure_is_done_again_decided_anew_and_mended_live(tmp_path: Path) -> None:
    shown = _shown("07_debug_a_failure.py", tmp_path)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    parts = [
        "Needs help",
        "the same",
        "ends with needs_help; with the mend it begins to look again from home",
        "Because budget.replans was 0, is 8",
        "Success",
    ]
    places = [shown.stdout.index(part) for part in parts]
    assert places == sorted(places)
    assert len(list(tmp_path.rglob("timeline.html"))) == 1


@needs_voices
@pytest.mark.skipif(
    not all(map(shutil.which, virtual_microphone.PROGRAMS)), reason="needs PulseAudio"
)
def test_the_robot_does_what_a_voice_tells_it_and_stops_at_a_word(tmp_path: Path) -> None:
    shown = _shown("05_spoken_mission.py", tmp_path)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    told = shown.stdout
    parts = [
        "person: put",
        "Shall I?",
        "person: yes",
        "“Done.",
        "person: stop",
        "I hold still now.",
    ]
    places = [told.index(part) for part in parts]
    assert places == sorted(places)
    assert "success, by the world's own verdict True" in told
    episodes = [line.split(": ")[1] for line in told.splitlines() if line.startswith("Episode")]
    assert [(tmp_path / episode).is_dir() for episode in episodes] == [True, True]
    assert list(tmp_path.rglob("*.mp4"))
