"""The log is complete up to the moment a process is killed or a disk is full."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mcap.reader import make_reader

from agent.episode.file import EpisodeFile
from agent.episode.reader import read_episode
from agent.episode.schemas import IMAGE, MONITOR, TOPICS
from agent.episode.writer import EpisodeWriter
from agent.errors import EpisodeError
from agent.events import Heard, MissionStarted
from agent.monitor.signals import NAMES
from tests.episode.samples import mission, same, tick

REPOSITORY = Path(__file__).parents[2]

ENDLESS_WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from agent.episode.writer import EpisodeWriter
from tests.episode.samples import tick

rng = np.random.default_rng(0)
writer = EpisodeWriter(Path(sys.argv[1]))
for number in range(10_000):
    writer.on_event(tick(rng, number / 10))
    print(number, flush=True)
    time.sleep(0.1)
"""


def test_every_signal_of_the_monitor_is_in_the_schema() -> None:
    assert tuple(TOPICS[MONITOR]["properties"]["signals"]["properties"]) == NAMES


def test_standard_tools_see_topics_schemas_and_metadata(tmp_path: Path) -> None:
    events = mission(np.random.default_rng(0), ticks=3)
    with EpisodeWriter(tmp_path) as writer:
        for event in events:
            writer.on_event(event)
    with writer.path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None
        topics = {channel.topic for channel in summary.channels.values()}
        assert topics == {*TOPICS, "/camera/wrist", "/camera/front"}
        assert {c.message_encoding for c in summary.channels.values()} == {"json"}
        assert {s.encoding for s in summary.schemas.values()} == {"jsonschema"}
        images = list(reader.iter_messages("/camera/wrist"))
        assert [message.log_time for _, _, message in images] == [0, 100_000_000, 200_000_000]
        schema, _, message = images[1]
        assert schema is not None and schema.name == "foxglove.CompressedImage"
        body = json.loads(message.data)
        assert body["timestamp"] == {"sec": 0, "nsec": 100_000_000}
        assert body["format"] == "png" and body["frame_id"] == "wrist"
        sounds = list(reader.iter_attachments())
        assert [(s.name, s.media_type) for s in sounds] == [
            (f"heard/{number:04}.flac", "audio/flac") for number in (1, 2, 3)
        ]
        messages = [json.loads(m.data) for _, _, m in reader.iter_messages("/heard")]
        assert [m["audio"] for m in messages] == [s.name for s in sounds]
        assert [s.data for s in sounds] == [e.flac for e in events if isinstance(e, Heard)]
        metadata, digest = reader.iter_metadata()
        assert metadata.name == "mission" and metadata.metadata["seed"] == "7"
        assert digest.name == "sha256" and "/action" in digest.metadata
        assert set(digest.metadata) < {*topics, "heard"}


@pytest.mark.parametrize("schema", [IMAGE, *TOPICS.values()])
def test_schemas_keep_to_what_foxglove_parses(schema: dict[str, Any]) -> None:
    def check(part: dict[str, Any]) -> None:
        assert part["type"] in ("object", "array", "string", "number", "integer", "boolean")
        if part["type"] == "object":
            for inner in part["properties"].values():
                check(inner)
        if part["type"] == "array":
            assert part["items"]["type"] != "array"
            check(part["items"])

    assert schema["type"] == "object"
    check(schema)


def test_a_killed_process_leaves_all_but_its_last_second(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS_WRITER, str(tmp_path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        written = [int(process.stdout.readline()) for _ in range(25)]
    finally:
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
    last = int((rest.split() or written[-1:])[-1])
    episode = read_episode(tmp_path)
    assert not episode.complete
    assert "cut short" in episode.loss and str(tmp_path) in episode.loss
    assert last - 10 <= episode.tick_count - 1 <= last + 1
    expected = np.random.default_rng(0)
    for number, found in enumerate(episode.ticks()):
        assert np.array_equal(found.action, tick(expected, number / 10).action)


def test_what_was_told_is_in_the_file_without_waiting(tmp_path: Path) -> None:
    """A mission that hangs after an event must not keep that event in a buffer."""
    writer = EpisodeWriter(tmp_path)
    writer.on_event(MissionStarted(0.0, "wait", {}))
    deadline = time.monotonic() + 1.0
    while read_episode(tmp_path).command != "wait":
        assert time.monotonic() < deadline
    writer.close()


def test_the_disk_is_synced_about_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with EpisodeWriter(tmp_path, sync_every_s=0.05) as writer:
        for number in range(10):
            writer.on_event(tick(rng, number / 10))
            time.sleep(0.02)
        assert 2 <= len(synced) <= 6


def test_an_existing_log_is_never_overwritten(tmp_path: Path) -> None:
    EpisodeWriter(tmp_path).close()
    before = (tmp_path / "episode.mcap").read_bytes()
    with pytest.raises(EpisodeError, match="never overwritten"):
        EpisodeWriter(tmp_path)
    assert (tmp_path / "episode.mcap").read_bytes() == before


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EpisodeError, match=r"file/deep.*give a folder") as caught:
        EpisodeWriter(tmp_path / "file" / "deep")
    assert str(caught.value).count("\n") == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(EpisodeError, match="Permission denied"):
        EpisodeWriter(tmp_path)


def test_a_full_device_raises_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "episode.mcap").symlink_to("/dev/full")
    with pytest.raises(EpisodeError, match=r"the disk is full.*free some space"):
        EpisodeWriter(tmp_path)


