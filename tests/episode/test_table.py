"""The table has a row per tick, and its numbers are those of the log to the last bit."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from agent.episode.reader import Episode
from agent.episode.table import export_csv
from agent.errors import EpisodeError
from tests.episode.logs import run, tick, written
from tests.episode.samples import mission


def test_every_tick_is_a_row_in_full_precision(logged: list[Episode], tmp_path: Path) -> None:
    episode = logged[1]
    with export_csv(episode, tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    ticks = list(episode.ticks())
    assert len(rows) == len(ticks) == episode.tick_count > 20
    for row, event in zip(rows, ticks, strict=True):
        assert float(row["time_s"]) == event.time_s
        joints = [float(row[f"joint_{n}_rad"]) for n in range(1, 8)]
        assert np.array_equal(joints, event.observation.joint_pos)
        assert np.array_equal([float(row[f"raw_{n}"]) for n in range(1, 8)], event.action)
        assert np.array_equal(
            [float(row[k]) for k in ("x_m", "y_m", "z_m", "qw", "qx", "qy", "qz")],
            event.observation.ee_pose,
        )
        sent = [row[f"sent_{n}"] for n in range(1, 8)]
        if event.sent is None:
            assert sent == [""] * 7
        else:
            assert np.array_equal(list(map(float, sent)), event.sent)
        told = (row["success"], row["progress"])
        heads = (event.chunk.success, event.chunk.progress)
        assert told == tuple("" if head is None else str(head) for head in heads)
    assert rows[0]["phrase"] == "open the drawer"
    assert {(row["outcome"], row["verdict"], row["reason"]) for row in rows} == {
        ("success", "confirmed", "done")
    }
    assert rows[0]["args"] == '{"object": "drawer"}'
    assert {row["attempt"] for row in rows if row["skill"] == "look"} == {"0"}


def test_what_is_absent_is_an_empty_cell(tmp_path: Path) -> None:
    episode = written(tmp_path / "e", run([tick(0), tick(2)]))
    with export_csv(episode, tmp_path / "t.csv").open(newline="") as file:
        first, last = csv.DictReader(file)
    assert first["sent_1"] == "0.0" and last["sent_1"] == ""
    assert first["spread_m"] == first["progress"] == first["verdict"] == ""
    assert first["outcome"] == "unknown"


def test_nothing_is_overwritten_and_nothing_is_no_table(tmp_path: Path) -> None:
    episode = written(tmp_path / "e", run([tick(0)]))
    (tmp_path / "t.csv").write_text("mine")
    with pytest.raises(EpisodeError, match=r"t\.csv exists already"):
        export_csv(episode, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "mine"
    with pytest.raises(EpisodeError, match="cannot be written"):
        export_csv(episode, tmp_path / "nowhere" / "t.csv")
    empty = written(tmp_path / "none", mission(np.random.default_rng(0), ticks=0))
    with pytest.raises(EpisodeError, match="no tick"):
        export_csv(empty, tmp_path / "none.csv")
