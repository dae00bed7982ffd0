"""A ROS 2 bag as an episode: ticks at a rate of their own, without plan or verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import agent
from agent.episode.bag_mapping import BagMapping, read_mapping
from agent.episode.writer import EpisodeWriter
from agent.errors import BosunError, EpisodeError, MissingDependency, UsageError, unknown
from agent.events import MissionStarted, SubgoalStarted, Ticked
from agent.ros.messages import (
    TYPES,
    action_of,
    image_of,
    joints_of,
    number_of,
    pose_of,
)
from agent.types import ActionChunk, Image, Observation, Subgoal

if TYPE_CHECKING:
    from rosbags.highlevel import AnyReader

DRIVEN = "driven"
"""Skill of the one subgoal run of an imported episode: somebody, or something else, drove."""

Span = tuple[int, int]
"""Times of a topic's first and last message, ns."""


def import_bag(bag: Path, mapping: Path, directory: Path) -> Path:
    """Write a bag's topics as an episode and return its file.

    A tick takes the latest message of each topic, by the times at which the bag received them. The
    first tick is when every topic has had one, the last when the cameras, the joints or the pose
    fall silent; what was sent and how far the gripper is open stand until they are told anew. No
    tick is repeated or made up, and nothing is judged: there is one subgoal run, its phrase is the
    command, and how it ended is unknown.

    Args:
        bag: Folder of a ROS 2 bag, in MCAP or SQLite.
        mapping: YAML file as `BagMapping` has it.
        directory: Folder of the new episode.

    Raises:
        UsageError: The mapping is wrong or names what is not in the bag.
        EpisodeError: The bag cannot be read, or the episode cannot be written.
        MessageError: A message does not hold what the mapping asks of it.
        MissingDependency: The package rosbags is not installed.
    """
    wanted = read_mapping(mapping)
    with _opened(bag) as reader:
        _check_topics(reader, wanted, bag)
        spans = _spans(reader, wanted)
        begin, end = _interval(wanted, spans, bag)
        command = wanted.command or _command(reader, wanted)
        with EpisodeWriter(directory) as writer:
            try:
                metadata = {
                    "bosun": agent.__version__,
                    "seed": None,
                    "action": list(wanted.action.names),
                    "rate_hz": wanted.rate_hz,
                    "imported": {"bag": bag.name, "mapping": wanted.model_dump(mode="json")},
                }
                writer.on_event(MissionStarted(0.0, command, metadata))
                subgoal = Subgoal(skill=DRIVEN, phrase=command)
                writer.on_event(SubgoalStarted(0.0, subgoal, 1))
                for tick in _ticks(reader, wanted, begin, end):
                    writer.on_event(tick)
            except BosunError:
                writer.close()
                writer.path.unlink(missing_ok=True)
                raise
    return writer.path


@contextmanager
def _opened(bag: Path) -> Iterator[AnyReader]:
    """Open a bag; what goes wrong while it is read is said in one sentence."""
    try:
        from rosbags.highlevel import AnyReader, AnyReaderError
        from rosbags.rosbag2 import ReaderError
        from rosbags.typesys import Stores, TypesysError, get_typestore
    except ImportError as error:
        raise MissingDependency(
            "ROS bags need the package rosbags; run"
            " `pip install -c constraints.txt -e '.[ros-bags]'`."
        ) from error
    try:
        # Bags of older distributions do not tell what their messages look like.
        with AnyReader([bag], default_typestore=get_typestore(Stores.LATEST)) as reader:
            yield reader
    except (AnyReaderError, ReaderError, TypesysError, OSError, ValueError) as error:
        raise EpisodeError(
            f"The bag {bag} cannot be read ({error}); give the folder of a ROS 2 bag."
        ) from error


