"""The MCAP file of an episode while it is being written."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mcap.writer import LIBRARY_IDENTIFIER, Writer

from agent.episode.codec import AUDIO, Message, nanoseconds, plain
from agent.episode.digest import DIGEST, Digest
from agent.episode.schemas import CAMERA, IMAGE, IMAGE_SCHEMA, TOPICS
from agent.errors import EpisodeError
from agent.events import Event, Heard, MissionStarted

FILE_NAME = "episode.mcap"
LIBRARY = "bosun "
"""What the name of the library in an episode's header begins with."""
MISSION = "mission"
"""Name of the metadata that hold the command and the mission's own metadata."""
SOUNDS = "heard"
"""What the names of attached sounds begin with."""

_NO_LIMIT = 1 << 62


class EpisodeFile:
    """Puts events into an MCAP file, each into a chunk of its own.

    A chunk goes to the operating system at once, so a killed process loses nothing that is in one;
    the disk itself is synced about once a second, so a power cut costs about that much. While the
    file is open it is locked, by which others know that its mission is running; the lock goes with
    the process, however that ends.
    """

    def __init__(self, path: Path, sync_every_s: float) -> None:
        """Create the file.

        Raises:
            EpisodeError: There is an episode already, or one is just being written.
            OSError: It cannot be written.
        """
        self._sync_every_s = sync_every_s
        # Opened without emptying it: another process may just have begun to write here.
        self._file = path.open("ab")
        try:
            self._lock(path)
        except EpisodeError:
            self._file.close()
            raise
        # A chunk ends only where this class ends it, after the last message of an event.
        self._mcap = Writer(self._file, chunk_size=_NO_LIMIT, enable_data_crcs=True)
        self._channels: dict[str, int] = {}
        self._digest = Digest()
        self._events = self._sounds = 0
        self._whole = 0
        self._synced_at = time.monotonic()
        try:
            self._mcap.start(library=f"{LIBRARY}{LIBRARY_IDENTIFIER}")
            self._register()
            self._settle()
        except OSError:
            self.abandon()
            raise

    def _lock(self, path: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            taken = os.fstat(self._file.fileno()).st_size > 0
        except BlockingIOError:
            taken = True
        except OSError:
            # A file system without locks: whoever asks for this one is refused as well.
            return
        if taken:
            raise EpisodeError(f"{path} is just being written by another mission; wait for it.")

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

    def write(self, event: Event, messages: Iterable[tuple[str, Message]]) -> None:
        """Write one event, given as its messages by topic.

        Raises:
            OSError: The disk is full or gone.
        """
        if isinstance(event, MissionStarted):
            self._mcap.add_metadata(MISSION, described(event))
        log_time = nanoseconds(event.time_s)
        written = False
        for topic, message in messages:
            if topic.startswith(CAMERA) and topic not in self._channels:
                channel = self._mcap.register_channel(topic, "json", self._image_schema)
                self._channels[topic] = channel
            if isinstance(event, Heard) and event.flac:
                message = {**message, AUDIO: self._attach(event)}
            data = json.dumps(message, allow_nan=False, separators=(",", ":")).encode()
            self._digest.add(topic, self._events, log_time, data)
            # The sequence number ties the messages of one event together.
            self._mcap.add_message(
                self._channels[topic],
                log_time=log_time,
                data=data,
                publish_time=log_time,
                sequence=self._events,
            )
            written = True
        self._events += written
        self._settle()

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
        self._digest.add(SOUNDS, self._sounds, 0, event.flac)
        return name

    def _settle(self) -> None:
        """Hand what is pending to the operating system, and now and then to the disk."""
        self._mcap.flush()  # type: ignore[no-untyped-call]
        self._whole = self._file.tell()
        now = time.monotonic()
        if now - self._synced_at >= self._sync_every_s:
            os.fsync(self._file.fileno())
            self._synced_at = now

    def finish(self) -> None:
        """Write the digest and the index, and close the file.

        Raises:
            OSError: The disk is full or gone.
        """
        self._mcap.add_metadata(DIGEST, self._digest.values())
        self._mcap.finish()  # type: ignore[no-untyped-call]
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Give the file up, cut back to its last whole event."""
        # Closing the raw file keeps the buffer above it from writing its rest a second time.
        raw = self._file.raw
        with suppress(OSError):
            raw.truncate(self._whole)
        with suppress(OSError):
            raw.close()


def described(event: MissionStarted) -> dict[str, str]:
    """Return the command and the metadata of a mission as texts, where MCAP tools look for them."""
    values = {"command": event.command, **event.metadata}
    return {
        key: value if isinstance(value, str) else json.dumps(plain(value))
        for key, value in values.items()
    }
