"""Reads an episode back as the events it was written from, also when its end is missing."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

from mcap.data_stream import RecordBuilder
from mcap.exceptions import McapError
from mcap.records import Attachment, Channel, Chunk, McapRecord
from mcap.records import Message as Record
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.writer import MCAP0_MAGIC
from zstandard import ZstdError

from agent.episode.codec import Message, decode
from agent.episode.schemas import ACTION
from agent.episode.writer import FILE_NAME
from agent.errors import EpisodeError
from agent.events import (
    Consulted,
    Event,
    Heard,
    MissionEnded,
    MissionStarted,
    Planned,
    SceneEstimated,
    SubgoalEnded,
    Ticked,
    VerdictGiven,
)
from agent.types import MissionOutcome, MissionResult, Scene, SubgoalResult

_CUT = (McapError, struct.error, ValueError, ZstdError, OverflowError, MemoryError)
"""What reading raises where a file was cut or damaged; a wrong checksum is a ValueError, and a
wrong length may be more than fits."""
_CHECKSUM = 4
"""Bytes at the end of an attachment's record; the library does not look at them."""
_FOREIGN = (KeyError, ValueError, TypeError, OSError)
"""What decoding raises on a whole message that Bosun did not write."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One mission as it was logged. Ticks are read from the file each time they are asked for.

    Attributes:
        path: The MCAP file.
        complete: Whether the file was closed properly.
        loss: What is missing, in one sentence; empty when the file is complete.
        tick_count: How many ticks the file holds.
        decisions: Every event but the ticks, in order.
    """

    path: Path
    complete: bool
    loss: str
    tick_count: int
    decisions: tuple[Event, ...]

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Versions, config, seeds and hashes; empty when the file ends before them."""
        return next((e.metadata for e in self.decisions if isinstance(e, MissionStarted)), {})

    @property
    def command(self) -> str:
        """What the human said; empty when the file ends before it."""
        return next((e.command for e in self.decisions if isinstance(e, MissionStarted)), "")

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """Every scene estimated at a decision point."""
        return tuple(e.scene for e in self.decisions if isinstance(e, SceneEstimated))

    @property
    def plans(self) -> tuple[Planned, ...]:
        """Every answer of the planner, rejected ones included."""
        return tuple(e for e in self.decisions if isinstance(e, Planned))

    @property
    def consulted(self) -> tuple[Consulted, ...]:
        """Everything a language model was asked, and what it answered."""
        return tuple(e for e in self.decisions if isinstance(e, Consulted))

    @property
    def heard(self) -> tuple[Heard, ...]:
        """Every utterance, with its sound; those that led to the mission come first."""
        return tuple(e for e in self.decisions if isinstance(e, Heard))

    @property
    def verdicts(self) -> tuple[VerdictGiven, ...]:
        """Every verdict of the monitor, with its subgoal."""
        return tuple(e for e in self.decisions if isinstance(e, VerdictGiven))

    @property
    def results(self) -> tuple[SubgoalResult, ...]:
        """What came of every subgoal run."""
        return tuple(e.result for e in self.decisions if isinstance(e, SubgoalEnded))

    @property
    def result(self) -> MissionResult | None:
        """What came of the mission; None when the file ends before that."""
        ended = [e.result for e in self.decisions if isinstance(e, MissionEnded)]
        return ended[-1] if ended else None

    @property
    def outcome(self) -> MissionOutcome | None:
        """How the mission ended; None when the file ends before that."""
        return self.result.outcome if self.result else None

    def events(self) -> Iterator[Event]:
        """Yield everything that happened, in order."""
        tape = _Tape(self.path)
        for parts in tape:
            yield _decoded(parts, tape)

    def messages(self) -> Iterator[Mapping[str, Message]]:
        """Yield the messages of each event by topic, in order, as they are in the file."""
        tape = _Tape(self.path)
        for parts in tape:
            yield _parsed(parts, tape)

    def ticks(self) -> Iterator[Ticked]:
        """Yield the ticks, in order: observation, chunk, action and what was sent."""
        tape = _Tape(self.path)
        for parts in tape:
            if ACTION in parts:
                event = _decoded(parts, tape)
                if isinstance(event, Ticked):
                    yield event


def read_episode(path: Path) -> Episode:
    """Read an episode, as far as it goes.

    Args:
        path: The MCAP file, or the folder it lies in.

    Raises:
        EpisodeError: There is no such file, or Bosun did not write it.
    """
    file = path / FILE_NAME if path.is_dir() else path
    tape = _Tape(file)
    decisions: list[Event] = []
    ticks, last_s = 0, 0.0
    for parts in tape:
        if ACTION in parts:
            ticks += 1
        else:
            decisions.append(_decoded(parts, tape))
        last_s = tape.time_s
    loss = (
        ""
        if tape.complete
        else (
            f"{file} was cut short or damaged: it can be read up to {last_s:.1f} s of the mission"
            f" ({ticks} ticks), and whatever followed is lost."
        )
    )
    return Episode(file, tape.complete, loss, ticks, tuple(decisions))


def _decoded(parts: Mapping[str, bytes], tape: _Tape) -> Event:
    try:
        return decode(_parsed(parts, tape), tape.attached)
    except _FOREIGN as error:
        raise foreign(tape.path, parts) from error


def _parsed(parts: Mapping[str, bytes], tape: _Tape) -> dict[str, Message]:
    try:
        return {topic: json.loads(data) for topic, data in parts.items()}
    except ValueError as error:
        raise foreign(tape.path, parts) from error


def foreign(path: Path, parts: Iterable[str]) -> EpisodeError:
    """Return the error for messages, by their topics, that are not as this version writes them."""
    return EpisodeError(
        f"{path} holds a message that this version of Bosun did not write"
        f" (topics {', '.join(parts)}); give an episode of this version."
    )


class _Tape:
    """Walks through a file once, yielding the raw messages of one event at a time by topic.

    What the messages name as attached stands before them in the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.attached: dict[str, bytes] = {}
        self.complete = False
        self.time_s = 0.0

    def __iter__(self) -> Iterator[dict[str, bytes]]:
        for _, group in groupby(self._messages(), key=lambda item: item[1].sequence):
            parts = {}
            for topic, message in group:
                parts[topic] = message.data
                self.time_s = message.log_time / 1e9
            yield parts

    def _messages(self) -> Iterator[tuple[str, Record]]:
        topics: dict[int, str] = {}
        for record in self._records():
            if isinstance(record, Channel):
                topics[record.id] = record.topic
            elif isinstance(record, Attachment):
                self.attached[record.name] = record.data
            elif isinstance(record, Record) and record.channel_id in topics:
                yield topics[record.channel_id], record

    def _records(self) -> Iterator[McapRecord]:
        """Yield every whole record; a record that was cut or damaged ends the tape."""
        try:
            with self.path.open("rb") as file:
                if not MCAP0_MAGIC.startswith(file.read(len(MCAP0_MAGIC))):
                    raise EpisodeError(
                        f"{self.path} is not an MCAP file; give an episode's folder or its"
                        f" {FILE_NAME}."
                    )
                file.seek(0)
                for record in StreamReader(file, emit_chunks=True).records:
                    if isinstance(record, Chunk):
                        yield from breakup_chunk(record, validate_crc=True)
                    elif isinstance(record, Attachment) and not _undamaged(record, file):
                        return
                    else:
                        yield record
                self.complete = True
        except _CUT:
            return
        except OSError as error:
            raise EpisodeError(
                f"The episode {self.path} cannot be read ({error.strerror}); give the folder or"
                " the .mcap file of an episode."
            ) from error


def _undamaged(attachment: Attachment, file: BinaryIO) -> bool:
    """Return whether an attachment that was just read has the checksum that ends its record."""
    file.seek(-_CHECKSUM, os.SEEK_CUR)
    found = file.read(_CHECKSUM)
    again = RecordBuilder()
    attachment.write(again)
    record: bytes = again.end()  # type: ignore[no-untyped-call]
    return record[-_CHECKSUM:] == found
