"""Shows an episode as one page that any browser opens: no server, no network, nothing installed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import TextIO

from agent.episode.codec import AUDIO
from agent.episode.page_content import PageContent
from agent.episode.reader import Episode, foreign
from agent.episode.schemas import CAMERA, HEARD
from agent.errors import EpisodeError

PAGE = "timeline.html"
"""What a page is called beside its episode."""

_FOLDER = Path(__file__).parent / "viewer"
_SCRIPTS = ("model.js", "plots.js", "tracks.js", "scene.js", "log.js", "player.js")
"""In the order in which they need each other."""
_BLOBS = "<!-- frames and sounds -->"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place where a replay differs from its episode.

    Attributes:
        time_s: Time of the mission.
        title: What differs, in a few words.
        then: What the episode says there.
        now: What the replay says there.
        cause: Why, as far as that is known.
    """

    time_s: float
    title: str
    then: str
    now: str
    cause: str


def write_page(episode: Episode, file: Path, marks: Sequence[Mark] = ()) -> None:
    """Write one HTML file that holds all of an episode: pictures, sounds, numbers and decisions.

    Memory stays flat: each picture is handed on as it is read, packed as it was logged.

    Args:
        episode: As far as it can be read; the page says what is lost.
        file: The page; its folder is created if it is missing. A page that is there already is
            replaced once the new one is whole.
        marks: Where a replay differs.

    Raises:
        EpisodeError: The file cannot be written, or the episode is not one of this version.
    """
    half = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with half.open("w", encoding="utf-8") as page:
            _write(page, episode, marks)
        os.replace(half, file)
    except OSError as error:
        raise EpisodeError(
            f"The page {file} cannot be written ({error.strerror}); give a file in a folder that"
            " you may write to, on a disk with room for it."
        ) from error
    finally:
        with suppress(OSError):
            half.unlink()


def _write(page: TextIO, episode: Episode, marks: Sequence[Mark]) -> None:
    style = _read("page.css")
    script = "\n".join(_read(name) for name in _SCRIPTS)
    head, tail = _read("page.html").split(_BLOBS)
    # Only this very style and script may run, whatever the episode holds.
    hashes = {"style_hash": _hash(style), "script_hash": _hash(script)}
    page.write(Template(head).substitute(hashes, style=style))
    content = PageContent()
    for name, data in _blobs(episode, content):
        blob = f'<script type="text/plain" id="{escape(name)}">{escape(data)}</script>\n'
        page.write(blob)
    told = {
        "path": str(episode.path),
        "loss": episode.loss,
        **content.plain(),
        "marks": [asdict(mark) for mark in marks],
    }
    # With no `<` nothing that an episode holds can end the element it stands in.
    text = json.dumps(told, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    page.write(Template(tail).substitute(data=text, script=script))


def _blobs(episode: Episode, content: PageContent) -> Iterator[tuple[str, str]]:
    """Take in the whole episode, yielding names and base64 of its pictures and sounds.

    Raises:
        EpisodeError: A message is not as this version of Bosun writes it.
    """
    sounds = (event.flac for event in episode.heard if event.flac)
    for parts in episode.messages():
        try:
            content.add(parts)
            for topic in parts:
                if topic.startswith(CAMERA):
                    yield content.frame(topic), parts[topic]["data"]
            if AUDIO in parts.get(HEARD, {}):
                yield parts[HEARD][AUDIO], base64.b64encode(next(sounds)).decode("ascii")
        except (KeyError, TypeError, AttributeError) as error:
            raise foreign(episode.path, parts) from error


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the name by which a Content-Security-Policy allows an inline style or script."""
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
