"""`bosun eval` as a person meets it: what may be asked of which suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli import main
from agent.commands.evaluate import _print
from skills.evaluate.report import Row, report


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["skills", "--vary", "lihgt"], ["'lihgt'", "Did you mean 'light'?", "camera"]),
        (["skills", "--vary", "all", "--heldout"], ["--heldout"]),
        (["missions", "--heldout"], ["--heldout"]),
        (["missions", "--commands", "spoken"], ["spoken", "written"]),
        (["scene", "--episodes", "0"], ["--episodes"]),
        (["scene", "--plot", "nowhere/plot.png"], ["nowhere", "plot.png"]),
        (["disturbances", "--cells", "drop=0.1/continuous"], ["'drop=0.15/continuous'"]),
        (["disturbances", "--csv", "nowhere/cells.csv"], ["nowhere", "cells.csv"]),
        (["monitor", "--set", "monitor.alpha=null"], ["monitor.alpha"]),
        (["skills", "--set", "policy=openpi://localhost:1"], ["openpi://localhost:1", "missions"]),
        (["monitor", "--calibrate", "--set", "policy=openpi://localhost:1"], ["policy.source"]),
        ([], ["SUITE"]),
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
    assert main(["eval", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 1
    for part in parts:
        assert part in captured.err


def test_a_report_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    """A line per row with its bounds, then the figures that are numbers."""
    found = report("scene", 1_000_000, [Row("presence", 20, 19)], presence_f1=0.975, scenes=4)
    _print(found)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["presence", "19/20", "95.0%"]
    assert "presence_f1: 0.975" in lines
    assert "mean: 0.95" in lines
    assert not any(line.startswith("seed_base") for line in lines)
