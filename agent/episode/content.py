"""Whether the events of an episode make sense: each by itself, in their order, and at the end."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from agent.episode.codec import AUDIO, decode, decode_image, nanoseconds
from agent.episode.container import Contents, Logged
from agent.episode.file import MISSION, described
from agent.episode.schemas import ACTION, CAMERA, CHUNK, HEARD, MONITOR, STATE
from agent.episode.summary import SUMMARY, summarise
from agent.events import (
    Event,
    MissionEnded,
    MissionStarted,
    SubgoalEnded,
    SubgoalStarted,
    Ticked,
    VerdictGiven,
)
from agent.types import Subgoal

_FOREIGN = (KeyError, ValueError, TypeError, OSError, SyntaxError)
"""What decoding raises on what Bosun did not write; Pillow finds syntax errors in a PNG."""

_NOT_LOGGED = ("world_success", "episode", "chunks")
"""What a summary says that the events do not."""


def check_content(found: Contents) -> None:
    """Add what is wrong with the events of a file to its findings."""
    events = [(logged, _decoded(found, logged)) for logged in found.events if logged.whole]
    decoded = [(logged, event) for logged, event in events if event is not None]
    _check_times(found)
    _check_images(found, decoded)
    if found.lost or len(decoded) < len(found.events):
        # What is missing would only be told a second time by what depends on it.
        return
    _check_sequence(found)
    _check_begin(found, decoded)
    _check_nesting(found, decoded)
    _check_summary(found, decoded)


def _decoded(found: Contents, logged: Logged) -> Event | None:
    """Return an event; None where it is incomplete or makes no sense, which is then said."""
    topics, parts = ", ".join(logged.parts), {}
    for topic, message in logged.parts.items():
        try:
            parts[topic] = json.loads(message.data)
        except ValueError:
            found.say(topic, "is not JSON", event=logged)
            return None
    if {STATE, ACTION, CHUNK} & set(parts):
        cameras = parts.get(STATE, {}).get("cameras", [])
        due = {STATE, ACTION, CHUNK, *(CAMERA + name for name in cameras)}
        # What the monitor makes of a tick is there where it knows what is usual.
        there = set(parts) - {MONITOR}
        for topic in sorted(due ^ there):
            problem = "is missing" if topic in due else "is there, which the tick does not name"
            found.say(topic, problem, event=logged)
        if due != there:
            return None
    sound = parts.get(HEARD, {}).get(AUDIO)
    if sound is not None and sound not in found.attached:
        if not found.lost:
            found.say(HEARD, "names a sound that is not attached", event=logged)
        return None
    try:
        event = decode(parts, found.attached)
    except _FOREIGN as error:
        name = _undecodable(parts) or topics
        found.say(name, f"cannot be decoded ({type(error).__name__}: {error})", event=logged)
        return None
    if any(m.log_time != nanoseconds(event.time_s) for m in logged.parts.values()):
        found.say(topics, f"has another time than {event.time_s} s, which it tells", event=logged)
    return event


def _undecodable(parts: dict[str, Any]) -> str:
    """Return the topic of the picture of a tick that is none; empty where all are pictures."""
    for topic, message in parts.items():
        if not topic.startswith(CAMERA):
            continue
        try:
            decode_image(message)
        except _FOREIGN:
            return topic
    return ""


def _check_times(found: Contents) -> None:
    for before, after in pairwise(found.events):
        if after.time_s < before.time_s:
            problem = f"comes before what precedes it, at {before.time_s:.1f} s"
            found.say(", ".join(after.parts), problem, event=after)
    for logged in found.events:
        for topic, message in logged.parts.items():
            if logged.whole and message.publish_time != message.log_time:
                found.say(topic, "has two different times", event=logged)


def _check_images(found: Contents, events: list[tuple[Logged, Event]]) -> None:
    sizes: dict[str, tuple[int, ...]] = {}
    for logged, event in events:
        for camera, image in event.observation.images.items() if isinstance(event, Ticked) else ():
            size = sizes.setdefault(camera, image.shape)
            if image.shape != size:
                problem = f"is {image.shape[1]}x{image.shape[0]} px instead of {size[1]}x{size[0]}"
                found.say(CAMERA + camera, problem, event=logged)


def _check_sequence(found: Contents) -> None:
    for number, logged in enumerate(found.events):
        told = {message.sequence for message in logged.parts.values()}
        if told != {number}:
            listed = " and ".join(map(str, sorted(told)))
            problem = f"has sequence number {listed} instead of {number}"
            found.say(", ".join(logged.parts), problem, event=logged)


def _check_begin(found: Contents, events: list[tuple[Logged, Event]]) -> None:
    for number, (logged, event) in enumerate(events):
        if isinstance(event, MissionStarted) != (number == 0):
            problem = "is not the beginning of a mission" if number == 0 else "begins a second one"
            found.say(", ".join(logged.parts), problem, event=logged)
    now = described(events[0][1]) if events and isinstance(events[0][1], MissionStarted) else {}
    at, told = found.metadata.get(MISSION, (None, None))
    if told is None:
        if now:
            found.say(f"metadata {MISSION!r}", "is missing", events[0][0].offset)
        return
    differ = sorted(key for key in {*told, *now} if told.get(key) != now.get(key))
    if differ:
        problem = f"differs from what the mission began with, in {', '.join(map(repr, differ))}"
        found.say(f"metadata {MISSION!r}", problem, at)


def _check_nesting(found: Contents, events: list[tuple[Logged, Event]]) -> None:
    running: Subgoal | None = None
    for number, (logged, event) in enumerate(events):
        problem = ""
        match event:
            case SubgoalStarted():
                problem = "begins a subgoal in another one" if running else ""
                running = event.subgoal
            case Ticked():
                problem = "" if running else "lies in no subgoal"
            case VerdictGiven():
                problem = "" if event.subgoal == running else "is about another subgoal"
            case SubgoalEnded():
                problem = "" if event.result.subgoal == running else "ends another subgoal"
                running = None
            case MissionEnded():
                if running or number < len(events) - 1:
                    problem = "ends the mission before all of it is over"
        if problem:
            found.say(", ".join(logged.parts), problem, event=logged)


def _check_summary(found: Contents, events: list[tuple[Logged, Event]]) -> None:
    """Hold `summary.json`, where there is one, against the end of the mission."""
    path = found.path.with_name(SUMMARY)
    if not path.exists():
        return
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found.say(SUMMARY, f"cannot be read ({error})")
        return
    result = events[-1][1].result if events and isinstance(events[-1][1], MissionEnded) else None
    if result is None:
        found.say(SUMMARY, "is there, though the mission has no end")
        return
    now = summarise(result, None, None)
    for key in (key for key in now if key not in _NOT_LOGGED):
        if told.get(key) != now[key]:
            found.say(f"{key!r} in {SUMMARY}", "is not what the mission ended with")
