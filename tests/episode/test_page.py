"""The page of an episode holds all of it, once, and nothing of it can become markup."""

from __future__ import annotations

import base64
import errno
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.episode.page import write_page
from agent.episode.page_content import PageContent
from agent.episode.reader import Episode
from agent.errors import EpisodeError
from agent.events import Heard
from agent.pictures import png
from tests.episode.samples import mission
from tests.episode.shown import BLIND, HOSTILE, MARKS, TICKS, events, written


class _Elements(HTMLParser):
    """Keeps which elements there are, and the text of each script by its id."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self._inside: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = (dict(attrs).get("id") or "") if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self.scripts[self._inside] = self.scripts.get(self._inside, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._inside = None


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Episode:
    return written(tmp_path_factory.mktemp("episode"))


@pytest.fixture(scope="module")
def page(episode: Episode, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "new" / "page.html"
    write_page(episode, file, MARKS)
    return file.read_text(encoding="utf-8")


def _data(page: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(_Elements(page).scripts["episode"])
    return data


def test_every_event_is_there_in_order(page: str, episode: Episode) -> None:
    data = _data(page)
    assert [event["time_s"] for event in data["events"]] == [e.time_s for e in episode.decisions]
    assert [event["topic"] for event in data["events"]][:4] == [
        "/event",
        "/heard",
        "/scene",
        "/model",
    ]
    assert [mark["title"] for mark in data["marks"]] == ["action differs", HOSTILE]


def test_every_tick_has_its_numbers(page: str, episode: Episode) -> None:
    ticks = _data(page)["ticks"]
    assert {len(column) for column in ticks.values()} == {TICKS} == {episode.tick_count}
    for number, tick in enumerate(episode.ticks()):
        if number == BLIND:
            continue
        assert tick.sent is not None and tick.chunk.spread is not None
        assert [ticks[f"raw {at}"][number] for at in range(7)] == pytest.approx(
            tick.action, rel=1e-4
        )
        assert [ticks[f"sent {at}"][number] for at in range(7)] == pytest.approx(
            tick.sent, rel=1e-4
        )
        assert ticks["spread"][number] == pytest.approx(tick.chunk.spread.mean(), rel=1e-4)
        strain = tick.strain
        assert ticks["score"][number] == (None if strain is None else strain.score)
        assert ticks["signal stall"][number] == (None if strain is None else 1.0)


def test_what_is_no_number_or_was_not_sent_is_told_apart(page: str) -> None:
    ticks = _data(page)["ticks"]
    assert ticks["raw 0"][BLIND] == "nan"
    assert ticks["sent 0"][BLIND] is None
    assert ticks["success"][BLIND] is None


def test_every_picture_and_sound_is_there_once(page: str, episode: Episode) -> None:
    scripts = _Elements(page).scripts
    frames = {name: text for name, text in scripts.items() if name.startswith("frame-")}
    assert len(frames) == 2 * TICKS - 1
    for number, tick in enumerate(episode.ticks()):
        for camera, name in enumerate(("front", "wrist")):
            if name in tick.observation.images:
                logged = png(tick.observation.images[name])
                assert base64.b64decode(frames[f"frame-{camera}-{number}"]) == logged
    assert base64.b64decode(scripts["heard/0001.flac"]) == episode.heard[0].flac


def test_sounds_belong_to_their_words(tmp_path: Path) -> None:
    told = mission(np.random.default_rng(0))
    episode = written(tmp_path / "episode", told)
    write_page(episode, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    said = [event for event in told if isinstance(event, Heard)]
    shown = [event for event in _data(page)["events"] if event["topic"] == "/heard"]
    assert [event["text"] for event in shown] == [event.text for event in said]
    for event, heard in zip(shown, said, strict=True):
        assert base64.b64decode(_Elements(page).scripts[event["audio"]]) == heard.flac


def test_nothing_is_loaded_from_elsewhere_and_nothing_of_the_episode_is_markup(page: str) -> None:
    elements = _Elements(page)
    assert not [attrs for tag, attrs in elements.tags if "src" in attrs or "href" in attrs]
    assert [tag for tag, _ in elements.tags if tag in ("img", "link", "iframe", "object")] == []
    runs = [attrs for tag, attrs in elements.tags if tag == "script" and "type" not in attrs]
    assert len(runs) == 1
    assert not [name for _, attrs in elements.tags for name in attrs if name.startswith("on")]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)
    assert _data(page)["events"][0]["command"] == HOSTILE


def test_a_page_takes_little_more_than_its_pictures(tmp_path: Path) -> None:
    """A picture of noise, 60 px high, packs to as much as one of the tabletop's own does."""
    episode = written(tmp_path / "episode", events(size=60))
    pictures = sum(
        len(png(image)) for tick in episode.ticks() for image in tick.observation.images.values()
    )
    write_page(episode, tmp_path / "page.html")
    write_page(written(tmp_path / "none", []), tmp_path / "empty.html")
    fixed = (tmp_path / "empty.html").stat().st_size
    assert fixed < 80_000
    assert (tmp_path / "page.html").stat().st_size - fixed < 1.5 * pictures


def test_a_page_is_replaced(episode: Episode, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("x" * 10_000_000)
    write_page(episode, file)
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert file.read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_a_page_that_cannot_be_written_is_named(episode: Episode, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EpisodeError, match=r"page\.html cannot be written \(.*\); give"):
        write_page(episode, tmp_path / "file" / "page.html")
    with pytest.raises(EpisodeError, match=r"cannot be written \(Is a directory\)"):
        write_page(episode, tmp_path)
    assert tmp_path.is_dir()


def test_no_half_page_is_left_behind_and_none_is_lost(
    episode: Episode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(content: PageContent) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = tmp_path / "page.html"
    file.write_text("the page before")
    monkeypatch.setattr(PageContent, "plain", full)
    with pytest.raises(EpisodeError, match=r"page\.html cannot be written \(No space left"):
        write_page(episode, file)
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [
        ("page.html", "the page before")
    ]


def test_a_message_of_another_program_is_named(
    episode: Episode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Episode, "messages", lambda self: iter([{"/action": {"time_s": 0.0}}]))
    with pytest.raises(EpisodeError, match=r"did not write \(topics /action\)"):
        write_page(episode, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []
