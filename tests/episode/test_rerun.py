"""A Rerun recording holds every image, curve and word, at the mission's own time."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from agent.episode.reader import Episode
from agent.episode.rerun import TIMELINE, export_rerun
from agent.errors import EpisodeError, MissingDependency
from tests.episode.logs import run, tick, written


def columns(file: Path) -> dict[tuple[str, str], list[tuple[float, Any]]]:
    """Return (path, component) -> times in s and values, in order of time."""
    from rerun.chunk import RrdReader

    found: dict[tuple[str, str], list[tuple[float, Any]]] = {}
    for chunk in RrdReader(file).stream():
        if TIMELINE not in chunk.timeline_names:
            continue
        batch = chunk.to_record_batch()
        times = [value.total_seconds() for value in batch.column(TIMELINE).to_pylist()]
        for name in (name for name in batch.schema.names if ":" in name):
            values = batch.column(name).to_pylist()
            cells = [(t, v[0]) for t, v in zip(times, values, strict=True) if v]
            found.setdefault((chunk.entity_path, name), []).extend(cells)
    return {key: sorted(cells, key=lambda cell: cell[0]) for key, cells in found.items()}


def test_it_holds_images_curves_and_words(logged: list[Episode], tmp_path: Path) -> None:
    episode = logged[0]
    found = columns(export_rerun(episode, tmp_path / "e.rrd"))
    ticks = list(episode.ticks())
    for camera in ("front", "wrist"):
        frames = found[f"/camera/{camera}", "EncodedImage:blob"]
        assert [round(t, 6) for t, _ in frames] == [round(event.time_s, 6) for event in ticks]
        for (_, blob), event in zip(frames, ticks, strict=True):
            with PillowImage.open(io.BytesIO(bytes(blob))) as picture:
                assert np.array_equal(np.array(picture), event.observation.images[camera])
    opening = [value for _, value in found["/state/gripper", "Scalars:scalars"]]
    assert opening == [event.observation.gripper for event in ticks]
    sent = found["/action/sent", "Scalars:scalars"]
    assert len(sent) == sum(event.sent is not None for event in ticks) < len(ticks)
    [plan] = found["/plan", "TextLog:text"]
    assert plan[1] == "1. press the button"
    verdicts = [text for _, text in found["/verdict", "TextLog:text"]]
    assert verdicts[0].startswith("confirmed: done")
    assert found["/mission", "TextLog:text"][0][1] == "press the button"
    assert ("/scene", "Points3D:positions") in found


def test_what_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    episode = written(tmp_path / "e", run([tick(0)]))
    (tmp_path / "e.rrd").write_text("mine")
    with pytest.raises(EpisodeError, match="exists already"):
        export_rerun(episode, tmp_path / "e.rrd")
    with pytest.raises(EpisodeError, match=r"nowhere/e\.rrd cannot be written"):
        export_rerun(episode, tmp_path / "nowhere" / "e.rrd")
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(MissingDependency, match=r"\.\[rerun\]"):
        export_rerun(episode, tmp_path / "f.rrd")
