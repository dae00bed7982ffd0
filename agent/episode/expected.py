"""The index that an episode must end with, made from what lies before it."""

from __future__ import annotations

import struct
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from mcap.opcode import Opcode
from mcap.records import (
    Attachment,
    AttachmentIndex,
    Channel,
    Chunk,
    ChunkIndex,
    Footer,
    McapRecord,
    Message,
    MessageIndex,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)

from agent.episode.records import Record, written

_GROUPS = (
    Opcode.SCHEMA,
    Opcode.CHANNEL,
    Opcode.STATISTICS,
    Opcode.CHUNK_INDEX,
    Opcode.ATTACHMENT_INDEX,
    Opcode.METADATA_INDEX,
)
"""What the index holds, in the order in which the library writes it."""
_FOOTER_HEAD = struct.Struct("<BQQQ")


class ExpectedIndex:
    """Takes the records of a file, one after another, and tells what its index must say.

    Attributes:
        topics: Channel -> topic, of all channels so far.
    """

    def __init__(self) -> None:
        """Begin with an empty file."""
        self.topics: dict[int, str] = {}
        self._groups: dict[int, list[McapRecord]] = {opcode: [] for opcode in _GROUPS}
        self._counts: dict[int, int] = defaultdict(int)
        self._times: list[int] = []

    def take_chunk(
        self, record: Record, chunk: Chunk, items: Sequence[tuple[int, McapRecord]]
    ) -> list[bytes]:
        """Take a chunk with its records, each with its offset in it.

        Returns:
            The message indexes that must follow it.
        """
        indexes: dict[int, MessageIndex] = {}
        for at, item in items:
            if isinstance(item, Schema):
                self._groups[Opcode.SCHEMA].append(item)
            elif isinstance(item, Channel):
                self._groups[Opcode.CHANNEL].append(item)
                self.topics[item.id] = item.topic
            elif isinstance(item, Message):
                index = indexes.setdefault(item.channel_id, MessageIndex(item.channel_id, []))
                index.records.append((item.log_time, at))
                self._counts[item.channel_id] += 1
                self._times.append(item.log_time)
        found = [written(index) for index in indexes.values()]
        offsets, at = {}, record.end
        for channel, data in zip(indexes, found, strict=True):
            offsets[channel] = at
            at += len(data)
        self._groups[Opcode.CHUNK_INDEX].append(
            ChunkIndex(
                message_start_time=chunk.message_start_time,
                message_end_time=chunk.message_end_time,
                chunk_start_offset=record.offset,
                chunk_length=record.end - record.offset,
                message_index_offsets=offsets,
                message_index_length=at - record.end,
                compression=chunk.compression,
                compressed_size=len(chunk.data),
                uncompressed_size=chunk.uncompressed_size,
            )
        )
        return found

    def take_attachment(self, record: Record, attachment: Attachment) -> None:
        """Take an attachment."""
        self._groups[Opcode.ATTACHMENT_INDEX].append(
            AttachmentIndex(
                offset=record.offset,
                length=record.end - record.offset,
                log_time=attachment.log_time,
                create_time=attachment.create_time,
                data_size=len(attachment.data),
                name=attachment.name,
                media_type=attachment.media_type,
            )
        )

    def take_metadata(self, record: Record, name: str) -> None:
        """Take metadata of a name."""
        index = MetadataIndex(record.offset, record.end - record.offset, name)
        self._groups[Opcode.METADATA_INDEX].append(index)

    def records(self, start: int) -> list[bytes]:
        """Return every record of an index that begins at this offset, and the footer behind it."""
        self._groups[Opcode.STATISTICS] = [self._statistics()]
        found: list[bytes] = []
        offsets: list[bytes] = []
        for opcode in _GROUPS:
            begin = start + _length(found)
            group = [written(record) for record in self._groups[opcode]]
            offsets.append(written(SummaryOffset(opcode, begin, _length(group))))
            found += group
        at = start + _length(found)
        summary = b"".join([*found, *offsets])
        head = _FOOTER_HEAD.pack(Opcode.FOOTER, 20, start, at)
        footer = Footer(start, at, zlib.crc32(head, zlib.crc32(summary)))
        return [*found, *offsets, written(footer)]

    def _statistics(self) -> Statistics:
        groups = self._groups
        return Statistics(
            message_count=len(self._times),
            schema_count=len(groups[Opcode.SCHEMA]),
            channel_count=len(groups[Opcode.CHANNEL]),
            attachment_count=len(groups[Opcode.ATTACHMENT_INDEX]),
            metadata_count=len(groups[Opcode.METADATA_INDEX]),
            chunk_count=len(groups[Opcode.CHUNK_INDEX]),
            message_start_time=min(self._times, default=0),
            message_end_time=max(self._times, default=0),
            channel_message_counts=self._counts,
        )


def _length(records: Iterable[bytes]) -> int:
    return sum(map(len, records))
