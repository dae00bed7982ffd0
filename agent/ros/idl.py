"""The ROS 2 messages that Bosun speaks, as Cyclone DDS types; the names and order of ROS's own.

Cyclone DDS reads the annotations as objects, so they must not be postponed to text here. Fields
of bytes are `bytes` in Python, while the type that is announced is ROS's `sequence<uint8>`.
"""

from dataclasses import dataclass, field
from typing import Any

from cyclonedds.idl import IdlStruct
from cyclonedds.idl._machinery import BytesMachine
from cyclonedds.idl.types import float32, float64, int32, int64, sequence, uint8, uint32

from agent.ros.names import ros_type


@dataclass
class Time(IdlStruct, typename="builtin_interfaces::msg::dds_::Time_"):
    """Seconds and nanoseconds since an epoch of the sender's."""

    sec: int32 = 0
    nanosec: uint32 = 0


@dataclass
class Header(IdlStruct, typename="std_msgs::msg::dds_::Header_"):
    """When something was so, and in which frame."""

    stamp: Time = field(default_factory=Time)
    frame_id: str = ""


@dataclass
class String(IdlStruct, typename="std_msgs::msg::dds_::String_"):
    """Text."""

    data: str = ""


@dataclass
class Bool(IdlStruct, typename="std_msgs::msg::dds_::Bool_"):
    """Yes or no."""

    data: bool = False


@dataclass
class Int64(IdlStruct, typename="std_msgs::msg::dds_::Int64_"):
    """A whole number."""

    data: int64 = 0


@dataclass
class Float32(IdlStruct, typename="std_msgs::msg::dds_::Float32_"):
    """A number, to seven digits."""

    data: float32 = 0.0


@dataclass
class Float64(IdlStruct, typename="std_msgs::msg::dds_::Float64_"):
    """A number."""

    data: float64 = 0.0


@dataclass
class MultiArrayDimension(IdlStruct, typename="std_msgs::msg::dds_::MultiArrayDimension_"):
    """One axis of an array: its name, its length and the numbers from one of it to the next."""

    label: str = ""
    size: uint32 = 0
    stride: uint32 = 0


@dataclass
class MultiArrayLayout(IdlStruct, typename="std_msgs::msg::dds_::MultiArrayLayout_"):
    """The axes of an array, outermost first, and how many numbers come before it."""

    dim: sequence[MultiArrayDimension] = field(default_factory=list)
    data_offset: uint32 = 0


@dataclass
class Float64MultiArray(IdlStruct, typename="std_msgs::msg::dds_::Float64MultiArray_"):
    """Numbers."""

    layout: MultiArrayLayout = field(default_factory=MultiArrayLayout)
    data: sequence[float64] = field(default_factory=list)


@dataclass
class Image(IdlStruct, typename="sensor_msgs::msg::dds_::Image_"):
    """A picture; `step` is the bytes of a row."""

    header: Header = field(default_factory=Header)
    height: uint32 = 0
    width: uint32 = 0
    encoding: str = ""
    is_bigendian: uint8 = 0
    step: uint32 = 0
    data: sequence[uint8] = b""


@dataclass
class CompressedImage(IdlStruct, typename="sensor_msgs::msg::dds_::CompressedImage_"):
    """A picture as a file of a format, such as jpeg or png."""

    header: Header = field(default_factory=Header)
    format: str = ""
    data: sequence[uint8] = b""


@dataclass
class JointState(IdlStruct, typename="sensor_msgs::msg::dds_::JointState_"):
    """Joints by name: positions in rad or m, velocities and efforts; any of these may be empty."""

    header: Header = field(default_factory=Header)
    name: sequence[str] = field(default_factory=list)
    position: sequence[float64] = field(default_factory=list)
    velocity: sequence[float64] = field(default_factory=list)
    effort: sequence[float64] = field(default_factory=list)


@dataclass
class Point(IdlStruct, typename="geometry_msgs::msg::dds_::Point_"):
    """A place, m."""

    x: float64 = 0.0
    y: float64 = 0.0
    z: float64 = 0.0


@dataclass
class Quaternion(IdlStruct, typename="geometry_msgs::msg::dds_::Quaternion_"):
    """An orientation; scalar last, as in every ROS message."""

    x: float64 = 0.0
    y: float64 = 0.0
    z: float64 = 0.0
    w: float64 = 1.0


@dataclass
class Pose(IdlStruct, typename="geometry_msgs::msg::dds_::Pose_"):
    """A place and an orientation."""

    position: Point = field(default_factory=Point)
    orientation: Quaternion = field(default_factory=Quaternion)


@dataclass
class PoseStamped(IdlStruct, typename="geometry_msgs::msg::dds_::PoseStamped_"):
    """A pose, with its time and frame."""

    header: Header = field(default_factory=Header)
    pose: Pose = field(default_factory=Pose)


TYPES: dict[str, Any] = {
    ros_type(kind.__idl_typename__): kind
    for kind in (
        Time,
        Header,
        String,
        Bool,
        Int64,
        Float32,
        Float64,
        MultiArrayDimension,
        MultiArrayLayout,
        Float64MultiArray,
        Image,
        CompressedImage,
        JointState,
        Point,
        Quaternion,
        Pose,
        PoseStamped,
    )
}
"""ROS name of a type, such as `sensor_msgs/msg/JointState`, -> what makes its messages."""


def _read_bytes_as_bytes(kind: Any, name: str) -> None:
    """Let a field of bytes come as `bytes`.

    Cyclone makes a list of numbers of it: 7 ms for a small picture, not 0.1 ms. Its own machine
    for `bytes` reads and writes the same, and only lacks a type to announce.
    """
    machine: Any = BytesMachine
    kind.__idl__.populate()
    kind.__idl__.v1_machine.members_machines[name] = machine()


_read_bytes_as_bytes(Image, "data")
_read_bytes_as_bytes(CompressedImage, "data")
