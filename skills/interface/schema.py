"""What a model expects to be shown and told, and what its numbers mean, as a YAML file says it."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from itertools import permutations
from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from agent.action_space import ActionSpace
from agent.errors import unknown
from agent.types import Model

Side = Literal["none", "horizontal", "vertical", "both"]


class Part(StrEnum):
    """One part of what a robot senses, in the base frame; m, rad, s.

    A rotation vector near half a turn could as well point the other way. Ours goes the way in which
    its largest part is positive, which does not jump where a hand points down.
    """

    EE_POSITION = "ee_position"
    EE_QUATERNION_WXYZ = "ee_quaternion_wxyz"
    EE_QUATERNION_XYZW = "ee_quaternion_xyzw"
    EE_ROTATION_VECTOR = "ee_rotation_vector"
    EE_EULER_XYZ = "ee_euler_xyz"
    JOINTS = "joints"
    GRIPPER = "gripper"
    TIME = "time"


_SIZES = {
    Part.EE_POSITION: 3,
    Part.EE_QUATERNION_WXYZ: 4,
    Part.EE_QUATERNION_XYZW: 4,
    Part.EE_ROTATION_VECTOR: 3,
    Part.EE_EULER_XYZ: 3,
    Part.GRIPPER: 1,
    Part.TIME: 1,
}
"""Part -> how many numbers it has; joints are as many as the robot has."""


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
        enlarge: How many times larger than it was taken it may be drawn; beyond, a model sees
            something else than it learned, and the robot does not fit.
        crop: Share of height and of width about the centre that is kept first.
        flip: How it is turned over, as the model's training data were.
        layout: Whether colours come last or first.
        unit: Whether they are float32 in 0..1 instead of uint8.
    """

    camera: str
    size: tuple[PositiveInt, PositiveInt] | None = None
    fit: Literal["pad", "cut", "stretch"] = "pad"
    enlarge: float = Field(default=2.0, gt=0)
    crop: float = Field(default=1.0, gt=0, le=1)
    flip: Side = "none"
    layout: Literal["hwc", "chw"] = "hwc"
    unit: bool = False


class StateInput(Model):
    """One vector of the robot's state.

    Attributes:
        parts: What it is made of, in order.
        joints: How many joints the model knows; needed where they are a part.
        gripper: The model's numbers for the gripper; one for every time it is a part, or one each,
            as for two fingers that open to different sides.
        origin: Where the robot's base stands in the frame that the model knows, m.
        tool: Unit quaternion wxyz of the model's tool frame in the robot's.
        numbers: Which of the numbers are told, in this order; None is all.
        pad: Length to which zeros are added.
        dtype: What the numbers are.
    """

    parts: tuple[Part, ...] = Field(min_length=1)
    joints: int | None = Field(default=None, ge=1)
    gripper: Gripper | tuple[Gripper, ...] = Gripper()
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tool: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    numbers: tuple[int, ...] | None = None
    pad: int | None = Field(default=None, ge=1)
    dtype: Literal["float32", "float64"] = "float32"

    @property
    def grippers(self) -> tuple[Gripper, ...]:
        """The model's numbers for the gripper, one for every time it is a part."""
        if isinstance(self.gripper, tuple):
            return self.gripper
        return (self.gripper,) * self.parts.count(Part.GRIPPER)

    @property
    def whole(self) -> int:
        """How many numbers the parts have."""
        return sum(_SIZES.get(part, self.joints or 0) for part in self.parts)

    @property
    def told(self) -> int:
        """How many numbers are told, without what is added."""
        return self.whole if self.numbers is None else len(self.numbers)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if (Part.JOINTS in self.parts) != (self.joints is not None):
            raise ValueError("joints must be given where they are a part, and only there")
        times = self.parts.count(Part.GRIPPER)
        if len(self.grippers) != times:
            raise ValueError(
                f"gripper has {len(self.grippers)} entries, but is a part {times} times"
            )
        if self.numbers is not None and not all(0 <= n < self.whole for n in self.numbers):
            raise ValueError(f"numbers must be from 0 to {self.whole - 1}, as the parts have")
        if self.pad is not None and self.pad < self.told:
            raise ValueError(f"pad is {self.pad}, but the vector has {self.told} numbers already")
        if abs(sum(number**2 for number in self.tool) - 1.0) > 1e-3:
            raise ValueError("tool must be a quaternion of length 1")
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


