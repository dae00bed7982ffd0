"""Which topic of a ROS 2 bag is what of an episode, as a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import yaml
from pydantic import Field, ValidationError, model_validator

from agent.errors import UsageError, unknown
from agent.types import Model


class JointsTopic(Model):
    """A `sensor_msgs/JointState`; `names` are the joints to take, in the episode's order."""

    topic: str
    names: tuple[str, ...] = Field(min_length=1)


class GripperTopic(Model):
    """A `std_msgs/Float32` or `Float64`, or one joint of a `sensor_msgs/JointState`.

    `closed` and `open` are its values where the gripper is, which become 0 and 1.
    """

    topic: str
    joint: str | None = None
    closed: float = 0.0
    open: float = 1.0

    @model_validator(mode="after")
    def _has_a_way(self) -> Self:
        if self.closed == self.open:
            raise ValueError("closed and open must differ")
        return self


class ActionTopic(Model):
    """A `std_msgs/Float32MultiArray` or `Float64MultiArray`, or joints of a `JointState`.

    `names` are its dimensions, with unit; of a `JointState` they are the joints to take.
    """

    topic: str
    names: tuple[str, ...] = Field(min_length=1)


class BagMapping(Model):
    """What of a bag becomes what of an episode.

    Attributes:
        rate_hz: Ticks a second; each takes the latest message before it.
        cameras: Camera name -> topic of `sensor_msgs/Image` or `CompressedImage`.
        joints: Where the joints are, rad.
        pose: Topic of the tool's `geometry_msgs/PoseStamped` or `Pose`, m, in the base frame.
        gripper: How far it is open.
        action: What the robot was sent.
        command: What was to be done.
        command_topic: Topic of a `std_msgs/String` that says so instead; its first message counts.
    """

    rate_hz: float = Field(gt=0, le=1000)
    cameras: dict[str, str] = Field(min_length=1)
    joints: JointsTopic
    pose: str
    gripper: GripperTopic
    action: ActionTopic
    command: str | None = None
    command_topic: str | None = None

    @model_validator(mode="after")
    def _has_one_command(self) -> Self:
        if (self.command is None) == (self.command_topic is None):
            raise ValueError("give command or command_topic, and not both")
        return self

    @property
    def topics(self) -> dict[str, str]:
        """What each topic that every tick needs stands for -> its name."""
        cameras = {f"camera {name}": topic for name, topic in self.cameras.items()}
        rest = {"gripper": self.gripper.topic, "action": self.action.topic}
        return {**cameras, "joints": self.joints.topic, "pose": self.pose, **rest}


def read_mapping(file: Path) -> BagMapping:
    """Read a mapping.

    Raises:
        UsageError: It cannot be read or is no mapping; it names the file and the key.
    """
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        text = " ".join(str(error).split())
        raise UsageError(f"The mapping {file} cannot be read: {text}.") from error
    try:
        return BagMapping.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the file"
        if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
            raise UsageError(f"{file}: {unknown('key', key, BagMapping.model_fields)}") from error
        raise UsageError(f"{file}: {key}: {first['msg']}.") from error
