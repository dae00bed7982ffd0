"""The film of a logged mission: the same as `--video` makes while it runs."""

from __future__ import annotations

from pathlib import Path

from agent.episode.reader import Episode
from agent.episode.video import VideoRecorder
from agent.errors import EpisodeError


def export_video(episode: Episode, file: Path) -> Path:
    """Write an episode as an MP4 of a frame per tick and return its file.

    An episode that was cut has the frames that are left, and no last card.

    Raises:
        EpisodeError: There is nothing to show, or the file exists or cannot be written.
    """
    if file.exists():
        raise EpisodeError(f"{file} exists already; give another file for the film.")
    if not episode.tick_count and episode.outcome is None:
        raise EpisodeError(f"{episode.path} holds no frame; there is no film of it.")
    with VideoRecorder(file) as recorder:
        for event in episode.events():
            recorder.on_event(event)
    return file