@contextmanager
def tiny_disk(folder: Path) -> Iterator[None]:
    """Mount 300 kB at a folder, or skip where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a file system takes root")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def small_files(folder: Path) -> Iterator[None]:
    """Let no file of this process grow beyond 300 kB, wherever it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("limited", [tiny_disk, small_files])
def test_a_disk_that_fills_up_raises_once_and_keeps_the_rest(limited: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ticks = [tick(rng, number / 10, size=64) for number in range(40)]
    with limited(tmp_path):
        writer = EpisodeWriter(tmp_path)
        written = 0
        with pytest.raises(EpisodeError, match="the disk is full"):
            for event in ticks:
                writer.on_event(event)
                written += 1
        writer.on_event(ticks[0])
        writer.close()
        writer.close()
        episode = read_episode(tmp_path)
        assert not episode.complete
        # The error comes with a later tick, but no later than a second after the one it is about.
        assert 0 < written - 10 <= episode.tick_count <= written
        assert same(list(episode.ticks()), ticks[: episode.tick_count])


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path)
    writer.close()
    size = writer.path.stat().st_size
    writer.close()
    assert writer.path.stat().st_size == size
    assert read_episode(writer.path).complete


def test_a_mission_waits_when_a_second_of_ticks_is_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, write, goes_on = np.random.default_rng(0), EpisodeFile.write, threading.Event()

    def slow(file: EpisodeFile, *event: Any) -> None:
        assert goes_on.wait(10)
        write(file, *event)

    monkeypatch.setattr(EpisodeFile, "write", slow)
    ticks, told = [tick(rng, number / 10) for number in range(12)], list[int]()
    with EpisodeWriter(tmp_path) as writer:

        def tell() -> None:
            for number, event in enumerate(ticks):
                writer.on_event(event)
                told.append(number)

        mission_thread = threading.Thread(target=tell)
        mission_thread.start()
        mission_thread.join(0.3)
        assert len(told) == 10
        goes_on.set()
        mission_thread.join()
    assert same(list(read_episode(tmp_path).ticks()), ticks)


def test_what_a_robot_does_with_its_arrays_afterwards_changes_nothing(tmp_path: Path) -> None:
    event = tick(np.random.default_rng(0), 0.0)
    with EpisodeWriter(tmp_path) as writer:
        writer.on_event(event)
        arrays: list[Any] = [*event.observation.images.values(), event.action, event.chunk.actions]
        for array in arrays:
            array[...] = 0
    [found] = read_episode(tmp_path).ticks()
    assert same(found, tick(np.random.default_rng(0), 0.0))


def test_an_event_that_cannot_be_encoded_is_raised_and_ends_the_file_before_it(
    tmp_path: Path,
) -> None:
    good = tick(np.random.default_rng(0), 0.0)
    images: Any = {"front": np.zeros((4, 4, 3))}
    bad: Any = replace(good, observation=replace(good.observation, images=images))
    writer = EpisodeWriter(tmp_path)
    writer.on_event(good)
    writer.on_event(bad)
    with pytest.raises(TypeError):
        writer.close()
    writer.on_event(good)
    writer.close()
    assert same(list(read_episode(tmp_path).ticks()), [good])


def test_a_forked_process_leaves_the_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EpisodeWriter(tmp_path) as writer:
        writer.on_event(MissionStarted(0.0, "wait", {}))
        with monkeypatch.context() as forked:
            forked.setattr(os, "getpid", lambda: -1)
            writer.on_event(MissionStarted(0.0, "from the other process", {}))
            writer.close()
    assert [event.time_s for event in read_episode(tmp_path).decisions] == [0.0]
    assert read_episode(tmp_path).complete


def test_many_writers_leave_no_thread_and_no_file_open(tmp_path: Path) -> None:
    def count() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    before = count()
    for number in range(200):
        with EpisodeWriter(tmp_path / str(number)) as writer:
            writer.on_event(MissionStarted(0.0, "wait", {}))
    assert count() == before
