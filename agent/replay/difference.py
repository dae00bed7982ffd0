"""Where two events, or two sets of metadata, first differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np

from agent.episode.codec import encode
from agent.episode.schemas import CAMERA
from agent.events import Event, Ticked
from agent.types import Image, Observation

_LONGEST = 200
"""Characters that are shown of what differs."""
_SOFTWARE = ("bosun", "python", "machine", "packages")
_MADE_OF = ("contracts", "prompts", "policy", "calibration", "scene")
_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where a replay first differs from its episode.

    Attributes:
        tick: How many ticks came before.
        time_s: Of the mission.
        topic: Which message of the episode, such as `/action`.
        field: Which part of it, such as `sent[2]`.
        then: What the episode holds there, as JSON; empty where the replay goes on after its end.
        now: What the replay says there; empty where it ends before the episode does.
    """

    tick: int
    time_s: float
    topic: str
    field: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Change:
    """Something a mission is made with that is not as it was then.

    Attributes:
        name: Such as `packages.torch`, `policy` (its weights' hash) or `config.monitor.alpha`.
        then: What it was, as JSON.
        now: What it is.
    """

    name: str
    then: str
    now: str

    @property
    def of_software(self) -> bool:
        """Whether only the program or the machine is another one, and not what it is given."""
        return self.name.partition(".")[0] in _SOFTWARE

    def __str__(self) -> str:
        """Return it as one phrase."""
        return f"{self.name.removeprefix('config.')} was {self.then}, is {self.now}"


def changes(
    then: Mapping[str, Any], now: Mapping[str, Any], *, settings: bool = False
) -> tuple[Change, ...]:
    """Return what two missions' metadata say of the program and its parts that differs.

    Args:
        then: Of the episode.
        now: Of the replay.
        settings: Whether the configuration counts, too.
    """
    return tuple(
        Change(name, _short(old), _short(new))
        for key in (*_SOFTWARE, *_MADE_OF, *(("config",) if settings else ()))
        for name, old, new in _leaves(key, then.get(key), now.get(key))
    )


def difference(then: Event | None, now: Event | None, tick: int) -> Divergence | None:
    """Return where two events differ; one of them may be missing."""
    time_s = next(event.time_s for event in (now, then) if event is not None)
    if isinstance(then, Ticked) and isinstance(now, Ticked):
        found = _image_difference(then.observation, now.observation)
        if found is not None:
            return Divergence(tick, time_s, *found)
        then, now = _blind(then), _blind(now)
    messages = [list(encode(event)) if event else [] for event in (then, now)]
    for old, new in zip_longest(*messages, fillvalue=("", {})):
        if old[0] != new[0]:
            return Divergence(tick, time_s, old[0] or new[0], "", _short(old[1]), _short(new[1]))
        for field, first, second in _leaves("", old[1], new[1]):
            return Divergence(tick, time_s, old[0], field, _short(first), _short(second))
    return None


def sense_difference(then: Ticked, observation: Observation, tick: int) -> Divergence | None:
    """Return where what is sensed now differs from what was sensed at a tick."""
    return difference(then, replace(then, observation=observation), tick)


def _image_difference(then: Observation, now: Observation) -> tuple[str, str, str, str] | None:
    """Return the topic, the pixel, and both colours where two observations' images differ."""
    for name in dict.fromkeys([*then.images, *now.images]):
        old, new = then.images.get(name), now.images.get(name)
        if old is None or new is None or old.shape != new.shape:
            return CAMERA + name, "", _size(old), _size(new)
        if not np.array_equal(old, new):
            apart = (old != new).any(axis=2)
            row, column = (int(i) for i in np.argwhere(apart)[0])
            more = f" ({int(apart.sum())} pixels differ)"
            field = f"pixel in row {row}, column {column}"
            first, second = old[row, column].tolist(), new[row, column].tolist()
            return CAMERA + name, field + more, json.dumps(first), json.dumps(second)
    return None


def _blind(event: Ticked) -> Ticked:
    """Return a tick without its images, which are compared by their pixels."""
    return replace(event, observation=replace(event.observation, images={}))


def _size(image: Image | None) -> str:
    return "no image" if image is None else f"an image of {image.shape[1]} x {image.shape[0]}"


def _leaves(path: str, then: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the path and both values wherever two pieces of JSON differ, as deep as may be."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in {**then, **now}:
            inner = f"{path}.{key}" if path else str(key)
            yield from _leaves(inner, then.get(key, _ABSENT), now.get(key, _ABSENT))
    elif isinstance(then, list | tuple) and isinstance(now, list | tuple):
        if len(then) != len(now):
            yield path, then, now
            return
        for index, (old, new) in enumerate(zip(then, now, strict=True)):
            yield from _leaves(f"{path}[{index}]", old, new)
    elif then is _ABSENT or now is _ABSENT or then != now:
        yield path, then, now


def _short(value: Any) -> str:
    if value is _ABSENT or value == {}:
        return ""
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
