"""The film of a log is the film that was made while it was written, byte for byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.episode.film import export_video
from agent.episode.video import VideoRecorder
from agent.errors import EpisodeError
from tests.episode.logs import run, written
from tests.episode.samples import mission

# imageio-ffmpeg leaves its pipes to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_it_is_the_film_made_while_it_ran(tmp_path: Path) -> None:
    events = mission(np.random.default_rng(0), ticks=6)
    with VideoRecorder(tmp_path / "live.mp4") as recorder:
        for event in events:
            recorder.on_event(event)
    film = export_video(written(tmp_path / "e", events), tmp_path / "film.mp4")
    assert film.read_bytes() == (tmp_path / "live.mp4").read_bytes()


def test_what_cannot_be_shown_or_written_is_said(tmp_path: Path) -> None:
    empty = written(tmp_path / "e", run([]))
    with pytest.raises(EpisodeError, match="no frame"):
        export_video(empty, tmp_path / "film.mp4")
    (tmp_path / "film.mp4").write_text("mine")
    full = written(tmp_path / "f", mission(np.random.default_rng(0), ticks=1))
    with pytest.raises(EpisodeError, match="exists already"):
        export_video(full, tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_text() == "mine"
