"""ROS messages as Bosun's own values and back; what a topic may hold for each of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from agent.errors import MessageError, unknown
from agent.pictures import jpeg, png
from agent.ros.bus import Bus
from agent.types import Image, Vector

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
JOINTS = "sensor_msgs/msg/JointState"
POSE, STAMPED_POSE = "geometry_msgs/msg/Pose", "geometry_msgs/msg/PoseStamped"
NUMBERS = ("std_msgs/msg/Float32", "std_msgs/msg/Float64")
FLOATS = "std_msgs/msg/Float64MultiArray"
ARRAYS = ("std_msgs/msg/Float32MultiArray", FLOATS)
TEXT, BOOL = "std_msgs/msg/String", "std_msgs/msg/Bool"

TYPES = {
    "camera": (IMAGE, COMPRESSED),
    "joints": (JOINTS,),
    "pose": (STAMPED_POSE, POSE),
    "gripper": (*NUMBERS, JOINTS),
    "action": (*ARRAYS, JOINTS),
    "command": (TEXT,),
}
"""What each part of an episode may come from."""

_STAMP, _HEADER = "builtin_interfaces/msg/Time", "std_msgs/msg/Header"
_LAST_S = 2**31
"""A stamp's seconds are a signed number of 32 bits."""

_CHANNELS = {"rgb8": 3, "bgr8": 3, "mono8": 1}
_COMPRESSIONS = ("JPEG", "PNG")


def image_of(message: Any) -> Image:
    """Return a `sensor_msgs/Image` or `CompressedImage` as (H, W, 3) uint8 RGB.

    Raises:
        MessageError: Its encoding is none of rgb8, bgr8, mono8, jpeg and png, or it is damaged.
    """
    if not hasattr(message, "encoding"):
        return _decompressed(bytes(message.data))
    channels = _CHANNELS.get(message.encoding)
    if channels is None:
        raise MessageError(unknown("image encoding", message.encoding, _CHANNELS))
    height, width, step = message.height, message.width, message.step
    if step < width * channels or len(message.data) < height * step:
        raise MessageError(
            f"An image of {width}x{height} {message.encoding} has {len(message.data)} bytes only."
        )
    rows = np.frombuffer(bytes(message.data), np.uint8, height * step).reshape(height, step)
    pixels = rows[:, : width * channels].reshape(height, width, channels)
    if message.encoding == "mono8":
        return np.repeat(pixels, 3, axis=2)
    return np.array(pixels[..., ::-1] if message.encoding == "bgr8" else pixels, order="C")


def _decompressed(data: bytes) -> Image:
    try:
        with PillowImage.open(io.BytesIO(data), formats=_COMPRESSIONS) as image:
            return np.array(image.convert("RGB"), np.uint8)
    except OSError as error:
        raise MessageError("A compressed image is neither JPEG nor PNG, or damaged.") from error


def joints_of(message: Any, names: Sequence[str]) -> Vector:
    """Return (n,) positions of a `sensor_msgs/JointState`, in the order of the names.

    Raises:
        MessageError: It has no such joint.
    """
    positions = dict(zip(message.name, message.position, strict=False))
    strange = [name for name in names if name not in positions]
    if strange:
        raise MessageError(unknown("joint", strange[0], positions))
    return np.array([positions[name] for name in names], np.float64)


def pose_of(message: Any) -> Vector:
    """Return (7,) position in m and orientation wxyz of a `Pose` or `PoseStamped`."""
    pose = getattr(message, "pose", message)
    at, turned = pose.position, pose.orientation
    return np.array([at.x, at.y, at.z, turned.w, turned.x, turned.y, turned.z], np.float64)


def number_of(message: Any, joint: str | None) -> float:
    """Return the number of a `Float32` or `Float64`, or the position of a `JointState`'s joint.

    Raises:
        MessageError: It is a `JointState` of which no joint is named, or not that one.
    """
    if not hasattr(message, "position"):
        return float(message.data)
    if joint is None:
        raise MessageError(f"Name the gripper's joint, one of: {', '.join(message.name)}.")
    return float(joints_of(message, [joint])[0])


