"""Turns events into JSON messages, and messages back into the very same events.

Floats survive exactly: JSON carries a float64 in full, and every float32 is a float64. A number
that JSON does not know (nan, inf) is written as its name. Evidence and metadata come back as JSON
has them: a tuple as a list, an array as nested lists.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage
from pydantic import BaseModel, TypeAdapter

from agent.episode.schemas import (
    ACTION,
    CAMERA,
    CHUNK,
    EVENT,
    HEARD,
    MODEL,
    MONITOR,
    PLAN,
    SCENE,
    STATE,
    SUBGOAL,
    VERDICT,
)
from agent.events import (
    Answered,
    Consulted,
    Corrected,
    Event,
    Heard,
    MissionEnded,
    MissionStarted,
    Planned,
    Replying,
    SceneEstimated,
    Stopped,
    StopWordJudged,
    Strain,
    SubgoalEnded,
    SubgoalStarted,
    Ticked,
    VerdictGiven,
)
from agent.pictures import png
from agent.timing import Timing
from agent.types import ActionChunk, Image, Observation, Scene, SceneObject

Message = dict[str, Any]

AUDIO = "audio"
"""Field of a message that names the attachment with its sound."""

_KINDS: dict[type[Any], tuple[str, str]] = {
    MissionStarted: (EVENT, "mission_started"),
    Answered: (EVENT, "answered"),
    Corrected: (EVENT, "corrected"),
    Stopped: (EVENT, "stopped"),
    StopWordJudged: (EVENT, "stop_word_judged"),
    MissionEnded: (EVENT, "mission_ended"),
    Consulted: (MODEL, "consulted"),
    Heard: (HEARD, "heard"),
    Planned: (PLAN, "planned"),
    SubgoalStarted: (SUBGOAL, "started"),
    SubgoalEnded: (SUBGOAL, "ended"),
    VerdictGiven: (VERDICT, "given"),
}
_CLASSES = {key: event for event, key in _KINDS.items()}


def nanoseconds(time_s: float) -> int:
    """Return a mission time in s as the whole nanoseconds that MCAP counts in."""
    return max(0, round(time_s * 1e9))


def encode(event: Event) -> Iterator[tuple[str, Message]]:
    """Yield the topic and the message of each part of an event; sound is not among them."""
    if isinstance(event, Ticked):
        yield from _encode_tick(event)
    elif isinstance(event, Replying):
        # What was said is in the `Consulted` that follows.
        return
    elif isinstance(event, SceneEstimated):
        objects = [plain(o) for o in event.scene.objects.values()]
        yield (
            SCENE,
            {
                "time_s": _number(event.time_s),
                "scene_time_s": _number(event.scene.time_s),
                "objects": objects,
            },
        )
    else:
        topic, kind = _KINDS[type(event)]
        message = {"kind": kind, **plain(event)}
        if isinstance(event, Heard):
            del message["flac"]
        yield topic, message


def decode(parts: Mapping[str, Message], attached: Mapping[str, bytes] | None = None) -> Event:
    """Return an event.

    Args:
        parts: Its messages by topic.
        attached: Attachments by name, with at least those that the messages name.

    Raises:
        KeyError: A part or a field is missing.
        ValueError: A field has a value that no event has.
        TypeError: A field is of another type than it was written with.
        OSError: An image is not a PNG.
    """
    if STATE in parts:
        return _decode_tick(parts)
    if SCENE in parts:
        return _decode_scene(parts[SCENE])
    [(topic, message)] = parts.items()
    values = {key: value for key, value in message.items() if key not in ("kind", AUDIO)}
    if AUDIO in message:
        values["flac"] = (attached or {})[message[AUDIO]]
    return cast(Event, _adapter(topic, message["kind"]).validate_python(values))


@cache
def _adapter(topic: str, kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(_CLASSES[topic, kind])


def plain(value: Any) -> Any:
    """Return a value in JSON's own types; what JSON cannot say is given as text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return str(value)


def _number(value: float) -> float | str:
    number = float(value)
    return number if math.isfinite(number) else str(number)


def _maybe_number(value: float | None) -> float | str | None:
    return None if value is None else _number(value)


def _numbers(array: npt.NDArray[Any] | None) -> list[float | str] | None:
    """Return an array flat and in full precision; None stays None."""
    if array is None:
        return None
    flat = np.asarray(array, np.float64).ravel()
    if np.isfinite(flat).all():
        return cast(list[float | str], flat.tolist())
    return [_number(value) for value in flat]


