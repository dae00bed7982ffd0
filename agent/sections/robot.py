"""The robot, and what goes wrong in a simulated one on purpose."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from agent.action_space import ActionSpace
from agent.sections.ros2 import Ros2Config
from agent.sections.section import Section


class DisturbanceConfig(Section):
    """What the simulated world does to the robot on purpose."""

    drop_per_s: float = Field(default=0.0, ge=0, le=1)
    """Probability per second of carrying that the gripper opens by itself, 0..1."""
    shift_cm: float = Field(default=0.0, ge=0)
    """Largest distance in cm by which a block is displaced just after it is let go."""
    nudge_per_s: float = Field(default=0.0, ge=0, le=1)
    """Probability per second that a block on the table is pushed by a few cm, 0..1."""
    jam: float = Field(default=0.0, ge=0, le=1)
    """Probability that the drawer is jammed where it is for the whole mission, 0..1."""
    blank_s: float | None = Field(default=None, ge=0)
    """Second of the mission at which cameras begin to show nothing; none is never."""
    frozen_s: float | None = Field(default=None, ge=0)
    """Second of the mission at which cameras begin to repeat one picture; none is never."""
    camera: Literal["front", "wrist"] | None = None
    """Which camera goes blank or freezes; none means both."""
    delay_ticks: int = Field(default=0, ge=0, le=20)
    """How many ticks old the pictures are that the agent gets."""


class RobotConfig(Section):
    """The robot and its world."""

    kind: Literal["tabletop", "fetch", "ros2"] = "tabletop"
    """Which robot: `tabletop` is a Franka Panda at a table, `fetch` a Fetch with one block, both
    simulated in MuJoCo; `ros2` is one that is reached over ROS 2."""
    action: ActionSpace | None = None
    """What the arm is sent: moves of its tool (`delta_ee`, or `delta_ee_position`, which cannot
    turn it), `joint_position` or `delta_joint`. None means the first of them that the robot takes:
    a Fetch takes `delta_ee_position` alone, the others take all."""
    realtime: bool = False
    """Whether the tabletop's world goes on by the clock on the wall, also while the agent thinks;
    else it waits."""
    disturbances: DisturbanceConfig = DisturbanceConfig()
    """What goes wrong on purpose; only a simulated robot has any."""
    ros2: Ros2Config = Ros2Config()
    """How a robot over ROS 2 is reached."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.kind == "ros2":
            self.ros2.complete(self.action or ActionSpace.DELTA_EE)
        return self
