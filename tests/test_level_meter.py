"""A level below what is written, on terminals only."""

from __future__ import annotations

import io
import os
import pty
import select
import time
from pathlib import Path

import pytest

from agent.level_meter import LevelMeter, bar


@pytest.mark.parametrize(
    ("level_dbfs", "filled", "number"),
    [(-120.0, 0, " -60"), (-30.0, 15, " -30"), (0.0, 30, "   0")],
)
def test_a_bar_is_as_long_as_it_is_loud(level_dbfs: float, filled: int, number: str) -> None:
    assert bar(level_dbfs) == f"[{'#' * filled}{'-' * (30 - filled)}] {number} dB"


def test_what_is_no_terminal_gets_only_what_is_written() -> None:
    stream = io.StringIO()
    with LevelMeter(stream) as meter:
        meter.show(lambda: -20.0)
        meter.write("I am listening.\n")
        time.sleep(0.3)
    assert stream.getvalue() == "I am listening.\n"


def test_on_a_terminal_sentences_go_above_the_level() -> None:
    mine, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        with LevelMeter(terminal) as meter:
            meter.show(lambda: -30.0)
            shown = _read(mine, bar(-30.0))
            meter.write("Half a ")
            time.sleep(0.3)
            meter.write("sentence.\n")
            shown += _read(mine, "sentence.") + _read(mine, bar(-30.0))
        while not shown.endswith("\x1b[K"):
            shown += _read(mine, "\x1b[K")
    os.close(mine)
    assert "\r\x1b[KHalf a sentence.\r\n" in shown
    assert _screen(shown) == ["Half a sentence.", ""]


def _read(terminal: int, until: str) -> str:
    """Return what a terminal was sent, up to something that must come and what came with it."""
    shown = ""
    while until not in shown or select.select([terminal], [], [], 0.0)[0]:
        assert select.select([terminal], [], [], 10.0)[0], shown
        shown += os.read(terminal, 4096).decode()
    return shown


def _screen(shown: str) -> list[str]:
    """Return the lines a terminal then shows."""
    lines = [""]
    for part in shown.replace("\r\x1b[K", "\0").replace("\r\n", "\n"):
        if part == "\n":
            lines.append("")
        else:
            lines[-1] = "" if part == "\0" else lines[-1] + part
    return lines


def test_files_show_nothing(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file, LevelMeter(file) as meter:
        meter.show(lambda: 0.0)
        assert not meter.isatty()
        meter.write("one\n")
        meter.flush()
    assert (tmp_path / "log").read_text() == "one\n"
