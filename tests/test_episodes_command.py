"""`bosun episodes` as a person meets it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.cli import main
from agent.episode.writer import EpisodeWriter
from agent.events import MissionEnded
from agent.types import MissionOutcome
from tests.episode.samples import mission
from tests.episode.test_library import log


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three episodes: an old failure, one that asks, and one that was cut."""
    monkeypatch.chdir(tmp_path)
    events = mission(np.random.default_rng(1), ticks=3)
    end = events[-1]
    assert isinstance(end, MissionEnded)
    failed = replace(end, result=replace(end.result, outcome=MissionOutcome.FAILED))
    log(tmp_path / "runs" / "failed", 3 * 86_400, [*events[:-1], failed])
    log(tmp_path / "runs" / "missions-1" / "asks", 60)
    cut = log(tmp_path / "runs" / "cut", 30) / "episode.mcap"
    cut.write_bytes(cut.read_bytes()[:6000])
    return tmp_path / "runs"


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = main(["episodes", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ([], ["cut", "missions-1/asks", "failed"]),
        (["runs"], ["cut", "missions-1/asks", "failed"]),
        (["list", "runs/missions-1"], ["asks"]),
        (["--limit", "1"], ["cut"]),
        (["--outcome", "failed"], ["failed"]),
        (["--skill", "pick", "--outcome", "needs_help"], ["missions-1/asks"]),
        (["--skill", "press"], []),
        (["--reason", "dropped"], []),
        (["--reason", "grasp_missed", "--limit", "2"], ["missions-1/asks", "failed"]),
        (["--command", "RED block", "--outcome", "failed"], ["failed"]),
        (["--command", "green"], []),
        (["--since", "2020-01-01"], ["cut", "missions-1/asks", "failed"]),
        (["--since", "2999-01-01T10:00"], []),
    ],
)
def test_list_filters(
    words: list[str], names: list[str], runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, listed = told(capsys, *words)
    assert code == 0
    assert [episode["name"] for episode in listed["episodes"]] == names


def test_list_prints_a_line_for_each(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "broken").mkdir()
    (runs / "broken" / "episode.mcap").write_text("no episode at all")
    with EpisodeWriter(runs / "now"):
        assert main(["episodes"]) == 0
    out, err = capsys.readouterr()
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert set(lines) == {"episode", "now", "cut", "missions-1/asks", "failed"}
    assert lines["now"].split()[-1] == "running"
    assert lines["cut"].split()[-1] == "cut"
    assert lines["failed"].split()[-1] == "complete" and " failed " in lines["failed"]
    assert "broken/episode.mcap is not an MCAP file" in err


def test_show_sums_one_up(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["episodes", "show", "runs/failed"]) == 0
    out = capsys.readouterr().out
    assert "'put the red block in the blue bowl': failed" in out
    assert "3 ticks, 1 replans" in out
    assert "pick up the red block: failed (grasp_missed, try 1, 12 ticks)" in out
    assert "heard 'put it there': asked_back" in out
    assert main(["episodes", "show", "runs/cut"]) == 0
    assert "was cut short or damaged" in capsys.readouterr().out
    code, shown = told(capsys, "show", "runs/failed/episode.mcap")
    assert code == 0 and shown["outcome"] == "failed" and shown["loss"] == ""
    assert [s["reason"] for s in shown["subgoals"]] == ["grasp_missed", "done"]


def test_verify_says_what_is_wrong_and_where(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, checked = told(capsys, "verify", "runs/missions-1")
    assert code == 1, "The samples' times go back, which a mission's never do."
    path = runs / "failed" / "episode.mcap"
    data = bytearray(path.read_bytes())
    data[-4] ^= 1
    path.write_bytes(data)
    code, checked = told(capsys, "verify", "runs/failed", "runs/cut/episode.mcap")
    assert code == 1 and checked["episodes"] == 2
    sentences = [finding["sentence"] for finding in checked["findings"]]
    assert f"runs/failed/episode.mcap: the magic bytes at its end (byte {len(data) - 8})" in str(
        sentences
    )
    assert "never closed" in str(sentences)
    assert main(["episodes", "verify", "runs/failed"]) == 1
    assert "0 of 1 episodes are as they were written." in capsys.readouterr().out


def test_verify_leaves_a_running_mission_alone(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EpisodeWriter(runs / "now"):
        code, checked = told(capsys, "verify", "runs/now")
    assert code == 0 and checked["running"] == ["runs/now/episode.mcap"]
    assert checked["findings"] == []


def test_clean_keeps_what_fits(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "clean") == (0, {"removed": [], "bytes": 0, "dry_run": False})
    code, would = told(capsys, "clean", "--keep", "0.01MB", "--dry-run")
    assert code == 0 and "runs/failed" in would["removed"]
    assert (runs / "failed").exists()
    assert main(["episodes", "clean", "--keep", "0B"]) == 0
    assert "Removed 3 episodes" in capsys.readouterr().out
    assert sorted(path.name for path in runs.iterdir()) == ["missions-1"]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["lst"], ["'lst'", "Did you mean 'list'?"]),
        (["--outcome", "faild"], ["'faild'", "'failed'"]),
        (["--skill", "pik"], ["'pik'", "'pick'"]),
        (["--reason", "droped"], ["'droped'", "'dropped'"]),
        (["--since", "yesterday"], ["'yesterday'", "2026-11-01"]),
        (["--limit", "0"], ["--limit"]),
        (["clean", "--keep", "2"], ["'2'", "2GB"]),
        (["clean", "--set", "episode.limit_gb=null"], ["--keep", "episode.limit_gb"]),
        (["verify", "nowhere"], ["nowhere"]),
        (["show"], ["episode"]),
    ],
)
def test_wrong_words_get_one_sentence(
    words: list[str],
    parts: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    assert main(["episodes", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("bosun: ") and len(err.splitlines()) == 1
    for part in parts:
        assert part in err
