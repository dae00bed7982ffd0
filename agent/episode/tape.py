"""An episode's file from its beginning to its end, one event at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from mcap.opcode import Opcode
from mcap.records import Channel, Message

from agent.episode.file import FILE_NAME
from agent.episode.records import (
    DAMAGED,
    MAGIC,
    Index,
    Record,
    read_index,
    read_record,
    unpacked,
)
from agent.episode.schemas import ACTION
from agent.errors import EpisodeError


class Tape:
    """Walks through a file once, yielding the raw messages of one event at a time by topic.

    What the messages name as attached stands before them in the file. Damage is leapt over where
    the index at the file's end tells how far it goes; without one it ends the tape.

    Attributes:
        path: The file.
        attached: What was attached so far, by name.
        complete: Whether the file was read to its proper end, with no damage on the way.
    """

    def __init__(self, path: Path) -> None:
        """Keep the path; nothing is read yet."""
        self.path = path
        self.attached: dict[str, bytes] = {}
        self.complete = False
        self._time_s = 0.0
        self._at_end = False
        self._index: Index | None = None
        self._gaps: list[tuple[int, int]] = []
        self._topics: dict[int, str] = {}

    def __iter__(self) -> Iterator[dict[str, bytes]]:
        """Yield the events.

        Raises:
            EpisodeError: There is no such file, or it is another kind of file.
        """
        try:
            with self.path.open("rb") as file:
                if not MAGIC.startswith(file.read(len(MAGIC))):
                    raise EpisodeError(
                        f"{self.path} is not an MCAP file; give an episode's folder or its"
                        f" {FILE_NAME}."
                    )
                yield from self._events(file)
        except OSError as error:
            raise EpisodeError(
                f"The episode {self.path} cannot be read ({error.strerror}); give the folder or"
                " the .mcap file of an episode."
            ) from error

    def _events(self, file: BinaryIO) -> Iterator[dict[str, bytes]]:
        size = os.fstat(file.fileno()).st_size
        self._index = read_index(file, size)
        self._topics = dict(self._index.topics) if self._index else {}
        offset, stop = len(MAGIC), self._index.start if self._index else size
        while offset < stop:
            record = read_record(file, offset, stop)
            parts = self._parts(record)
            if record is None or parts is None:
                following = self._after(offset, None if record is None else record.opcode)
                if following is None:
                    return
                self._gaps.append((offset, following))
                offset = following
                continue
            offset = record.end
            self._at_end = record.opcode == Opcode.DATA_END
            if self._at_end:
                break
            if parts:
                yield parts
        self.complete = self._at_end and self._index is not None and not self._gaps

    def _parts(self, record: Record | None) -> dict[str, bytes] | None:
        """Return the messages of a record by topic; None where it is damaged."""
        if record is None or record.opcode not in (Opcode.CHUNK, Opcode.ATTACHMENT):
            return {} if record is not None else None
        try:
            parsed = record.parsed()
            if record.opcode == Opcode.ATTACHMENT:
                self.attached[parsed.name] = parsed.data
                return {}
            return self._messages(item for _, item in unpacked(parsed))
        except DAMAGED:
            return None

    def _messages(self, records: Iterable[object]) -> dict[str, bytes]:
        parts = {}
        for record in records:
            if isinstance(record, Channel):
                self._topics[record.id] = record.topic
            elif isinstance(record, Message) and record.channel_id in self._topics:
                parts[self._topics[record.channel_id]] = record.data
                self._time_s = record.log_time / 1e9
        return parts

    def _after(self, offset: int, opcode: int | None) -> int | None:
        """Return where to go on after what is damaged; None where nobody knows.

        The event that names a damaged sound is right behind it, and is left out with it.
        """
        if self._index is None:
            return None
        sound = {a.offset for a in self._index.of(Opcode.ATTACHMENT_INDEX)}
        chunks = [c.chunk_start_offset for c in self._index.chunks]
        begins: list[int] = [
            at for at in sorted([*sound, *chunks, self._index.start]) if at > offset
        ]
        if offset in sound and begins[0] in chunks:
            return begins[1]
        return begins[0]

    def loss(self, ticks: int) -> str:
        """Return what is missing, in one sentence, once all was read; empty where nothing is.

        Args:
            ticks: How many ticks were read.
        """
        if self.complete:
            return ""
        lost = self._lost(self._index) if self._index else []
        if lost:
            return (
                f"{self.path} is damaged: {', '.join(lost)} cannot be read, but all else can"
                f" ({ticks} ticks)."
            )
        if self._at_end:
            return f"{self.path} is damaged, but every event can be read ({ticks} ticks)."
        return (
            f"{self.path} was cut short or damaged: it can be read up to {self._time_s:.1f} s of"
            f" the mission ({ticks} ticks), and whatever followed is lost."
        )

    def _lost(self, index: Index) -> list[str]:
        """Return which ticks, counted from 0, and which other events lie where the damage is."""
        lost, number = [], 0
        for chunk in index.chunks:
            ticked = index.holds(chunk, ACTION)
            if any(begin <= chunk.chunk_start_offset < end for begin, end in self._gaps):
                topics = (index.topics.get(c, "?") for c in chunk.message_index_offsets)
                what = f"tick {number}" if ticked else f"what {', '.join(topics)} said"
                lost.append(f"{what} at {chunk.message_start_time / 1e9:.1f} s")
            number += ticked
        return lost
