"""A LeRobotDataset of episodes: what is in its files, what it refuses, and that it reads back."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image as PillowImage

from agent.episode.lerobot.export import export_lerobot
from agent.episode.lerobot.reader import LeRobotFolder
from agent.episode.reader import Episode, read_episode
from agent.episode.runs import subgoal_runs
from agent.episode.trajectory import trajectory_of
from agent.errors import EpisodeError, MissingDependency
from agent.events import Ticked
from agent.types import Image
from tests.episode.logs import run, tick, written
from tests.episode.samples import DONE, mission, same


@pytest.fixture(scope="module")
def exported(logged: list[Episode], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the real missions as a data set; do not write to it."""
    return export_lerobot(logged, tmp_path_factory.mktemp("lerobot") / "data")


def frames(folder: Path) -> list[dict[str, Any]]:
    """Return every row of the data."""
    files = sorted((folder / "data").glob("*/*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def picture(cell: dict[str, Any]) -> Image:
    with PillowImage.open(io.BytesIO(cell["bytes"]), formats=["PNG"]) as image:
        return np.array(image)


def test_a_row_per_tick_pixel_for_pixel(logged: list[Episode], exported: Path) -> None:
    rows = frames(exported)
    ticks = [event for episode in logged for event in episode.ticks()]
    assert len(rows) == len(ticks) == sum(episode.tick_count for episode in logged)
    for row, event in zip(rows, ticks, strict=True):
        for camera, image in event.observation.images.items():
            assert np.array_equal(picture(row[f"observation.images.{camera}"]), image)
        sent = event.action if event.sent is None else event.sent
        assert row["sent"] == (event.sent is not None)
        assert np.array_equal(np.float32(row["action"]), sent.astype(np.float32))
        assert np.array_equal(np.float32(row["raw_action"]), event.action.astype(np.float32))
        assert row["observation.state"][7] == np.float32(event.observation.gripper)
        assert row["mission_time"] == np.float32(event.time_s)
        head = np.nan if event.chunk.success is None else event.chunk.success
        assert np.array_equal(row["policy_success"], np.float32(head), equal_nan=True)


def test_rows_count_as_lerobot_does(logged: list[Episode], exported: Path) -> None:
    rows, info = frames(exported), json.loads((exported / "meta/info.json").read_text())
    assert [row["index"] for row in rows] == list(range(len(rows)))
    runs = [(n, run) for n, episode in enumerate(logged) for run in subgoal_runs(episode)]
    assert info["total_episodes"] == len(runs) and info["total_frames"] == len(rows)
    assert info["fps"] == 10 and info["codebase_version"] == "v3.0"
    start = 0
    table = pq.read_table(exported / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    for number, ((mission_number, of), about) in enumerate(zip(runs, table, strict=True)):
        own = [row for row in rows if row["episode_index"] == number]
        assert [row["frame_index"] for row in own] == list(range(len(of.ticks)))
        assert [row["timestamp"] for row in own] == [
            np.float32(i / 10) for i in range(len(of.ticks))
        ]
        assert (about["dataset_from_index"], about["dataset_to_index"]) == (start, start + len(own))
        start += len(own)
        assert about["tasks"] == [of.subgoal.phrase]
        assert about["mission/command"] == logged[mission_number].command
        assert {(r["mission_index"], r["run_index"], r["attempt"]) for r in own} == {
            (mission_number, of.number, of.attempt)
        }
        assert {(r["skill"], r["outcome"], r["verdict"]) for r in own} == {
            (of.subgoal.skill, "success", "confirmed")
        }


def test_statistics_are_those_of_the_data(exported: Path) -> None:
    rows, found = frames(exported), json.loads((exported / "meta/stats.json").read_text())
    action = np.array([row["action"] for row in rows])
    assert np.allclose(found["action"]["mean"], action.mean(0))
    assert np.allclose(found["action"]["std"], action.std(0))
    assert np.allclose(found["action"]["q99"], np.quantile(action, 0.99, axis=0))
    assert found["action"]["count"] == [len(rows)]
    pixels = np.stack([picture(row["observation.images.wrist"]) for row in rows]) / 255
    wrist = found["observation.images.wrist"]
    assert np.shape(wrist["mean"]) == np.shape(wrist["q01"]) == (3, 1, 1)
    assert np.allclose(np.ravel(wrist["mean"]), pixels.mean((0, 1, 2)))
    assert np.allclose(np.ravel(wrist["std"]), pixels.std((0, 1, 2)))
    assert np.ravel(wrist["max"]).tolist() == pixels.max((0, 1, 2)).tolist()
    median = np.quantile(pixels, 0.5, axis=(0, 1, 2), method="inverted_cdf")
    assert np.ravel(wrist["q50"]).tolist() == median.tolist()
    assert np.isfinite([v for f in found.values() for s in f.values() for v in np.ravel(s)]).all()


def test_tasks_are_the_index_that_pandas_reads(exported: Path) -> None:
    schema = pq.read_schema(exported / "meta/tasks.parquet")
    assert json.loads(schema.metadata[b"pandas"])["index_columns"] == ["task"]
    rows = pq.read_table(exported / "meta/tasks.parquet").to_pylist()
    tasks = {row["task_index"]: row["task"] for row in rows}
    assert set(tasks.values()) >= {"press the button", "open the drawer", "pick up the red block"}
    phrases = [
        run["tasks"][0]
        for run in pq.read_table(exported / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    ]
    of_rows = {row["episode_index"]: tasks[row["task_index"]] for row in frames(exported)}
    assert [of_rows[n] for n in range(len(phrases))] == phrases


def test_language_tells_the_plan_and_the_trace(exported: Path) -> None:
    rows = [row for row in frames(exported) if row["mission_index"] == 1]
    held = {(said["style"], said["content"]) for said in rows[0]["language_persistent"]}
    assert ("subtask", "open the drawer") in held
    assert ("plan", "1. open the drawer") in held
    assert ("memory", "command: open the drawer") in held
    assert all(said["camera"] is None for row in rows for said in row["language_persistent"])
    [planned] = rows[0]["language_events"]
    assert planned["content"] == "plan: open the drawer"
    ends = [row["language_events"] for row in rows if not row["sent"]]
    assert len(ends) == 2
    assert ends[0][-1]["content"].startswith("confirmed: done")


def test_what_was_said_is_in_the_language_columns(tmp_path: Path) -> None:
    events = mission(np.random.default_rng(0), ticks=4)
    # The numbers in those ticks are larger than a float32.
    events = [tick(round(e.time_s * 10)) if isinstance(e, Ticked) else e for e in events]
    rows = frames(export_lerobot([written(tmp_path / "e", events)], tmp_path / "d"))
    told = [(s["role"], s["content"]) for row in rows for s in row["language_events"]]
    assert told[0] == ("user", "put it there")
    assert any("refused: The drawer is closed." in text for _, text in told)
    assert told[-1] == ("assistant", "refuted: grasp_missed (0.30)")
    assert {row["outcome"] for row in rows} == {"failed"}
    assert np.isnan([row["policy_spread"] for row in rows]).all()


@pytest.mark.parametrize("language", [True, False])
def test_it_reads_back_as_it_was_logged(
    logged: list[Episode], tmp_path: Path, language: bool
) -> None:
    folder = export_lerobot(logged[:2], tmp_path / "d", language=language)
    ours = [trajectory_of(run, n) for n, e in enumerate(logged[:2]) for run in subgoal_runs(e)]
    found = list(LeRobotFolder(folder).trajectories())
    assert len(ours) == len(found) == 4
    for was, now in zip(ours, found, strict=True):
        assert same(was, now)


def test_an_interrupted_episode_has_what_is_there(tmp_path: Path) -> None:
    path = written(tmp_path / "e", run([tick(n) for n in range(9)], verdict=DONE)).path
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    cut = read_episode(path)
    assert not cut.complete and 0 < cut.tick_count < 9
    rows = frames(export_lerobot([cut], tmp_path / "d"))
    assert len(rows) == cut.tick_count
    assert {row["outcome"] for row in rows} == {"unknown"} and {r["verdict"] for r in rows} == {""}


def test_files_are_not_larger_than_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.episode.lerobot.export.DATA_FILE_MB", 0.001)
    episodes = [written(tmp_path / f"e{n}", run([tick(n), tick(n + 1)])) for n in range(3)]
    folder = export_lerobot(episodes, tmp_path / "d")
    names = sorted(path.name for path in (folder / "data/chunk-000").iterdir())
    assert names == [f"file-{n:03d}.parquet" for n in range(3)]
    assert [r.mission for r in LeRobotFolder(folder).trajectories()] == [0, 1, 2]
    assert [row["index"] for row in frames(folder)] == list(range(6))


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    episode = written(tmp_path / "e", run([tick(0)]))
    (tmp_path / "d").mkdir()
    export_lerobot([episode], tmp_path / "d")
    with pytest.raises(EpisodeError, match="is not empty"):
        export_lerobot([episode], tmp_path / "d")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(EpisodeError, match="is not empty"):
        export_lerobot([episode], tmp_path / "file")
    with pytest.raises(EpisodeError, match="cannot be written"):
        export_lerobot([episode], tmp_path / "file" / "d")


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (run([tick(0, cameras=["front"])]), r"front 16x16; 7 joints"),
        (run([tick(0, joints=6)]), "6 joints"),
        (run([tick(0)], rate_hz=20.0), "20 Hz"),
        (run([tick(0), tick(1, cameras=["wrist"])]), r"at 0\.1 s, cameras wrist"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, other: list[Any], what: str) -> None:
    episodes = [written(tmp_path / "a", run([tick(0)])), written(tmp_path / "b", other)]
    with pytest.raises(EpisodeError, match=rf"do not fit in one data set.*{what}"):
        export_lerobot(episodes, tmp_path / "d")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_no_frame_and_no_whole_rate_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EpisodeError, match="No frame"):
        export_lerobot([written(tmp_path / "a", run([]))], tmp_path / "d")
    with pytest.raises(EpisodeError, match=r"12\.5 Hz"):
        export_lerobot([written(tmp_path / "b", run([tick(0)], rate_hz=12.5))], tmp_path / "d")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    episode = written(tmp_path / "e", run([tick(0)]))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingDependency, match=r"\.\[lerobot\]"):
        export_lerobot([episode], tmp_path / "d")


def test_damage_and_other_versions_are_said(tmp_path: Path) -> None:
    folder = export_lerobot([written(tmp_path / "e", run([tick(0), tick(1)]))], tmp_path / "d")
    info = folder / "meta/info.json"
    about = json.loads(info.read_text())
    info.write_text(json.dumps({**about, "codebase_version": "v2.1"}))
    with pytest.raises(EpisodeError, match=r"v2\.1.*v3\.0"):
        LeRobotFolder(folder)
    info.write_text(json.dumps(about))
    data = folder / "data/chunk-000/file-000.parquet"
    data.write_bytes(data.read_bytes()[:-100])
    with pytest.raises(EpisodeError, match="is damaged"):
        list(LeRobotFolder(folder).trajectories())
    info.unlink()
    with pytest.raises(EpisodeError, match="no LeRobotDataset"):
        LeRobotFolder(folder)