def _check_topics(reader: AnyReader, wanted: BagMapping, bag: Path) -> None:
    """Refuse a mapping that names a topic that is not there, or is of another type.

    Raises:
        UsageError: It does.
    """
    topics = {connection.topic: connection.msgtype for connection in reader.connections}
    asked = wanted.topics
    if wanted.command_topic is not None:
        asked["command"] = wanted.command_topic
    for part, topic in asked.items():
        if topic not in topics:
            raise UsageError(f"{bag}, {part}: {unknown('topic', topic, topics)}")
        allowed = TYPES[part.split()[0]]
        if topics[topic] not in allowed:
            raise UsageError(
                f"{bag}, {part}: the topic {topic} is of type {topics[topic]}; what is needed is"
                f" {' or '.join(allowed)}."
            )


def _spans(reader: AnyReader, wanted: BagMapping) -> dict[str, Span]:
    """Return topic -> when it begins and ends, of those that every tick needs."""
    spans: dict[str, Span] = {}
    for connection, time_ns, _ in reader.messages(_connections(reader, wanted)):
        first, _ = spans.get(connection.topic, (time_ns, 0))
        spans[connection.topic] = first, time_ns
    return spans


def _interval(wanted: BagMapping, spans: Mapping[str, Span], bag: Path) -> Span:
    """Return the times of the first and the last possible tick, ns."""
    silent = [topic for topic in wanted.topics.values() if topic not in spans]
    if silent:
        raise EpisodeError(f"The bag {bag} has no message on {silent[0]}.")
    begin = max(first for first, _ in spans.values())
    seen = (*wanted.cameras.values(), wanted.joints.topic, wanted.pose)
    end = min(spans[topic][1] for topic in seen)
    if end < begin:
        raise EpisodeError(f"In the bag {bag} there is no time at which all topics are heard.")
    return begin, end


def _connections(reader: AnyReader, wanted: BagMapping) -> list[Any]:
    topics = set(wanted.topics.values())
    return [connection for connection in reader.connections if connection.topic in topics]


def _command(reader: AnyReader, wanted: BagMapping) -> str:
    """Return the first thing said on the topic of the command."""
    connections = [c for c in reader.connections if c.topic == wanted.command_topic]
    for connection, _, data in reader.messages(connections):
        message: Any = reader.deserialize(data, connection.msgtype)
        return str(message.data)
    raise EpisodeError(f"Nothing was said on {wanted.command_topic}.")


def _ticks(reader: AnyReader, wanted: BagMapping, begin: int, end: int) -> Iterator[Ticked]:
    """Yield the ticks from the first to the last time, ns."""
    latest: dict[str, Any] = {}
    decoded: dict[str, tuple[Any, Image]] = {}
    number = 0

    def due() -> int:
        return begin + round(number * 1e9 / wanted.rate_hz)

    for connection, time_ns, data in reader.messages(_connections(reader, wanted)):
        while due() < min(time_ns, end + 1):
            yield _tick(number / wanted.rate_hz, wanted, latest, decoded)
            number += 1
        latest[connection.topic] = reader.deserialize(data, connection.msgtype)
    while due() <= end:
        yield _tick(number / wanted.rate_hz, wanted, latest, decoded)
        number += 1


def _tick(
    time_s: float,
    wanted: BagMapping,
    latest: Mapping[str, Any],
    decoded: dict[str, tuple[Any, Image]],
) -> Ticked:
    """Return one tick of the latest messages; an image that stands is decoded once."""
    for topic in wanted.cameras.values():
        if topic not in decoded or decoded[topic][0] is not latest[topic]:
            decoded[topic] = latest[topic], image_of(latest[topic])
    gripper = wanted.gripper
    opening = number_of(latest[gripper.topic], gripper.joint)
    share = (opening - gripper.closed) / (gripper.open - gripper.closed)
    action = action_of(latest[wanted.action.topic], wanted.action.names)
    return Ticked(
        time_s=time_s,
        observation=Observation(
            time_s=time_s,
            images={name: decoded[topic][1] for name, topic in wanted.cameras.items()},
            joint_pos=joints_of(latest[wanted.joints.topic], wanted.joints.names),
            ee_pose=pose_of(latest[wanted.pose]),
            gripper=float(np.clip(share, 0.0, 1.0)),
        ),
        chunk=ActionChunk(action[None].astype(np.float32), 1 / wanted.rate_hz),
        action=action,
        sent=action,
    )
