"""LeRobot itself, in an environment of its own, loads what is exported, frame for frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.episode.lerobot.export import export_lerobot
from agent.episode.lerobot.layout import acted, state_of
from agent.episode.reader import Episode
from agent.episode.runs import SubgoalRun, subgoal_runs
from tests.lerobot.conftest import run_lerobot

pytestmark = pytest.mark.lerobot


@pytest.fixture(scope="module")
def loaded(
    logged: list[Episode], lerobot_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Return what LeRobot makes of the real missions: arrays by name, and the rest."""
    folder = tmp_path_factory.mktemp("lerobot")
    # The language columns came with LeRobot 0.6, and earlier ones refuse a data set that has them.
    data = export_lerobot(logged, folder / "data", language=False)
    run_lerobot(lerobot_python, "probe.py", folder / "home", data, folder / "told.npz")
    with np.load(folder / "told.npz") as told:
        arrays = {name: told[name] for name in told.files}
    return {**json.loads(str(arrays.pop("rest"))), **arrays}


@pytest.fixture(scope="module")
def runs(logged: list[Episode]) -> list[SubgoalRun]:
    return [run for episode in logged for run in subgoal_runs(episode)]


def test_tasks_are_strings(loaded: dict[str, Any], runs: list[SubgoalRun]) -> None:
    assert loaded["texts"]["task"] == [run.subgoal.phrase for run in runs for _ in run.ticks]
    assert loaded["texts"]["skill"] == [run.subgoal.skill for run in runs for _ in run.ticks]
    assert set(loaded["texts"]["outcome"]) == {"success"}
    assert loaded["episodes"] == len(runs) and loaded["fps"] == 10


def test_frames_are_the_episodes_pixel_for_pixel(
    loaded: dict[str, Any], runs: list[SubgoalRun]
) -> None:
    ticks = [tick for run in runs for tick in run.ticks]
    for camera in ("front", "wrist"):
        found = loaded[f"observation.images.{camera}"]
        assert found.dtype == np.float32 and len(found) == len(ticks)
        for image, tick in zip(found, ticks, strict=True):
            pixels = np.rint(image * 255).astype(np.uint8).transpose(1, 2, 0)
            assert np.array_equal(pixels, tick.observation.images[camera])
    assert np.array_equal(loaded["state"], np.stack([state_of(tick) for tick in ticks]))
    assert np.array_equal(loaded["action"], np.stack([acted(tick) for tick in ticks]))
    assert loaded["sent"].tolist() == [tick.sent is not None for tick in ticks]


def test_delta_timestamps_stay_within_a_run(loaded: dict[str, Any], runs: list[SubgoalRun]) -> None:
    row = 0
    for number, run in enumerate(runs):
        actions = np.stack([acted(tick) for tick in run.ticks])
        states = np.stack([state_of(tick) for tick in run.ticks])
        last = len(run.ticks) - 1
        for index in range(len(run.ticks)):
            assert loaded["episode"][row] == number
            ahead = [min(index + k, last) for k in range(3)]
            assert np.array_equal(loaded["chunk"][row], actions[ahead])
            assert loaded["chunk_is_pad"][row].tolist() == [index + k > last for k in range(3)]
            assert np.array_equal(loaded["past"][row], states[[max(index - 1, 0), index]])
            row += 1
    assert row == len(loaded["chunk"])


def test_it_can_be_batched_and_normalised(loaded: dict[str, Any]) -> None:
    assert loaded["batch"] == [4, 7]
    assert {"action", "observation.state", "observation.images.front"} <= set(loaded["stats"])
