"""ROS messages as Bosun's own values; what a topic may hold for each of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from agent.errors import EpisodeError, unknown
from agent.types import Image, Vector

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
JOINTS = "sensor_msgs/msg/JointState"
POSE, STAMPED_POSE = "geometry_msgs/msg/Pose", "geometry_msgs/msg/PoseStamped"
NUMBERS = ("std_msgs/msg/Float32", "std_msgs/msg/Float64")
ARRAYS = ("std_msgs/msg/Float32MultiArray", "std_msgs/msg/Float64MultiArray")
TEXT = "std_msgs/msg/String"

TYPES = {
    "camera": (IMAGE, COMPRESSED),
    "joints": (JOINTS,),
    "pose": (STAMPED_POSE, POSE),
    "gripper": (*NUMBERS, JOINTS),
    "action": (*ARRAYS, JOINTS),
    "command": (TEXT,),
}
"""What each part of an episode may come from."""

_CHANNELS = {"rgb8": 3, "bgr8": 3, "mono8": 1}
_COMPRESSIONS = ("JPEG", "PNG")


def image_of(message: Any) -> Image:
    """Return a `sensor_msgs/Image` or `CompressedImage` as (H, W, 3) uint8 RGB.

    Raises:
        EpisodeError: Its encoding is none of rgb8, bgr8, mono8, jpeg and png, or it is damaged.
    """
    if not hasattr(message, "encoding"):
        return _decompressed(bytes(message.data))
    channels = _CHANNELS.get(message.encoding)
    if channels is None:
        raise EpisodeError(unknown("image encoding", message.encoding, _CHANNELS))
    height, width, step = message.height, message.width, message.step
    if step < width * channels or len(message.data) < height * step:
        raise EpisodeError(
            f"An image of {width}x{height} {message.encoding} has {len(message.data)} bytes only."
        )
    rows = np.asarray(message.data, np.uint8)[: height * step].reshape(height, step)
    pixels = rows[:, : width * channels].reshape(height, width, channels)
    if message.encoding == "mono8":
        return np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels[..., ::-1] if message.encoding == "bgr8" else pixels)


def _decompressed(data: bytes) -> Image:
    try:
        with PillowImage.open(io.BytesIO(data), formats=_COMPRESSIONS) as image:
            return np.array(image.convert("RGB"), np.uint8)
    except OSError as error:
        raise EpisodeError("A compressed image is neither JPEG nor PNG, or damaged.") from error


def joints_of(message: Any, names: Sequence[str]) -> Vector:
    """Return (n,) positions of a `sensor_msgs/JointState`, in the order of the names.

    Raises:
        EpisodeError: It has no such joint.
    """
    positions = dict(zip(message.name, message.position, strict=False))
    strange = [name for name in names if name not in positions]
    if strange:
        raise EpisodeError(unknown("joint", strange[0], positions))
    return np.array([positions[name] for name in names], np.float64)


def pose_of(message: Any) -> Vector:
    """Return (7,) position in m and orientation wxyz of a `Pose` or `PoseStamped`."""
    pose = getattr(message, "pose", message)
    at, turned = pose.position, pose.orientation
    return np.array([at.x, at.y, at.z, turned.w, turned.x, turned.y, turned.z], np.float64)


def number_of(message: Any, joint: str | None) -> float:
    """Return the number of a `Float32` or `Float64`, or the position of a `JointState`'s joint.

    Raises:
        EpisodeError: It is a `JointState` of which no joint is named, or not that one.
    """
    if not hasattr(message, "position"):
        return float(message.data)
    if joint is None:
        raise EpisodeError(f"Name the gripper's joint, one of: {', '.join(message.name)}.")
    return float(joints_of(message, [joint])[0])


def action_of(message: Any, names: Sequence[str]) -> Vector:
    """Return (dim,) of a multi-array, or of a `JointState`'s joints.

    Raises:
        EpisodeError: It has another number of dimensions, or no such joint.
    """
    if hasattr(message, "position"):
        return joints_of(message, names)
    values = np.array(message.data, np.float64)
    if len(values) != len(names):
        raise EpisodeError(
            f"An action has {len(values)} numbers, but {len(names)} names: {', '.join(names)}."
        )
    return values