_DIMS = {ActionSpace.DELTA_EE: 7, ActionSpace.DELTA_EE_POSITION: 4}
"""Space -> how many numbers an action has; of joints there are as many as the robot has."""


class ActionOutput(Model):
    """What the model's actions are.

    Attributes:
        keys: Where they are in the answer; several are joined.
        space: What the numbers mean.
        dim: Numbers in a row that mean something, the gripper last; more are ignored.
        horizon: Rows in a chunk; more are ignored.
        execute: Rows that are carried out before the model is asked again; in real time it is
            `policy.realtime` that says when.
        rate_hz: Rows a second.
        scale: What each number of motion is multiplied with to be in m and rad; one for all, or one
            each.
        rotation: How a turn of the tool is written, in the base frame.
        gripper: The model's numbers for the gripper.
        binary: Whether the gripper is either open or closed.
    """

    keys: tuple[str, ...] = Field(default=("actions",), min_length=1)
    space: ActionSpace
    dim: int = Field(ge=2)
    horizon: int = Field(ge=1)
    execute: int = Field(default=1, ge=1)
    rate_hz: float = Field(gt=0)
    scale: float | tuple[float, ...] = 1.0
    rotation: Literal["vector", "euler_xyz"] = "vector"
    gripper: Gripper = Gripper()
    binary: bool = False

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        dim = _DIMS.get(self.space)
        if dim is not None and self.dim != dim:
            raise ValueError(f"dim is {self.dim}, but {self.space} has {dim} numbers")
        if isinstance(self.scale, tuple) and len(self.scale) != self.dim - 1:
            raise ValueError(f"scale must be one number or {self.dim - 1}, not {len(self.scale)}")
        if self.execute > self.horizon:
            raise ValueError(f"execute is {self.execute}, but a chunk has {self.horizon} rows")
        return self


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

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        lengths = {len(self.low), len(self.high), len(self.mask or self.low)}
        if len(lengths) > 1:
            raise ValueError("low, high and mask must be of one length")
        if self.kind == "mean_std":
            if min(self.high, default=0.0) < 0:
                raise ValueError("high is the deviation, so no number of it may be below 0")
        elif any(low > high for low, high in zip(self.low, self.high, strict=True)):
            raise ValueError("no number of low may be above the one of high")
        return self


class Interface(Model):
    """What one model expects and gives.

    Attributes:
        name: What the model is called.
        cameras: Key -> the picture that stands there.
        state: Key -> the vector that stands there.
        prompt: How it is told what to do.
        constants: Key -> what always stands there.
        nested: Whether keys with dots, such as `images.cam_high`, are keys within keys.
        actions: What comes of that.
        state_statistics: Of the vectors, by key.
        action_statistics: Of the actions, the gripper's with them.
    """

    name: str
    cameras: dict[str, CameraInput] = Field(min_length=1)
    state: dict[str, StateInput] = Field(default_factory=dict)
    prompt: PromptInput = PromptInput()
    constants: dict[str, str | bool | int | float] = Field(default_factory=dict)
    nested: bool = True
    actions: ActionOutput
    state_statistics: dict[str, Statistics] = Field(default_factory=dict)
    action_statistics: Statistics | None = None

    @property
    def digest(self) -> str:
        """Hash of all of it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        keys = [*self.cameras, *self.state, self.prompt.key, *self.constants]
        for key, other in permutations(keys, 2):
            if key == other or (self.nested and other.startswith(f"{key}.")):
                raise ValueError(f"key {key!r} is taken twice")
        for key, statistics in self.state_statistics.items():
            if key not in self.state:
                raise ValueError(unknown("state", key, self.state))
            if len(statistics.low) != self.state[key].told:
                raise ValueError(
                    f"state_statistics of {key!r} are of {len(statistics.low)} numbers, but there "
                    f"are {self.state[key].told}"
                )
        known = self.action_statistics
        if known is not None and len(known.low) != self.actions.dim:
            raise ValueError(
                f"action_statistics are of {len(known.low)} numbers, but actions have "
                f"{self.actions.dim}"
            )
        return self
