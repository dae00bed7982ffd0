"""What a model expects to be shown and told, and what its numbers mean, as a YAML file says it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from agent.action_space import ActionSpace
from agent.types import Model

Side = Literal["none", "horizontal", "vertical", "both"]


class Part(StrEnum):
    """One part of a robot's state; lengths in m, angles in rad, orientation in the base frame."""

    EE_POSITION = "ee_position"
    EE_QUATERNION_WXYZ = "ee_quaternion_wxyz"
    EE_QUATERNION_XYZW = "ee_quaternion_xyzw"
    EE_ROTATION_VECTOR = "ee_rotation_vector"
    EE_EULER_XYZ = "ee_euler_xyz"
    JOINTS = "joints"
    GRIPPER = "gripper"


class Gripper(Model):
    """The model's own numbers for a gripper that is closed and one that is open."""

    closed: float = 0.0
    open: float = 1.0

    @model_validator(mode="after")
    def _has_a_way(self) -> Self:
        if self.closed == self.open:
            raise ValueError("closed and open must differ")
        return self


class CameraInput(Model):
    """One picture the model is shown.

    Attributes:
        camera: The robot's camera.
        size: Height and width in px; None leaves them as they are.
        fit: How a picture of another shape comes to that size: padded with black, cut at the sides
            or stretched.
        crop: Share of height and width about the centre that is kept first.
        flip: How it is turned over, as the model's training data were.
        layout: Whether colours come last or first.
        unit: Whether they are float32 in 0..1 instead of uint8.
    """

    camera: str
    size: tuple[int, int] | None = None
    fit: Literal["pad", "cut", "stretch"] = "pad"
    crop: float = Field(default=1.0, gt=0, le=1)
    flip: Side = "none"
    layout: Literal["hwc", "chw"] = "hwc"
    unit: bool = False


class StateInput(Model):
    """One vector of the robot's state.

    Attributes:
        parts: What it is made of, in order.
        joints: How many joints the model knows; needed where they are a part.
        gripper: The model's numbers for the gripper.
        pad: Length to which zeros are added.
    """

    parts: tuple[Part, ...] = Field(min_length=1)
    joints: int | None = Field(default=None, ge=1)
    gripper: Gripper = Gripper()
    pad: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _counts_its_joints(self) -> Self:
        if (Part.JOINTS in self.parts) != (self.joints is not None):
            raise ValueError("joints must be given where they are a part, and only there")
        return self


class PromptInput(Model):
    """How the model is told what to do; `{phrase}` in the form is replaced by a skill's phrase."""

    key: str = "prompt"
    form: str = "{phrase}"
    lower: bool = False

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if "{phrase}" not in self.form:
            raise ValueError("form must hold {phrase}")
        return self


class ActionOutput(Model):
    """What the model's actions are.

    Attributes:
        keys: Where they are in the answer; several are joined.
        space: What the numbers mean.
        dim: Numbers in a row that mean something, the gripper last; more are ignored.
        horizon: Rows in a chunk.
        rate_hz: Rows a second.
        scale: What each number of motion is multiplied with to be in m and rad; one for all, or one
            each.
        gripper: The model's numbers for the gripper.
        binary: Whether the gripper is either open or closed.
    """

    keys: tuple[str, ...] = ("actions",)
    space: ActionSpace
    dim: int = Field(ge=2)
    horizon: int = Field(ge=1)
    rate_hz: float = Field(gt=0)
    scale: float | tuple[float, ...] = 1.0
    gripper: Gripper = Gripper()
    binary: bool = False


class Statistics(Model):
    """How what the model is told and says is normalised, where that is left to us.

    Attributes:
        kind: `mean_std` has mean 0 and deviation 1; `quantiles` and `bounds` lie in -1..1.
        low: 1 % quantile, smallest value or mean of each number.
        high: 99 % quantile, largest value or deviation of each number.
        mask: Which numbers are normalised; None is all.
    """

    kind: Literal["mean_std", "quantiles", "bounds"]
    low: tuple[float, ...]
    high: tuple[float, ...]
    mask: tuple[bool, ...] | None = None


class Interface(Model):
    """What one model expects and gives.

    Keys with dots, such as `images.cam_high`, are keys within keys.

    Attributes:
        name: What the model is called.
        cameras: Key -> the picture that stands there.
        state: Key -> the vector that stands there.
        prompt: How it is told what to do.
        actions: What comes of that.
        state_statistics: Of the vectors, by key.
        action_statistics: Of the actions, the gripper's with them.
    """

    name: str
    cameras: dict[str, CameraInput] = Field(min_length=1)
    state: dict[str, StateInput] = Field(default_factory=dict)
    prompt: PromptInput = PromptInput()
    actions: ActionOutput
    state_statistics: dict[str, Statistics] = Field(default_factory=dict)
    action_statistics: Statistics | None = None