def _maybe_array(values: list[Any] | None, dtype: type[np.generic]) -> npt.NDArray[Any] | None:
    return None if values is None else np.array(values, dtype)


def _maybe_float(value: Any) -> float | None:
    return None if value is None else float(value)


def _encode_tick(event: Ticked) -> Iterator[tuple[str, Message]]:
    observation, chunk = event.observation, event.chunk
    stamp = divmod(nanoseconds(observation.time_s), 1_000_000_000)
    for camera, image in observation.images.items():
        yield (
            CAMERA + camera,
            {
                "timestamp": {"sec": stamp[0], "nsec": stamp[1]},
                "frame_id": camera,
                "data": base64.b64encode(png(image)).decode("ascii"),
                "format": "png",
            },
        )
    yield (
        STATE,
        {
            "time_s": _number(observation.time_s),
            "joint_pos": _numbers(observation.joint_pos),
            "ee_pose": _numbers(observation.ee_pose),
            "gripper": _number(observation.gripper),
            "cameras": list(observation.images),
        },
    )
    yield (
        CHUNK,
        {
            "actions": _numbers(chunk.actions),
            "shape": list(chunk.actions.shape),
            "dt_s": _number(chunk.dt_s),
            "spread": _numbers(chunk.spread),
            "progress": _maybe_number(chunk.progress),
            "success": _maybe_number(chunk.success),
            **({} if chunk.timing is None else {"timing": plain(chunk.timing)}),
        },
    )
    yield (
        ACTION,
        {
            "time_s": _number(event.time_s),
            "raw": _numbers(event.action),
            "sent": _numbers(event.sent),
        },
    )
    if event.strain is not None:
        yield MONITOR, plain(event.strain)


def _decode_tick(parts: Mapping[str, Message]) -> Ticked:
    state, chunk, action = parts[STATE], parts[CHUNK], parts[ACTION]
    images = {name: decode_image(parts[CAMERA + name]) for name in state["cameras"]}
    return Ticked(
        time_s=float(action["time_s"]),
        observation=Observation(
            time_s=float(state["time_s"]),
            images=images,
            joint_pos=np.array(state["joint_pos"], np.float64),
            ee_pose=np.array(state["ee_pose"], np.float64),
            gripper=float(state["gripper"]),
        ),
        chunk=ActionChunk(
            actions=np.array(chunk["actions"], np.float32).reshape(chunk["shape"]),
            dt_s=float(chunk["dt_s"]),
            spread=_maybe_array(chunk["spread"], np.float32),
            progress=_maybe_float(chunk["progress"]),
            success=_maybe_float(chunk["success"]),
            timing=_decode_timing(chunk["timing"]) if "timing" in chunk else None,
        ),
        action=np.array(action["raw"], np.float64),
        sent=_maybe_array(action["sent"], np.float64),
        strain=_decode_strain(parts[MONITOR]) if MONITOR in parts else None,
    )


def _decode_timing(message: Message) -> Timing:
    return Timing(float(message["seen_s"]), float(message["latency_s"]), bool(message["starved"]))


def _decode_strain(message: Message) -> Strain:
    return Strain(
        score=float(message["score"]),
        limit=float(message["limit"]),
        signals={name: float(value) for name, value in message["signals"].items()},
    )


def decode_image(message: Message) -> Image:
    """Return the (H, W, 3) uint8 RGB image of a camera's message; raises as `decode` does."""
    data = io.BytesIO(base64.b64decode(message["data"]))
    with PillowImage.open(data, formats=["PNG"]) as image:
        return np.array(image, np.uint8)


def _decode_scene(message: Message) -> SceneEstimated:
    objects = {}
    for values in message["objects"]:
        objects[values["name"]] = SceneObject(
            name=values["name"],
            kind=values["kind"],
            position=np.array(values["position"], np.float64),
            presence=float(values["presence"]),
            support=values["support"],
            support_confidence=float(values["support_confidence"]),
            age_s=float(values["age_s"]),
            articulation=_maybe_float(values["articulation"]),
            articulation_confidence=float(values["articulation_confidence"]),
        )
    scene = Scene(time_s=float(message["scene_time_s"]), objects=objects)
    return SceneEstimated(time_s=float(message["time_s"]), scene=scene)
