"""The records of an MCAP file where they lie, and the index at its end."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Any, BinaryIO

from mcap import records as kinds
from mcap.data_stream import ReadDataStream, RecordBuilder
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Chunk, ChunkIndex, McapRecord, Message
from mcap.stream_reader import get_chunk_data_stream
from mcap.writer import MCAP0_MAGIC
from zstandard import ZstdError

MAGIC = MCAP0_MAGIC
DAMAGED = (McapError, struct.error, ValueError, ZstdError, OverflowError, MemoryError)
"""What reading raises where a file was cut or damaged; a wrong checksum is a ValueError, and a
wrong length may be more than fits."""

_HEAD = struct.Struct("<BQ")
DATA_END_BYTES = _HEAD.size + 4
"""Bytes of the record between the data of a file and its index."""
_FOOTER_BYTES = _HEAD.size + 20
_CHECKSUM = struct.Struct("<I")
_KINDS: dict[int, Any] = {
    Opcode.HEADER: kinds.Header,
    Opcode.FOOTER: kinds.Footer,
    Opcode.SCHEMA: kinds.Schema,
    Opcode.CHANNEL: kinds.Channel,
    Opcode.CHUNK: kinds.Chunk,
    Opcode.MESSAGE_INDEX: kinds.MessageIndex,
    Opcode.CHUNK_INDEX: kinds.ChunkIndex,
    Opcode.ATTACHMENT: kinds.Attachment,
    Opcode.ATTACHMENT_INDEX: kinds.AttachmentIndex,
    Opcode.STATISTICS: kinds.Statistics,
    Opcode.METADATA: kinds.Metadata,
    Opcode.METADATA_INDEX: kinds.MetadataIndex,
    Opcode.SUMMARY_OFFSET: kinds.SummaryOffset,
    Opcode.DATA_END: kinds.DataEnd,
}


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it lies in a file.

    Attributes:
        offset: Of its first byte.
        opcode: What kind of record it is.
        body: Its bytes but for the opcode and the length before them.
    """

    offset: int
    opcode: int
    body: bytes

    @property
    def end(self) -> int:
        """Offset of the byte after it."""
        return self.offset + _HEAD.size + len(self.body)

    @property
    def name(self) -> str:
        """What kind of record it is, in words."""
        return Opcode(self.opcode).name.lower().replace("_", " ")

    def parsed(self) -> Any:
        """Return it as the library has it, which is of the type that its opcode names.

        Raises:
            DAMAGED: It is damaged; of an attachment the checksum is looked at, too.
        """
        if self.opcode == Opcode.ATTACHMENT and not self._undamaged():
            raise ValueError("its checksum is wrong")
        stream = ReadDataStream(BytesIO(self.body))
        record = _KINDS[self.opcode].read(stream)
        if stream.count != len(self.body):
            raise ValueError("a length in it is wrong")
        return record

    def _undamaged(self) -> bool:
        [found] = _CHECKSUM.unpack(self.body[-_CHECKSUM.size :])
        return bool(found == zlib.crc32(self.body[: -_CHECKSUM.size]))


def read_record(file: BinaryIO, offset: int, stop: int) -> Record | None:
    """Return the record that begins at an offset; None where none does that ends by `stop`."""
    file.seek(offset)
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    opcode, length = _HEAD.unpack(head)
    if opcode not in _KINDS or offset + _HEAD.size + length > stop:
        return None
    body = file.read(length)
    return Record(offset, opcode, body) if len(body) == length else None


def written(record: McapRecord) -> bytes:
    """Return a record as the library writes it."""
    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())  # type: ignore[no-untyped-call]


def unpacked(chunk: Chunk, *, validate: bool = True) -> list[tuple[int, McapRecord]]:
    """Return the records in a chunk, each with its offset in the unpacked chunk.

    Raises:
        DAMAGED: They are damaged.
    """
    stream, length = get_chunk_data_stream(chunk, validate_crc=validate)
    found: list[tuple[int, McapRecord]] = []
    while stream.count < length:
        at = stream.count
        opcode, size = stream.read1(), stream.read8()
        if opcode == Opcode.MESSAGE:
            found.append((at, Message.read(stream, size)))
        elif opcode not in _KINDS:
            raise ValueError("it holds what is no record")
        else:
            found.append((at, _KINDS[opcode].read(stream)))
    return found


@dataclass(frozen=True)
class Index:
    """What the end of a file that was closed tells of all of it.

    Attributes:
        start: Offset of its first byte, where the data end.
        records: Its records, in order.
    """

    start: int
    records: tuple[Record, ...]

    def of(self, opcode: int) -> Iterator[Any]:
        """Yield the records of one kind, as the library has them."""
        return (record.parsed() for record in self.records if record.opcode == opcode)

    @cached_property
    def topics(self) -> dict[int, str]:
        """Channel -> topic."""
        return {channel.id: channel.topic for channel in self.of(Opcode.CHANNEL)}

    @cached_property
    def chunks(self) -> tuple[ChunkIndex, ...]:
        """Where every chunk lies, in order; each holds one event."""
        return tuple(self.of(Opcode.CHUNK_INDEX))

    @cached_property
    def last_chunk(self) -> ChunkIndex | None:
        """Where the last chunk lies; None where there is none."""
        found = [record for record in self.records if record.opcode == Opcode.CHUNK_INDEX]
        return found[-1].parsed() if found else None

    def holds(self, chunk: ChunkIndex, topic: str) -> bool:
        """Return whether a chunk holds a message of a topic."""
        return any(self.topics.get(channel) == topic for channel in chunk.message_index_offsets)


def read_index(file: BinaryIO, size: int) -> Index | None:
    """Return the index of a file of so many bytes; None where it is missing or damaged."""
    at = size - len(MAGIC) - _FOOTER_BYTES
    footer = read_record(file, at, size) if at > len(MAGIC) else None
    if footer is None or footer.opcode != Opcode.FOOTER or file.read(len(MAGIC)) != MAGIC:
        return None
    told = footer.parsed()
    if not len(MAGIC) < told.summary_start <= footer.offset:
        return None
    file.seek(told.summary_start)
    data = file.read(footer.offset - told.summary_start)
    covered = data + _HEAD.pack(footer.opcode, len(footer.body)) + footer.body[: -_CHECKSUM.size]
    if zlib.crc32(covered) != told.summary_crc:
        return None
    records, at = [], 0
    while at + _HEAD.size <= len(data):
        opcode, length = _HEAD.unpack_from(data, at)
        body = data[at + _HEAD.size : at + _HEAD.size + length]
        records.append(Record(told.summary_start + at, opcode, body))
        at += _HEAD.size + length
    return Index(told.summary_start, tuple(records))
