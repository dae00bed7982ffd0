"""Shows an episode as one page that any browser opens: no server, no network, nothing installed."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import Any, TextIO

from agent.episode.codec import AUDIO
from agent.episode.page_content import Mark, PageContent
from agent.episode.reader import Episode
from agent.episode.schemas import CAMERA, HEARD
from agent.errors import EpisodeError

__all__ = ["Mark", "write_page"]

_FOLDER = Path(__file__).parent / "viewer"
_SCRIPTS = ("model.js", "plots.js", "tracks.js", "scene.js", "log.js", "player.js")
"""In the order in which they need each other."""
_BLOBS = "<!-- frames and sounds -->"


def write_page(episode: Episode, file: Path, marks: Sequence[Mark] = ()) -> None:
    """Write one HTML file that holds all of an episode: pictures, sounds, numbers and decisions.

    Memory stays flat, since each picture is handed on as it is read, packed as it was logged.

    Args:
        episode: As far as it can be read; the page says what is lost.
        file: The page; its folder is created if it is missing, and a page there is replaced.
        marks: Where a replay differs.

    Raises:
        EpisodeError: The file cannot be written, or the episode is not one of this version.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8") as page:
            _write(page, episode, marks)
    except (OSError, EpisodeError) as error:
        # Half a page would open, and would look like a short mission.
        with suppress(OSError):
            file.unlink()
        if isinstance(error, EpisodeError):
            raise
        raise EpisodeError(
            f"The page {file} cannot be written ({error.strerror}); give a file in a folder that"
            " you may write to, on a disk with room for it."
        ) from error


def _write(page: TextIO, episode: Episode, marks: Sequence[Mark]) -> None:
    style = _read("page.css")
    script = "\n".join(_read(name) for name in _SCRIPTS)
    head, tail = _read("page.html").split(_BLOBS)
    # Only this very style and script may run, whatever the episode holds.
    hashes = {"style_hash": _hash(style), "script_hash": _hash(script)}
    page.write(Template(head).substitute(hashes, style=style))
    content = PageContent(episode, marks)
    for name, data in _blobs(episode, content):
        page.write(f'<script type="text/plain" id="{name}">{data}</script>\n')
    data = json.dumps(content.plain(), allow_nan=False, separators=(",", ":"))
    # Nothing that an episode holds can then end the element that it stands in.
    data = data.replace("<", "\\u003c")
    page.write(Template(tail).substitute(data=data, script=script))


def _blobs(episode: Episode, content: PageContent) -> Iterator[tuple[str, str]]:
    """Take in the whole episode, yielding names and base64 of its pictures and sounds.

    Raises:
        EpisodeError: A message is not as this version of Bosun writes it.
    """
    sounds = enumerate(event.flac for event in episode.heard)
    for parts in episode.messages():
        try:
            content.add(parts)
            for topic in parts:
                if topic.startswith(CAMERA):
                    yield content.frame(topic), html.escape(parts[topic]["data"])
            if AUDIO in parts.get(HEARD, {}):
                number, flac = next(sounds)
                yield f"sound-{number}", base64.b64encode(flac).decode("ascii")
        except (KeyError, TypeError, AttributeError) as error:
            raise EpisodeError(
                f"{episode.path} holds a message that this version of Bosun did not write"
                f" (topics {', '.join(parts)}); give an episode of this version."
            ) from error


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return what a Content-Security-Policy calls an inline style or script by."""
    digest: Any = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
