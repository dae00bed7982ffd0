"""Writes the log of one mission to an MCAP file that Foxglove opens as it is."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from agent.episode.codec import Message, encode
from agent.episode.file import FILE_NAME, EpisodeFile
from agent.errors import EpisodeError
from agent.events import Event, Ticked

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_MOST_WAITING = 10
"""Events that may be on their way to the file: at 10 Hz, a second of ticks."""


class EpisodeWriter:
    """Hears every event of a mission and has a thread write it down, in order.

    The mission goes on while its pictures are packed and the disk is synced. When the disk does not
    keep up, it waits: no more than a second's worth of events is ever on its way to the file, and
    a killed process loses no more than those. The first failure raises, from whatever is told or
    closed next; later events are then ignored, and what was written before stays readable.
    """

    def __init__(self, directory: Path, sync_every_s: float = 1.0) -> None:
        """Create `<directory>/episode.mcap`.

        Args:
            directory: Where the episode goes; created if it is missing.
            sync_every_s: Wall-clock seconds between syncs of the disk.

        Raises:
            EpisodeError: There is an episode already, or the folder cannot be written to.
        """
        self.path = directory / FILE_NAME
        if self.path.is_file():
            raise EpisodeError(
                f"{self.path} exists already and a log is never overwritten;"
                " give another folder or move that file away."
            )
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = EpisodeFile(self.path, sync_every_s)
        except OSError as error:
            raise self._explained(error) from error
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="episode")
        self._waiting: deque[Future[None]] = deque()
        self._process = os.getpid()
        self._closed = self._broken = False

    def on_event(self, event: Event) -> None:
        """Have one event written; waits where too many are on their way already.

        Raises:
            EpisodeError: The disk is full or gone, so an event could not be written; said once.
        """
        # A forked process has no thread that writes, and it is not its mission that is logged.
        if self._closed or os.getpid() != self._process:
            return
        self._settle(_MOST_WAITING - 1)
        if isinstance(event, Ticked):
            event = _kept(event)
            messages: Iterable[tuple[str, Message]] = encode(event)
        else:
            # All but pictures is encoded at once: it is little, and may change after this call.
            messages = list(encode(event))
        self._waiting.append(self._thread.submit(self._write, event, messages))

    def _write(self, event: Event, messages: Iterable[tuple[str, Message]]) -> None:
        """Write one event, on the thread; nothing follows one that was not written whole."""
        if self._broken:
            return
        self._broken = True
        self._file.write(event, messages)
        self._broken = False

    def _settle(self, most: int) -> None:
        """Wait until no more than so many events are on their way; raise what failed."""
        while self._waiting and (len(self._waiting) > most or self._waiting[0].done()):
            error = self._waiting[0].exception()
            self._waiting.popleft()
            if error is None:
                continue
            self._abandon()
            if isinstance(error, OSError):
                raise self._explained(error) from error
            raise error

    def close(self) -> None:
        """Finish the file, with all it was told; calling it again does nothing.

        Raises:
            EpisodeError: The rest could not be written, and nothing failed before.
        """
        if self._closed or os.getpid() != self._process:
            return
        self._settle(0)
        self._closed = True
        self._thread.shutdown()
        try:
            self._file.finish()
        except OSError as error:
            self._file.abandon()
            raise self._explained(error) from error

    def _abandon(self) -> None:
        """Give the file up, cut back to its last whole event."""
        self._closed = True
        self._thread.shutdown()
        self._waiting.clear()
        self._file.abandon()

    def _explained(self, error: OSError) -> EpisodeError:
        if error.errno in _FULL:
            what, mend = "the disk is full", "free some space or give a folder on another disk"
        else:
            what = error.strerror or str(error)
            mend = "give a folder that you may write to"
        return EpisodeError(f"The episode {self.path} cannot be written ({what}); {mend}.")

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()


def _kept(event: Ticked) -> Ticked:
    """Return a tick whose arrays nobody else can change; a robot may use them again."""
    seen, chunk = event.observation, event.chunk
    return replace(
        event,
        observation=replace(
            seen,
            images={camera: image.copy() for camera, image in seen.images.items()},
            joint_pos=np.array(seen.joint_pos),
            ee_pose=np.array(seen.ee_pose),
        ),
        chunk=replace(
            chunk,
            actions=np.array(chunk.actions),
            spread=None if chunk.spread is None else np.array(chunk.spread),
        ),
        action=np.array(event.action),
        sent=None if event.sent is None else np.array(event.sent),
    )
