"""A robot that is reached over ROS 2: its topics, its joints and what it may be told."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from agent.action_space import ActionSpace
from agent.ros.names import HIGHEST_DOMAIN, is_topic
from agent.sections.section import Section


def _named(topic: str) -> str:
    if not is_topic(topic):
        raise ValueError(f"a topic is written like /arm/joint_states, and {topic!r} is not")
    return topic


Topic = Annotated[str, AfterValidator(_named)]
"""A topic by its full name."""


class CameraConfig(Section):
    """One camera."""

    topic: Topic
    """Where its pictures come."""
    kind: Literal["compressed", "raw"] = "compressed"
    """Whether they are `sensor_msgs/CompressedImage` (PNG or JPEG) or `sensor_msgs/Image`."""
    size: tuple[int, int]
    """Height and width in pixels; other pictures are refused."""
    max_age_s: float = Field(default=0.5, gt=0)
    """A picture older than so many s means that the camera is lost."""
    reliable: bool = False
    """Whether pictures that are lost on the way are asked for again."""


class JointsConfig(Section):
    """The arm's joints."""

    topic: Topic = "/joint_states"
    """Where their positions come, `sensor_msgs/JointState`."""
    names: tuple[str, ...] = ()
    """What they are called there, in the order in which Bosun is to see them."""
    offsets: tuple[float, ...] = ()
    """What is added to each position that arrives, rad, and taken off each that is sent, where
    the robot's zeros are not those of `tool.model` and the policy; nothing adds nothing."""
    max_age_s: float = Field(default=0.5, gt=0)
    """Positions older than so many s mean that the robot is lost."""
    reliable: bool = False
    """Whether positions that are lost on the way are asked for again."""


class FingersConfig(Section):
    """The gripper, by the joints that move it."""

    names: tuple[str, ...] = ()
    """What they are called in the joint states and in commands."""
    closed: float = 0.0
    """Where each of them is when the gripper is shut, m or rad."""
    open: float = 0.04
    """Where each of them is when it is wide open, m or rad."""

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.closed == self.open:
            raise ValueError("the gripper's joints must be elsewhere when closed than when open")
        return self


class ToolConfig(Section):
    """Where the tool is: from a topic, or from the joints by a model of the arm."""

    topic: Topic | None = None
    """Where its pose comes in the base frame, `geometry_msgs/PoseStamped`; none takes a model."""
    model: str | None = None
    """A model of the arm: `panda`, or an MJCF or URDF file whose root is the base frame and whose
    joints have the names of `joints.names`."""
    frame: str | None = None
    """The site, body or link of the file that is the tool."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.topic is None) == (self.model is None):
            raise ValueError("the tool's pose comes from a topic or from a model: set one of them")
        if (self.frame is None) == (self.model not in (None, "panda")):
            raise ValueError("frame names the tool in a model's file, and is needed just there")
        return self


class CommandConfig(Section):
    """Where commands go."""

    topic: Topic = "/joint_commands"
    """Topic of the joints' targets: the arm's in order, then the gripper's."""
    kind: Literal["joint_state", "float64_multi_array"] = "joint_state"
    """`sensor_msgs/JointState`, whose stamp says when the targets are to be reached, or
    `std_msgs/Float64MultiArray` as ros2_control's position controllers take it."""
    reliable: bool = True
    """Whether a command that is lost on the way is sent again."""


class JointLimits(Section):
    """What one joint may be told."""

    low: float
    """Smallest position, rad."""
    high: float
    """Largest position, rad."""
    velocity: float = Field(gt=0)
    """Largest speed, rad/s; targets that are further off are approached no faster."""

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self


class SimulatedConfig(Section):
    """What only a simulated robot offers; the agent itself uses the first two at most."""

    reset: Topic | None = None
    """Topic that takes the seed of a scene to be laid out, `std_msgs/Int64`; none has no seeds."""
    ready: Topic | None = None
    """Topic that repeats the seed once the scene is there, latched."""
    truth: Topic | None = None
    """Topic of what is really there, as JSON, for scoring and nothing else; none has no score."""

    @model_validator(mode="after")
    def _answers(self) -> Self:
        if (self.reset is None) != (self.ready is None):
            raise ValueError("reset and ready belong together: set both or none")
        return self