def action_of(message: Any, names: Sequence[str]) -> Vector:
    """Return (dim,) of a multi-array, or of a `JointState`'s joints.

    Raises:
        MessageError: It has another number of dimensions, or no such joint.
    """
    if hasattr(message, "position"):
        return joints_of(message, names)
    values = np.array(message.data, np.float64)
    if len(values) != len(names):
        raise MessageError(
            f"An action has {len(values)} numbers, but {len(names)} names: {', '.join(names)}."
        )
    return values


def seconds_of(stamp: Any) -> float:
    """Return a `Time` in s."""
    return float(stamp.sec + stamp.nanosec * 1e-9)


def stamp(bus: Bus, time_s: float) -> Any:
    """Return seconds as a `Time`.

    Raises:
        MessageError: They are negative, no number, or more than a stamp can hold.
    """
    if not 0.0 <= time_s < _LAST_S:
        raise MessageError(f"A time stamp is 0..{_LAST_S} s, and {time_s:g} s is not.")
    # In one product with 1e9, a time of day would lose its last hundred nanoseconds.
    sec = int(time_s)
    nanosec = min(round((time_s - sec) * 1e9), 10**9 - 1)
    return bus.message(_STAMP)(sec=sec, nanosec=nanosec)


def compressed_image(bus: Bus, image: Image, time_s: float, quality: int | None = None) -> Any:
    """Return (H, W, 3) uint8 RGB as a `CompressedImage`: as it is in PNG, or as JPEG.

    Args:
        bus: Makes the message.
        image: The picture.
        time_s: When it was taken, s.
        quality: Of the JPEG, 1..95; None makes a PNG.
    """
    return bus.message(COMPRESSED)(
        header=_header(bus, time_s),
        format="png" if quality is None else "jpeg",
        data=png(image) if quality is None else jpeg(image, quality),
    )


def raw_image(bus: Bus, image: Image, time_s: float) -> Any:
    """Return (H, W, 3) uint8 RGB, taken at a time in s, as an `Image`."""
    height, width, channels = image.shape
    return bus.message(IMAGE)(
        header=_header(bus, time_s),
        height=height,
        width=width,
        encoding="rgb8",
        step=width * channels,
        data=image.tobytes(),
    )


def joint_state(
    bus: Bus,
    time_s: float,
    names: Sequence[str],
    positions: Vector,
    velocities: Vector | None = None,
) -> Any:
    """Return joints as a `JointState`.

    Args:
        bus: Makes the message.
        time_s: When they were so, s.
        names: Of the n joints.
        positions: (n,) rad or m.
        velocities: (n,) rad/s or m/s, where they are known.

    Raises:
        MessageError: There are more or fewer numbers than names.
    """
    told = [positions] if velocities is None else [positions, velocities]
    if any(len(numbers) != len(names) for numbers in told):
        raise MessageError(f"There must be one number for each of the joints {', '.join(names)}.")
    return bus.message(JOINTS)(
        header=_header(bus, time_s),
        name=list(names),
        position=positions.tolist(),
        velocity=[] if velocities is None else velocities.tolist(),
    )


def numbers(bus: Bus, values: Vector) -> Any:
    """Return (n,) numbers as a `Float64MultiArray`, as controllers of ROS 2 take commands."""
    return bus.message(FLOATS)(data=values.tolist())


def text(bus: Bus, words: str) -> Any:
    """Return text as a `String`; what UTF-8 cannot hold becomes a question mark."""
    return bus.message(TEXT)(data=words.encode("utf-8", "replace").decode("utf-8"))


def _header(bus: Bus, time_s: float) -> Any:
    return bus.message(_HEADER)(stamp=stamp(bus, time_s))
