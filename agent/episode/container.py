"""Whether the MCAP file of an episode is whole: every record, checksum and index in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from zlib import crc32

from mcap.opcode import Opcode
from mcap.records import Chunk, Message
from zstandard import frame_content_size

from agent.episode.digest import DIGEST
from agent.episode.expected import ExpectedIndex
from agent.episode.file import LIBRARY, MISSION
from agent.episode.finding import Finding
from agent.episode.records import (
    DAMAGED,
    DATA_END_BYTES,
    MAGIC,
    Index,
    Record,
    read_index,
    read_record,
    unpacked,
)
from agent.episode.schemas import ACTION


@dataclass(slots=True)
class Logged:
    """One event as it lies in a file.

    Attributes:
        offset: Of its chunk.
        tick: How many ticks come before it; None where it is no tick itself.
        time_s: Time of the mission, s.
        parts: Its messages by topic.
        whole: Whether the checksum of its chunk is right.
    """

    offset: int
    tick: int | None
    time_s: float
    parts: dict[str, Message]
    whole: bool


@dataclass(slots=True)
class Contents:
    """What a walk through a file found.

    Attributes:
        path: The file.
        data: All of it.
        findings: What is wrong with its records, but for the checksums of chunks.
        events: Every event that could be unpacked, in order.
        chunks: Every chunk record that could be unpacked, in order.
        attached: Sounds by name.
        metadata: Metadata by name, and the offset of their record.
        index: What the index of the file must be.
        start: Where its index begins; None where it has none.
        checksum: Of all before the index, as the file tells; None where it does not.
        lost: Whether there is something in it that could not be unpacked.
    """

    path: Path
    data: bytes
    findings: list[Finding] = field(default_factory=list)
    events: list[Logged] = field(default_factory=list)
    chunks: list[Record] = field(default_factory=list)
    attached: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    index: ExpectedIndex = field(default_factory=ExpectedIndex)
    start: int | None = None
    checksum: int | None = None
    lost: bool = False

    @property
    def checksum_now(self) -> int | None:
        """The checksum of all before the index; None where that has no end."""
        return None if self.start is None else crc32(self.data[: self.start - DATA_END_BYTES])

    def say(
        self, what: str, problem: str, offset: int | None = None, event: Logged | None = None
    ) -> None:
        """Add a finding, about a record at an offset or an event."""
        time_s, tick = (event.time_s, event.tick) if event else (None, None)
        at = event.offset if event and offset is None else offset
        self.findings.append(Finding(self.path, what, problem, time_s, tick, at))


def walked(path: Path) -> Contents:
    """Look at every record before the index of a file.

    Raises:
        OSError: The file cannot be read.
    """
    found = Contents(path, path.read_bytes())
    _Walk(found).run()
    return found


class _Walk:
    def __init__(self, found: Contents) -> None:
        self._found = found
        self._file = BytesIO(found.data)
        self._index = read_index(self._file, len(found.data))
        self._topics = dict(self._index.topics) if self._index else {}
        self._known = _known(self._index) if self._index else {}
        self._due: list[bytes] = []
        self._ticks = 0

    def run(self) -> None:
        found, index = self._found, self._index
        if not found.data.startswith(MAGIC):
            found.say("the magic bytes at its beginning", "are not those of MCAP", 0)
        offset, stop = len(MAGIC), index.start if index else len(found.data)
        found.start = index.start if index else None
        while offset < stop:
            record = read_record(self._file, offset, stop)
            try:
                if record is None:
                    raise ValueError("its kind or its length is wrong")
                self._look_at(record)
                offset = record.end
                if record.opcode == Opcode.DATA_END:
                    found.start = offset
                    break
            except DAMAGED as error:
                self._lose(offset, str(error) or "it is cut", record)
                offset = self._following(offset, record)
        # A file that was cut may well end between a chunk and its indexes.
        if self._due and found.start is not None and not found.lost:
            found.say("message index", "is missing behind the last chunk", offset)

    def _following(self, offset: int, record: Record | None) -> int:
        """Return where to go on after what is damaged."""
        after = [at for at in self._known if at > offset]
        if after or record is None:
            return min(after, default=len(self._found.data))
        return record.end

    def _lose(self, offset: int, why: str, record: Record | None) -> None:
        """Say what cannot be unpacked; the index may know what it is."""
        found = self._found
        found.lost, self._due = True, []
        name, event = self._known.get(offset, ("a record" if record is None else record.name, None))
        found.say(name, f"cannot be read: {why}", offset, event)
        if event is not None:
            self._ticks += event.tick is not None

    def _look_at(self, record: Record) -> None:
        """Check one record of the data.

        Raises:
            DAMAGED: It cannot be read.
        """
        found = self._found
        if self._due and record.opcode != Opcode.MESSAGE_INDEX:
            found.say("message index", "is missing", record.offset)
            self._due = []
        match record.opcode:
            case Opcode.HEADER:
                self._look_at_header(record)
            case Opcode.CHUNK:
                self._look_at_chunk(record, record.parsed())
            case Opcode.MESSAGE_INDEX:
                self._look_at_message_index(record)
            case Opcode.ATTACHMENT:
                attachment = record.parsed()
                found.attached[attachment.name] = attachment.data
                found.index.take_attachment(record, attachment)
            case Opcode.METADATA:
                metadata = record.parsed()
                if metadata.name not in (MISSION, DIGEST):
                    found.say(f"metadata {metadata.name!r}", "has no place here", record.offset)
                found.metadata[metadata.name] = (record.offset, metadata.metadata)
                found.index.take_metadata(record, metadata.name)
            case Opcode.DATA_END:
                found.checksum = record.parsed().data_section_crc
            case _:
                found.say(record.name, "has no place here", record.offset)

    def _look_at_header(self, record: Record) -> None:
        header = record.parsed()
        if record.offset != len(MAGIC):
            self._found.say("header", "has no place here", record.offset)
        if not header.library.startswith(LIBRARY) or header.profile:
            problem = f"says that {header.library!r} wrote it with profile {header.profile!r}"
            self._found.say("header", problem, record.offset)

    def _look_at_chunk(self, record: Record, chunk: Chunk) -> None:
        found = self._found
        try:
            items, whole = unpacked(chunk), True
        except ValueError:
            items, whole = unpacked(chunk, validate=False), False
        self._due = found.index.take_chunk(record, chunk, items)
        indexes = b"".join(self._due)
        behind = record.end + len(indexes)
        others = found.data[behind : behind + 1] == bytes([Opcode.MESSAGE_INDEX])
        if not whole and (others or not found.data.startswith(indexes, record.end)):
            raise ValueError("its checksum is wrong")
        if self._index is None:
            self._topics.update(found.index.topics)
        messages = [item for _, item in items if isinstance(item, Message)]
        parts = {self._topics.get(m.channel_id, "?"): m for m in messages}
        tick = self._ticks if ACTION in parts else None
        self._ticks += tick is not None
        times = [m.log_time for m in messages] or [0]
        event = Logged(record.offset, tick, times[0] / 1e9, parts, whole)
        found.events.append(event)
        found.chunks.append(record)
        told = (chunk.message_start_time, chunk.message_end_time)
        if whole and told != (min(times), max(times)):
            found.say(f"the chunk of {', '.join(parts)}", "tells other times", event=event)
        if chunk.uncompressed_size != frame_content_size(chunk.data):
            found.say(f"the chunk of {', '.join(parts)}", "tells another size", event=event)

    def _look_at_message_index(self, record: Record) -> None:
        expected = self._due.pop(0) if self._due else b""
        if self._found.data[record.offset : record.end] == expected or self._found.lost:
            return
        event = self._found.events[-1] if self._found.events else None
        told = record.parsed().channel_id
        what = f"message index of {self._topics.get(told, f'channel {told}, which there is not,')}"
        self._found.say(what, "does not point to the messages of its chunk", record.offset, event)


def _known(index: Index) -> dict[int, tuple[str, Logged | None]]:
    """Return what the index of a file knows of its records: offset -> what it is, and its event."""
    known: dict[int, tuple[str, Logged | None]] = {}
    ticks = 0
    for chunk in index.chunks:
        topics = [index.topics.get(channel, "?") for channel in chunk.message_index_offsets]
        tick = ticks if ACTION in topics else None
        ticks += tick is not None
        at, time_s = chunk.chunk_start_offset, chunk.message_start_time / 1e9
        known[at] = (", ".join(topics), Logged(at, tick, time_s, {}, whole=False))
        for topic, at in zip(topics, chunk.message_index_offsets.values(), strict=True):
            known[at] = (f"message index of {topic}", None)
    known[index.start - DATA_END_BYTES] = ("data end", None)
    known |= {a.offset: (f"sound {a.name}", None) for a in index.of(Opcode.ATTACHMENT_INDEX)}
    known |= {m.offset: (f"metadata {m.name!r}", None) for m in index.of(Opcode.METADATA_INDEX)}
    return known