class Ros2Config(Section):
    """A robot over ROS 2."""

    transport: Literal["auto", "rclpy", "dds"] = "auto"
    """What carries messages: a sourced ROS 2, plain DDS, or the first of them that is there."""
    domain: int | None = Field(default=None, ge=0, le=HIGHEST_DOMAIN)
    """The ROS domain; none is `ROS_DOMAIN_ID`, or 0."""
    loopback: bool = False
    """Whether to stay on this machine, whatever the environment says."""
    wait_s: float = Field(default=10.0, gt=0)
    """How long to wait at the start for topics and first messages, s."""
    rate_hz: float = Field(default=10.0, gt=0)
    """Actions per second; every camera must be at least nearly as fast."""
    clock: Literal["system", "own"] = "system"
    """Whether stamps are of this machine's clock (or one in step with it), or of another one, by
    which only their growth can be judged."""
    max_jump_s: float = Field(default=0.5, gt=0)
    """How far stamps may jump ahead of the time that passed, or back, before they are not
    believed."""
    cameras: dict[str, CameraConfig] = Field(default_factory=dict)
    """Camera by the name that policy and scene know it by."""
    joints: JointsConfig = JointsConfig()
    """The arm's joints."""
    gripper: FingersConfig = FingersConfig()
    """The gripper."""
    tool: ToolConfig = ToolConfig(model="panda")
    """Where the tool is."""
    command: CommandConfig = CommandConfig()
    """Where commands go."""
    limits: dict[str, JointLimits] = Field(default_factory=dict)
    """What each joint of the arm may be told, with the zeros of its own."""
    home: tuple[float, ...] = ()
    """Where the arm's joints are at rest, rad, in the order and zeros of `joints.names`."""
    clear_z: float = 0.18
    """Height of the tool in m, base frame, above which nothing stands in its way home."""
    emergency_stop: Topic | None = "/emergency_stop"
    """Topic on which true stops the arm, `std_msgs/Bool`, and no mission begins before false is
    said there; none listens for no such thing."""
    voice_command: Topic | None = "/voice_command"
    """Topic on which commands come as text, `std_msgs/String`, for `bosun listen`."""
    prefix: Topic | None = "/bosun"
    """Under which plan, events and verdicts are published; none publishes nothing."""
    simulated: SimulatedConfig = SimulatedConfig()
    """What only a simulated robot offers."""

    def complete(self, action: ActionSpace) -> None:
        """Raise ValueError where a robot could not be sent such actions by this."""
        if not self.cameras or not self.joints.names or not self.gripper.names:
            raise ValueError("name the robot's cameras, joints.names and gripper.names")
        if len(self.joints.offsets) not in (0, len(self.joints.names)):
            raise ValueError("joints.offsets needs one number for each of joints.names, or none")
        names = (*self.joints.names, *self.gripper.names)
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"the joint {twice[0]!r} is named twice")
        unlimited = [name for name in self.joints.names if name not in self.limits]
        unknown = [name for name in self.limits if name not in self.joints.names]
        if unlimited or unknown:
            what = f"{unlimited[0]!r} has none" if unlimited else f"{unknown[0]!r} is no such joint"
            raise ValueError(f"limits are needed for each of joints.names, but {what}")
        if len(self.home) != len(self.joints.names):
            raise ValueError(f"home needs {len(self.joints.names)} joints, not {len(self.home)}")
        for name, at in zip(self.joints.names, self.home, strict=True):
            if not self.limits[name].low <= at <= self.limits[name].high:
                raise ValueError(f"home is beyond the limits of {name!r}")
        if not action.of_joints and self.tool.model is None:
            raise ValueError("moves of the tool need tool.model; or take robot.action of joints")
