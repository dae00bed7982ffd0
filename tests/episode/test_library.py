"""Episodes are found, summed up and cleared away, and nothing else is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agent.episode.library import clean, entry, is_running, shelves
from agent.episode.reader import read_episode
from agent.episode.writer import EpisodeWriter
from agent.errors import EpisodeError, UsageError
from agent.events import Event
from tests.episode.samples import mission

ROOT = Path(__file__).parents[2]


def log(folder: Path, age_s: float = 0.0, events: list[Event] | None = None) -> Path:
    """Write an episode that was last written to so long ago."""
    with EpisodeWriter(folder) as writer:
        for event in mission(np.random.default_rng(0), ticks=2) if events is None else events:
            writer.on_event(event)
    when = writer.path.stat().st_mtime - age_s
    os.utime(writer.path, (when, when))
    return folder


def test_episodes_are_found_newest_first_in_nested_folders(tmp_path: Path) -> None:
    log(tmp_path / "old", 300)
    log(tmp_path / "missions-1" / "a" / "b", 200)
    log(tmp_path / "new", 100)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "notes.txt").write_text("no episode")
    assert [shelf.name for shelf in shelves(tmp_path)] == ["new", "missions-1/a/b", "old"]


def test_links_lead_nowhere(tmp_path: Path) -> None:
    outside, runs = log(tmp_path / "outside"), tmp_path / "runs"
    runs.mkdir()
    (runs / "folder").symlink_to(outside)
    (runs / "file").mkdir()
    (runs / "file" / "episode.mcap").symlink_to(outside / "episode.mcap")
    assert shelves(runs) == []
    assert clean(runs, 0) == []
    assert (outside / "episode.mcap").exists()


def test_an_entry_says_what_came_of_a_mission(tmp_path: Path) -> None:
    [found] = map(entry, shelves(log(tmp_path / "one")))
    assert found.command == "put the red block in the blue bowl"
    assert (found.outcome, found.skills) == ("needs_help", ("pick", "pick"))
    assert found.reasons == ("grasp_missed", "done")
    assert (found.replans, found.ticks, found.seconds) == (1, 2, 2 / 3)
    assert found.complete and not found.running
    assert found.shelf.size == (tmp_path / "one" / "episode.mcap").stat().st_size


def test_an_entry_of_a_cut_file_says_the_same_as_far_as_it_goes(tmp_path: Path) -> None:
    folder = log(tmp_path / "one")
    whole = entry(shelves(folder)[0])
    path = folder / "episode.mcap"
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    cut = entry(shelves(folder)[0])
    assert not cut.complete
    assert (cut.command, cut.outcome, cut.skills) == (whole.command, whole.outcome, whole.skills)
    assert (cut.reasons, cut.ticks, cut.seconds) == (whole.reasons, whole.ticks, whole.seconds)
    path.write_bytes(data[: data.index(b"\x0f\x04") - 2000])
    assert entry(shelves(folder)[0]).outcome is None


def test_an_entry_of_a_mission_that_broke_off_has_no_outcome(tmp_path: Path) -> None:
    events = mission(np.random.default_rng(0), ticks=3)[:-1]
    [found] = map(entry, shelves(log(tmp_path / "one", events=events)))
    assert (found.outcome, found.ticks, found.complete) == (None, 3, True)


def test_an_episode_runs_as_long_as_its_writer_is_open(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path)
    assert is_running(writer.path)
    writer.close()
    assert not is_running(writer.path)


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from agent.episode.writer import EpisodeWriter\n"
        "writer = EpisodeWriter(Path(sys.argv[1])); print('begun', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        assert is_running(tmp_path / "episode.mcap")
        assert clean(tmp_path, 0) == []
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not is_running(tmp_path / "episode.mcap")
    assert [shelf.name for shelf in clean(tmp_path, 0)] == ["."]


def test_the_oldest_give_way_until_the_rest_fits(tmp_path: Path) -> None:
    folders = [log(tmp_path / f"{age}", age) for age in (400, 300, 200, 100)]
    size = (folders[0] / "episode.mcap").stat().st_size
    tried = clean(tmp_path, 2 * size, dry_run=True)
    assert [shelf.name for shelf in tried] == ["400", "300"]
    assert all(folder.exists() for folder in folders)
    assert clean(tmp_path, 2 * size) == tried
    assert [folder.exists() for folder in folders] == [False, False, True, True]
    assert clean(tmp_path, 2 * size) == []


def test_what_runs_stays_and_the_next_oldest_gives_way(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path / "running") as writer:
        writer.on_event(mission(np.random.default_rng(0))[0])
        os.utime(writer.path, (0, 0))
        log(tmp_path / "done", 10)
        assert [shelf.name for shelf in clean(tmp_path, 0)] == ["done"]
    assert writer.path.exists()


def test_an_episode_that_just_begins_is_running(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "episode.mcap").touch()
    assert clean(tmp_path, -1) == []


def test_what_is_not_bosuns_stays(tmp_path: Path) -> None:
    folder = log(tmp_path / "mine")
    for name in ("summary.json", "timeline.html", "film.mp4", "notes.txt"):
        (folder / name).write_text("x")
    (folder / "linked.mp4").symlink_to(tmp_path / "elsewhere.mp4")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    data = bytearray((folder / "episode.mcap").read_bytes())
    data[data.index(b"bosun")] = ord("x")
    (foreign / "episode.mcap").write_bytes(data)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "episode.mcap").write_text("my own notes")
    assert [shelf.name for shelf in clean(tmp_path, 0)] == ["mine"]
    assert sorted(path.name for path in folder.iterdir()) == ["linked.mp4", "notes.txt"]
    assert (foreign / "episode.mcap").exists() and (tmp_path / "text" / "episode.mcap").exists()


def test_the_folder_that_was_named_stays(tmp_path: Path) -> None:
    log(tmp_path / "one")
    clean(tmp_path / "one", 0)
    assert list((tmp_path / "one").iterdir()) == []


def test_two_missions_cannot_write_one_episode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both may find the folder empty; the second one leaves the first one's file alone."""
    with EpisodeWriter(tmp_path) as writer:
        monkeypatch.setattr(Path, "is_file", lambda path: False)
        with pytest.raises(EpisodeError, match="just being written by another mission"):
            EpisodeWriter(tmp_path)
        monkeypatch.undo()
    assert read_episode(writer.path).complete


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no folder .*nowhere"):
        shelves(tmp_path / "nowhere")
