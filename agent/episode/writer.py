"""Writes the log of one mission to an MCAP file that Foxglove opens as it is."""

from __future__ import annotations

import errno
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from mcap.writer import LIBRARY_IDENTIFIER, Writer

from agent.episode.codec import AUDIO, Message, encode, nanoseconds, plain
from agent.episode.schemas import CAMERA, IMAGE, IMAGE_SCHEMA, TOPICS
from agent.errors import EpisodeError
from agent.events import Event, Heard, MissionStarted

FILE_NAME = "episode.mcap"
SOUNDS = "heard"
"""What the names of attached sounds begin with."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_LIMIT = 1 << 62


class EpisodeWriter:
    """Hears every event of a mission and writes it down.

    Each event becomes one MCAP chunk and goes to the operating system at once, so a killed process
    loses nothing that was told to the writer; the disk itself is synced about once a second, so a
    power cut costs about that much. The first failure raises; later events are then ignored, and
    what was written before stays readable.
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
        self._sync_every_s = sync_every_s
        if self.path.is_file():
            raise EpisodeError(
                f"{self.path} exists already and a log is never overwritten;"
                " give another folder or move that file away."
            )
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("wb")
        except OSError as error:
            raise self._explained(error) from error
        # A chunk ends only where this class ends it, after the last message of an event.
        self._mcap = Writer(self._file, chunk_size=_NO_LIMIT)
        self._channels: dict[str, int] = {}
        self._events = self._sounds = 0
        self._whole = 0
        self._synced_at = time.monotonic()
        self._closed = False
        try:
            self._mcap.start(library=f"bosun {LIBRARY_IDENTIFIER}")
            self._register()
            self._settle()
        except OSError as error:
            raise self._abandoned(error) from error

    def _register(self) -> None:
        for topic, schema in TOPICS.items():
            name = "bosun." + topic.removeprefix("/").capitalize()
            self._channels[topic] = self._channel(topic, name, {"title": name, **schema})
        self._image_schema = self._schema(IMAGE_SCHEMA, IMAGE)

    def _schema(self, name: str, schema: Message) -> int:
        data = json.dumps(schema).encode()
        return int(self._mcap.register_schema(name, "jsonschema", data))

    def _channel(self, topic: str, name: str, schema: Message) -> int:
        return self._mcap.register_channel(topic, "json", self._schema(name, schema))

    def on_event(self, event: Event) -> None:
        """Write one event.

        Raises:
            EpisodeError: The disk is full or gone; said once.
        """
        if self._closed:
            return
        try:
            if isinstance(event, MissionStarted):
                self._describe(event)
            self._write(event)
            self._settle()
        except OSError as error:
            raise self._abandoned(error) from error

    def _describe(self, event: MissionStarted) -> None:
        """Put the command and the metadata where MCAP tools look for them, too."""
        values = {"command": event.command, **event.metadata}
        texts = {
            key: value if isinstance(value, str) else json.dumps(plain(value))
            for key, value in values.items()
        }
        self._mcap.add_metadata("mission", texts)

    def _write(self, event: Event) -> None:
        log_time = nanoseconds(event.time_s)
        for topic, message in encode(event):
            if topic.startswith(CAMERA) and topic not in self._channels:
                channel = self._mcap.register_channel(topic, "json", self._image_schema)
                self._channels[topic] = channel
            if isinstance(event, Heard):
                message = {**message, AUDIO: self._attach(event)}
            # The sequence number ties the messages of one event together.
            self._mcap.add_message(
                self._channels[topic],
                log_time=log_time,
                data=json.dumps(message, allow_nan=False, separators=(",", ":")).encode(),
                publish_time=log_time,
                sequence=self._events,
            )
        self._events += 1

    def _attach(self, event: Heard) -> str:
        """Attach the sound of an event and return its name.

        It goes before the message that names it: wherever the file is cut, a whole message has
        its sound.
        """
        self._sounds += 1
        name = f"{SOUNDS}/{self._sounds:04}.flac"
        self._mcap.add_attachment(
            create_time=nanoseconds(event.unix_s),
            log_time=nanoseconds(event.time_s),
            name=name,
            media_type="audio/flac",
            data=event.flac,
        )
        return name

    def _settle(self) -> None:
        """Hand what is pending to the operating system, and now and then to the disk."""
        self._mcap.flush()  # type: ignore[no-untyped-call]
        self._whole = self._file.tell()
        now = time.monotonic()
        if now - self._synced_at >= self._sync_every_s:
            os.fsync(self._file.fileno())
            self._synced_at = now

    def close(self) -> None:
        """Finish the file; calling it again does nothing.

        Raises:
            EpisodeError: The end of the file could not be written, and nothing failed before.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._mcap.finish()  # type: ignore[no-untyped-call]
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise self._abandoned(error) from error

    def _abandoned(self, error: OSError) -> EpisodeError:
        """Give the file up, cut back to its last whole event."""
        self._closed = True
        # Closing the raw file keeps the buffer above it from writing its rest a second time.
        raw = self._file.raw
        with suppress(OSError):
            raw.truncate(self._whole)
        with suppress(OSError):
            raw.close()
        return self._explained(error)

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
