"""Missions that go on live from a tick of an episode."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from agent.cli import main
from agent.episode.reader import read_episode
from tests.replay.conftest import Recorded


def test_a_mission_goes_on_from_a_tick_with_another_command(
    recorded: Recorded,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The new episode begins with what was sensed at that tick, and can itself be checked."""
    monkeypatch.chdir(tmp_path)
    words = ["replay", str(recorded.drawer), "--from", "6", "--command", "press the button"]
    assert main([*words, "--episode", "live", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["command"], summary["outcome"]) == ("press the button", "success")
    then, now = (
        list(read_episode(recorded.drawer).ticks())[6],
        next(read_episode(Path("live")).ticks()),
    )
    assert now.time_s == 0.0
    assert np.array_equal(then.observation.joint_pos, now.observation.joint_pos)
    for name, image in then.observation.images.items():
        assert np.array_equal(image, now.observation.images[name])
    assert main(["replay", "live", "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["same"] is True
