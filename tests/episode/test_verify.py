"""Whatever is changed in an episode is found, and named."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mcap.records import (
    Attachment,
    Channel,
    Chunk,
    DataEnd,
    Header,
    Message,
    Metadata,
    Schema,
)
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.writer import Writer

from agent.episode.records import read_record
from agent.episode.summary import summarise, write_summary
from agent.episode.verify import verify
from agent.episode.writer import EpisodeWriter
from agent.errors import EpisodeError
from agent.events import Event, MissionEnded, SubgoalStarted, Ticked
from tests.episode.samples import PLACE, mission

FLIPS = 400


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of an episode with every kind of record and event."""
    return write(tmp_path_factory.mktemp("whole"), sound_mission()).read_bytes()


def sound_mission() -> list[Event]:
    """Return events whose times never go back, which those of the samples do."""
    events = mission(np.random.default_rng(0), ticks=4, size=16)
    for number, event in enumerate(events):
        if isinstance(event, Ticked):
            time_s = event.time_s + 0.1
            seen = replace(event.observation, time_s=time_s)
            events[number] = replace(event, time_s=time_s, observation=seen)
    return [replace(e, time_s=0.5) if e.time_s > 0.35 else e for e in events]


def write(folder: Path, events: Iterable[Event]) -> Path:
    with EpisodeWriter(folder) as writer:
        for event in events:
            writer.on_event(event)
    return writer.path


def found(path: Path) -> list[str]:
    return [str(finding) for finding in verify(path)]


