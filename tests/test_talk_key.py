"""The space bar of a terminal begins an utterance and ends it."""

from __future__ import annotations

import os
import pty
import sys
import termios
import time
from collections.abc import Callable

import pytest

from agent.cli import main
from agent.talk_key import TalkKey


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10.0
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_strokes_press_and_release_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = pty.openpty()
    done: list[str] = []
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        before = termios.tcgetattr(terminal)
        with TalkKey(lambda: done.append("press"), lambda: done.append("release")):
            flags = termios.tcgetattr(terminal)[3]
            assert not flags & (termios.ECHO | termios.ICANON)
            assert flags & termios.ISIG
            os.write(mine, b" ")
            _until(lambda: done == ["press"])
            os.write(mine, b"x ")
            _until(lambda: done == ["press", "release"])
            os.write(mine, b"  ")
            _until(lambda: done == ["press", "release"] * 2)
        assert termios.tcgetattr(terminal) == before
    os.close(mine)


def test_without_a_terminal_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert main(["listen", "--push-to-talk"]) == 2
    assert "--push-to-talk needs a terminal" in capsys.readouterr().err


def test_a_microphone_that_does_not_exist_is_named_before_anything_is_loaded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By its own option or the setting, whatever microphones this machine has."""
    for words in (["--device", "qwertz"], ["--set", "speech.device=qwertz"]):
        assert main(["listen", *words]) == 1
        assert "microphone" in capsys.readouterr().err
