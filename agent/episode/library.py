"""All episodes in a folder: what came of each, and how much room they take."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mcap.opcode import Opcode
from mcap.records import Message

from agent.episode.codec import decode
from agent.episode.file import FILE_NAME, LIBRARY, MISSION
from agent.episode.page import PAGE
from agent.episode.reader import read_episode
from agent.episode.records import DAMAGED, MAGIC, Index, read_index, read_record, unpacked
from agent.episode.schemas import ACTION
from agent.episode.summary import SUMMARY
from agent.errors import EpisodeError, UsageError
from agent.events import MissionEnded
from agent.types import MissionResult, SubgoalResult

_OURS = (FILE_NAME, SUMMARY, PAGE)
_FILM = ".mp4"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where an episode lies.

    Attributes:
        folder: Its folder.
        name: The folder's path from where was searched.
        unix_s: When it was last written to, s since 1970.
        size: Bytes of its files: the log, the summary, the timeline and films.
    """

    folder: Path
    name: str
    unix_s: float
    size: int

    @property
    def file(self) -> Path:
        """Its MCAP file."""
        return self.folder / FILE_NAME


@dataclass(frozen=True, slots=True)
class Entry:
    """What came of one episode.

    Attributes:
        shelf: Where it lies.
        command: What the human said; empty where the file ends before that.
        outcome: How the mission ended; None where it has no end, or not yet.
        skills: Of the plans' subgoals that were run, in order.
        reasons: Code of the verdict on each of those.
        replans: New plans.
        ticks: How many there are.
        seconds: Robot time, s.
        complete: Whether the file was closed properly and all of it can be read.
        running: Whether its mission runs just now.
    """

    shelf: Shelf
    command: str
    outcome: str | None
    skills: tuple[str, ...]
    reasons: tuple[str, ...]
    replans: int
    ticks: int
    seconds: float
    complete: bool
    running: bool


def shelves(directory: Path) -> list[Shelf]:
    """Return where every episode below a folder lies, newest first; links are not followed.

    Raises:
        UsageError: There is no such folder.
    """
    if not directory.is_dir():
        raise UsageError(f"There is no folder {directory} to look for episodes in.")
    found = []
    for root, _, names in os.walk(directory):
        folder = Path(root)
        # What vanishes or may not be looked at meanwhile is no reason to stop a mission.
        with suppress(OSError):
            if FILE_NAME not in names or (folder / FILE_NAME).is_symlink():
                continue
            size = sum(path.stat().st_size for path in _ours(folder, names))
            written = (folder / FILE_NAME).stat().st_mtime
            name = folder.relative_to(directory).as_posix()
            found.append(Shelf(folder, name, written, size))
    return sorted(found, key=lambda shelf: (-shelf.unix_s, shelf.name))


def _ours(folder: Path, names: list[str]) -> list[Path]:
    """Return the files of a folder that are Bosun's, the log last."""
    ours = [name for name in names if name in _OURS or name.endswith(_FILM)]
    paths = [folder / name for name in sorted(ours, key=lambda name: name == FILE_NAME)]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def entry(shelf: Shelf) -> Entry:
    """Return what came of an episode, from the end of its file where that has one.

    Raises:
        EpisodeError: The file cannot be read, or Bosun did not write it.
    """
    running = is_running(shelf.file)
    try:
        with shelf.file.open("rb") as file:
            index = read_index(file, os.fstat(file.fileno()).st_size)
            glanced = _glanced(file, index) if index else None
    except OSError as error:
        raise EpisodeError(f"{shelf.file} cannot be read ({error.strerror}).") from error
    if glanced is not None:
        command, result, ticks = glanced
        return _entry(shelf, command, result, result.results, ticks, complete=True, running=running)
    episode = read_episode(shelf.file)
    return _entry(
        shelf,
        episode.command,
        episode.result,
        tuple(result for result in episode.results if result.attempts),
        episode.tick_count,
        complete=episode.complete,
        running=running,
        seconds=max((event.time_s for event in episode.decisions), default=0.0),
    )


def _entry(
    shelf: Shelf,
    command: str,
    result: MissionResult | None,
    results: tuple[SubgoalResult, ...],
    ticks: int,
    *,
    complete: bool,
    running: bool,
    seconds: float = 0.0,
) -> Entry:
    return Entry(
        shelf=shelf,
        command=command,
        outcome=result.outcome.value if result else None,
        skills=tuple(r.subgoal.skill for r in results),
        reasons=tuple(r.verdict.reason.value for r in results),
        replans=result.replans if result else 0,
        ticks=ticks,
        seconds=result.seconds if result else seconds,
        complete=complete,
        running=running,
    )


def _glanced(file: BinaryIO, index: Index) -> tuple[str, MissionResult, int] | None:
    """Return command, result and number of ticks by the index; None where that does not do."""
    try:
        last = index.last_chunk
        record = last and read_record(file, last.chunk_start_offset, index.start)
        items = unpacked(record.parsed()) if record else []
        parts = {
            index.topics[item.channel_id]: json.loads(item.data)
            for _, item in items
            if isinstance(item, Message)
        }
        ended = decode(parts)
        command = ""
        for found in index.of(Opcode.METADATA_INDEX):
            if found.name == MISSION and (record := read_record(file, found.offset, index.start)):
                command = record.parsed().metadata["command"]
        [statistics] = index.of(Opcode.STATISTICS)
    except (*DAMAGED, KeyError, TypeError, OSError):
        return None
    if not isinstance(ended, MissionEnded):
        return None
    channels = {topic: channel for channel, topic in index.topics.items()}
    return command, ended.result, statistics.channel_message_counts.get(channels[ACTION], 0)


def is_running(file: Path) -> bool:
    """Return whether an episode is just being written; where nobody can tell, it is."""
    try:
        # The writer locks its file before anything is in it, and must not find it locked by us.
        if file.stat().st_size == 0:
            return True
        with file.open("rb") as opened:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def clean(directory: Path, keep: int, *, dry_run: bool = False) -> list[Shelf]:
    """Remove the oldest episodes until the rest takes no more than so many bytes.

    What runs stays, as does every file that is not Bosun's; links are not followed.

    Args:
        directory: Where to look for episodes.
        keep: Bytes that may stay.
        dry_run: Only tell what would be removed.

    Returns:
        What was removed, oldest first.

    Raises:
        UsageError: There is no such folder.
    """
    found = shelves(directory)
    total, removed = sum(shelf.size for shelf in found), []
    for shelf in reversed(found):
        if total <= keep:
            break
        if _remove(shelf, directory, dry_run):
            total -= shelf.size
            removed.append(shelf)
    return removed


def _remove(shelf: Shelf, directory: Path, dry_run: bool) -> bool:
    """Remove an episode's files, and its folder if nothing else is in it."""
    try:
        if not _is_bosuns(shelf.file) or is_running(shelf.file):
            return False
        if dry_run:
            return True
        with shelf.file.open("rb") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for path in _ours(shelf.folder, os.listdir(shelf.folder)):
                path.unlink()
        if shelf.folder != directory:
            with suppress(OSError):
                shelf.folder.rmdir()
    except OSError:
        return False
    return True


def _is_bosuns(file: Path) -> bool:
    """Return whether Bosun wrote a file, by what its header says."""
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            return False
        header = read_record(opened, len(MAGIC), os.fstat(opened.fileno()).st_size)
        if header is None or header.opcode != Opcode.HEADER:
            return False
        try:
            return bool(header.parsed().library.startswith(LIBRARY))
        except DAMAGED:
            return False
