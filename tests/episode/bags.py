"""ROS 2 bags made up for tests, written by rosbags' own writer."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image as PillowImage
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from agent.types import Image

STORE = get_typestore(Stores.ROS2_HUMBLE)
NAMES = ("shoulder", "elbow", "finger")
START_NS = 1_700_000_000_000_000_000

MAPPING: dict[str, Any] = {
    "rate_hz": 10,
    "cameras": {"front": "/front/image", "wrist": "/wrist/image/compressed"},
    "joints": {"topic": "/joint_states", "names": ["shoulder", "elbow"]},
    "pose": "/tool",
    "gripper": {"topic": "/joint_states", "joint": "finger", "open": 0.08},
    "action": {"topic": "/action", "names": ["dx [m]", "dy [m]"]},
    "command_topic": "/command",
}


def mapping(folder: Path, **changed: Any) -> Path:
    """Write the mapping that fits the bags, with some keys changed."""
    file = folder / "mapping.yaml"
    file.write_text(yaml.safe_dump({**MAPPING, **changed}))
    return file


def stamp(time_s: float) -> Any:
    at = STORE.types["builtin_interfaces/msg/Time"](sec=int(time_s), nanosec=0)
    return STORE.types["std_msgs/msg/Header"](stamp=at, frame_id="")


def raw(image: Image, encoding: str, padding: int = 0) -> Any:
    """Return a `sensor_msgs/Image`; `padding` is unused bytes at the end of each row."""
    height, width = image.shape[:2]
    pixels = {"rgb8": image, "bgr8": image[..., ::-1], "mono8": image[..., :1]}.get(encoding, image)
    rows = np.pad(pixels.reshape(height, -1), ((0, 0), (0, padding)))
    return STORE.types["sensor_msgs/msg/Image"](
        header=stamp(0),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=rows.shape[1],
        data=np.ascontiguousarray(rows).ravel(),
    )


def packed(image: Image, form: str) -> Any:
    """Return a `sensor_msgs/CompressedImage`."""
    buffer = io.BytesIO()
    PillowImage.fromarray(image).save(buffer, form)
    return STORE.types["sensor_msgs/msg/CompressedImage"](
        header=stamp(0), format=form, data=np.frombuffer(buffer.getvalue(), np.uint8)
    )


def joints(values: Sequence[float], names: Sequence[str] = NAMES) -> Any:
    empty = np.zeros(0)
    return STORE.types["sensor_msgs/msg/JointState"](
        header=stamp(0),
        name=list(names),
        position=np.array(values, np.float64),
        velocity=empty,
        effort=empty,
    )


def pose(x: float) -> Any:
    types = STORE.types
    return types["geometry_msgs/msg/PoseStamped"](
        header=stamp(0),
        pose=types["geometry_msgs/msg/Pose"](
            position=types["geometry_msgs/msg/Point"](x=x, y=0.2, z=0.3),
            orientation=types["geometry_msgs/msg/Quaternion"](x=0.1, y=0.2, z=0.3, w=0.9),
        ),
    )


def array(values: Sequence[float]) -> Any:
    layout = STORE.types["std_msgs/msg/MultiArrayLayout"](dim=[], data_offset=0)
    data = np.array(values, np.float64)
    return STORE.types["std_msgs/msg/Float64MultiArray"](layout=layout, data=data)


def text(words: str) -> Any:
    return STORE.types["std_msgs/msg/String"](data=words)


def number(value: float) -> Any:
    return STORE.types["std_msgs/msg/Float64"](data=value)


def write_bag(
    folder: Path, messages: Sequence[tuple[float, str, Any]], storage: StoragePlugin
) -> Path:
    """Write messages as (time in s, topic, message), in any order, to a new bag."""
    with Writer(folder, version=9, storage_plugin=storage) as writer:
        connections: dict[str, Any] = {}
        for time_s, topic, message in messages:
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE)
            at = START_NS + round(time_s * 1e9)
            writer.write(connections[topic], at, STORE.serialize_cdr(message, kind))
    return folder


def front(number: int) -> Image:
    """Return the n-th image of the front camera."""
    return np.random.default_rng(number).integers(0, 256, (12, 20, 3), np.uint8)


def usual(encoding: str = "rgb8") -> list[tuple[float, str, Any]]:
    """Return two seconds: front at 5 Hz, wrist at 4 Hz, joints at 50 Hz in another order."""
    told: list[tuple[float, str, Any]] = [(0.0, "/command", text("pick up the red block"))]
    told += [(0.2 * n, "/front/image", raw(front(n), encoding, padding=4)) for n in range(11)]
    told += [(0.25 * n, "/wrist/image/compressed", packed(front(n), "png")) for n in range(9)]
    told += [
        (
            0.02 * n,
            "/joint_states",
            joints([0.04, 2.0 + n, 1.0 + n], ("finger", "elbow", "shoulder")),
        )
        for n in range(101)
    ]
    told += [(0.01 + 0.05 * n, "/tool", pose(0.05 * n)) for n in range(40)]
    told += [(0.1, "/action", array([0.01, 0.02])), (1.05, "/action", array([0.03, 0.04]))]
    return sorted(told, key=lambda item: item[0])
