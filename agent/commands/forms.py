"""An episode in other forms: a page, a film, a table, and what other programs read."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import UsageError

if TYPE_CHECKING:
    from agent.episode.page import Mark
    from agent.episode.reader import Episode

_OF_ONE = ("export_rerun", "export_video", "export_csv")
"""Arguments that name a file for one episode."""


def wanted(args: argparse.Namespace) -> bool:
    """Return whether any form is asked for."""
    return any(getattr(args, name) is not None for name in ("view", "export_lerobot", *_OF_ONE))


def check(args: argparse.Namespace, count: int) -> None:
    """Refuse to put many episodes into what holds one.

    Raises:
        UsageError: That was asked for.
    """
    for name in _OF_ONE:
        if getattr(args, name) is not None and count > 1:
            raise UsageError(
                f"--{name.replace('_', '-')} takes one episode; {args.episode} holds {count}."
            )
    if args.view not in (None, Path()) and count > 1:
        raise UsageError(f"--view FILE takes one episode; {args.episode} holds {count}.")


def written(
    args: argparse.Namespace, episodes: Sequence[Episode], marks: Mapping[Path, Sequence[Mark]]
) -> list[Path]:
    """Write every form that is asked for and return the files.

    Args:
        args: Say which.
        episodes: What is shown.
        marks: Path of an episode -> where a replay of it differs.
    """
    files: list[Path] = []
    if args.view is not None:
        files += _pages(args.view, episodes, marks, show=not args.json)
    if args.export_lerobot is not None:
        from agent.episode.lerobot.export import export_lerobot

        files.append(export_lerobot(episodes, args.export_lerobot, language=args.language))
    if args.export_rerun is not None:
        from agent.episode.rerun import export_rerun

        files.append(export_rerun(episodes[0], args.export_rerun))
    if args.export_video is not None:
        from agent.episode.film import export_video

        files.append(export_video(episodes[0], args.export_video))
    if args.export_csv is not None:
        from agent.episode.table import export_csv

        files.append(export_csv(episodes[0], args.export_csv))
    return files


def _pages(
    file: Path, episodes: Sequence[Episode], marks: Mapping[Path, Sequence[Mark]], *, show: bool
) -> list[Path]:
    """Write a page for each episode; one that a person asks for at a terminal is opened, too."""
    from agent.episode.page import PAGE, write_page

    files = []
    for episode in episodes:
        files.append(episode.path.parent / PAGE if file == Path() else file)
        write_page(episode, files[-1], marks.get(episode.path, ()))
    if show and len(files) == 1 and sys.stdout.isatty():
        webbrowser.open(files[0].resolve().as_uri())
    return files