def flipped(data: bytes, bit: int) -> bytes:
    return data[: bit // 8] + bytes([data[bit // 8] ^ (1 << bit % 8)]) + data[bit // 8 + 1 :]


def records(data: bytes) -> list[tuple[str, range]]:
    """Return the name and the place of every record, the magic bytes included, in order."""
    file, offset, found = io.BytesIO(data), 8, [("magic", range(8))]
    while (record := read_record(file, offset, len(data))) is not None:
        found.append((record.name, range(offset, record.end)))
        offset = record.end
    return [*found, ("magic", range(offset, len(data)))]


def test_an_episode_as_it_was_written_is_found_whole(tmp_path: Path, whole: bytes) -> None:
    path = write(tmp_path, sound_mission())
    assert path.read_bytes() == whole, "The same events must give the same file."
    end = sound_mission()[-1]
    assert isinstance(end, MissionEnded)
    write_summary(tmp_path, summarise(end.result, None, tmp_path))
    assert found(tmp_path) == []


def test_every_flipped_bit_is_found_and_named(tmp_path: Path, whole: bytes) -> None:
    rng, path, there = np.random.default_rng(0), tmp_path / "episode.mcap", records(whole)
    one_of_each = {name: place for name, place in there}
    assert len(one_of_each) == 15
    places = [place for place in one_of_each.values() for _ in range(8)]
    places += [range(len(whole))] * (FLIPS - len(places))
    for place in places:
        bit = int(rng.integers(8 * place.start, 8 * place.stop))
        path.write_bytes(flipped(whole, bit))
        findings = found(path)
        [(name, record)] = [(n, r) for n, r in there if bit // 8 in r]
        where = f"Bit {bit % 8} of byte {bit // 8}, in the {name} from byte {record.start} on"
        assert 1 <= len(findings) <= 3, f"{where}: {findings}"
        for finding in findings:
            assert finding.startswith(f"{path}: ") and finding.endswith(".") and "\n" not in finding
        # A byte that carries no meaning, such as of the header's text, is nowhere for certain.
        known = f"byte {record.start})" in findings[0] or "no meaning" in findings[0]
        assert known, f"{where}: {findings}"


def repacked(data: bytes, edit: Callable[[str, int, bytes], bytes]) -> bytes:
    """Return a file with edited messages, and all checksums made anew.

    Args:
        data: The file.
        edit: Is given the topic, the sequence number and the content of a message, or `heard` and
            a sound.
    """
    out = io.BytesIO()
    writer = Writer(out, chunk_size=1 << 62, enable_data_crcs=True)
    topics: dict[int, str] = {}
    for record in StreamReader(io.BytesIO(data), emit_chunks=True).records:
        match record:
            case Header():
                writer.start(library=record.library)
            case Chunk():
                for part in breakup_chunk(record):
                    if isinstance(part, Schema):
                        writer.register_schema(part.name, part.encoding, part.data)
                    elif isinstance(part, Channel):
                        topics[part.id] = part.topic
                        writer.register_channel(part.topic, part.message_encoding, part.schema_id)
                    elif isinstance(part, Message):
                        content = edit(topics[part.channel_id], part.sequence, part.data)
                        writer.add_message(
                            part.channel_id,
                            part.log_time,
                            content,
                            part.publish_time,
                            part.sequence,
                        )
                writer.flush()  # type: ignore[no-untyped-call]
            case Attachment():
                content = edit("heard", 0, record.data)
                writer.add_attachment(
                    record.create_time, record.log_time, record.name, record.media_type, content
                )
            case Metadata():
                writer.add_metadata(record.name, record.metadata)
            case DataEnd():
                writer.finish()  # type: ignore[no-untyped-call]
                break
    return out.getvalue()


def test_a_file_that_is_only_written_anew_is_found_whole(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "episode.mcap"
    path.write_bytes(repacked(whole, lambda topic, sequence, content: content))
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("topic", "old", "new"),
    [
        ("/action", b'"raw":[', b'"raw":[1'),
        ("/state", b'"gripper":0', b'"gripper":1'),
        ("/event", b'"seed":7', b'"seed":8'),
        ("/plan", b"drawer is", b"drawer is not"),
        ("heard", sound_mission()[1].flac, b"fLaC"),  # type: ignore[union-attr]
    ],
)
def test_a_changed_message_is_named_though_all_checksums_were_mended(
    topic: str, old: bytes, new: bytes, tmp_path: Path, whole: bytes
) -> None:
    path = tmp_path / "episode.mcap"
    path.write_bytes(repacked(whole, lambda t, s, content: content.replace(old, new)))
    findings = found(path)
    assert any(f.startswith(f"{path}: {topic} was changed") for f in findings), findings
    assert not any("checksum" in finding for finding in findings)


@pytest.mark.parametrize(
    ("events", "told"),
    [
        (lambda e: e[1:], "is not the beginning of a mission"),
        (lambda e: [*e[:1], *e], "begins a second one"),
        (lambda e: [x for x in e if not isinstance(x, SubgoalStarted)], "lies in no subgoal"),
        (lambda e: [*e[:7], e[8], e[7], *e[9:]], "comes before what precedes it"),
        (lambda e: [*e[:6], replace(e[6], subgoal=PLACE), *e[7:]], "is about another subgoal"),
        (lambda e: [*e, e[-2]], "ends the mission before all of it is over"),
        (lambda e: [*e[:8], smaller(e[8]), *e[9:]], "/camera/wrist (tick 1, at 0.2 s"),
    ],
)
def test_events_that_make_no_mission_are_named(
    events: Callable[[list[Event]], list[Event]], told: str, tmp_path: Path
) -> None:
    """The file is as it was written; what was told to the writer was wrong."""
    findings = found(write(tmp_path, events(sound_mission())))
    assert any(told in finding for finding in findings), findings


def smaller(event: Event) -> Event:
    assert isinstance(event, Ticked)
    images = {camera: image[:8, :8] for camera, image in event.observation.images.items()}
    return replace(event, observation=replace(event.observation, images=images))


@pytest.mark.parametrize(
    ("key", "value"), [("outcome", "success"), ("replans", 0), ("subgoals", []), ("seconds", 1.0)]
)
def test_a_summary_that_says_something_else_is_named(key: str, value: Any, tmp_path: Path) -> None:
    events = sound_mission()
    end = events[-1]
    assert isinstance(end, MissionEnded)
    path = write(tmp_path, events)
    write_summary(tmp_path, {**summarise(end.result, True, tmp_path), key: value})
    assert found(path) == [f"{path}: '{key}' in summary.json is not what the mission ended with."]
    (tmp_path / "summary.json").write_text("{")
    assert "summary.json cannot be read" in found(path)[0]


def test_a_killed_mission_is_said_not_to_be_closed_and_its_flips_are_found(
    tmp_path: Path, whole: bytes
) -> None:
    path = tmp_path / "episode.mcap"
    cut = whole[: [place.stop for name, place in records(whole) if name == "message index"][-2]]
    path.write_bytes(cut)
    assert [re.sub(r"byte \d+", "byte N", f) for f in found(path)] == [
        f"{path}: the file (byte N) was never closed: its mission was killed or still runs, or it"
        " was cut later."
    ]
    path.write_bytes(whole[: [place.stop for name, place in records(whole) if name == "chunk"][-2]])
    assert len(found(path)) == 1, "A chunk whose indexes were cut off is whole."
    rng = np.random.default_rng(1)
    chunks = [place for name, place in records(cut) if name == "chunk"]
    for place in chunks[2:]:
        bit = int(rng.integers(8 * (place.start + 9), 8 * place.stop))
        path.write_bytes(flipped(cut, bit))
        assert any(f"byte {place.start})" in finding for finding in found(path)[:-1])


@pytest.mark.parametrize("content", [b"", b"MCAP", b"\x89MCAP0\r\n", bytes(range(256)) * 9])
def test_what_is_no_episode_is_said_not_to_be_one(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "episode.mcap"
    path.write_bytes(content)
    assert found(path)


def test_a_missing_episode_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EpisodeError, match=r"nowhere.*cannot be read \(No such file"):
        verify(tmp_path / "nowhere")
