"""The words every part of Bosun speaks: observations, chunks, scenes, plans, verdicts and results.

Lengths are in metres, angles in radians, times in seconds. Positions and poses are in the robot's
base frame: x forward, y to the robot's left, z up. Quaternions are unit and ordered wxyz.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from agent.timing import Timing

Image = npt.NDArray[np.uint8]
Vector = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]

TABLE = "table"
HAND = "hand"

_Place = Literal["held", "hand_empty", "in", "on", "room", "clear", "reachable", "loose"]
Predicate = _Place | Literal["open", "closed", "lit", "unlit", "moved", "toggled"]


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What the robot senses at one tick.

    Attributes:
        time_s: Seconds since the mission began.
        images: Camera name -> (H, W, 3) uint8 RGB.
        joint_pos: (n,) joint positions in rad.
        ee_pose: (7,) tool position in m and orientation wxyz, base frame.
        gripper: Opening, 0 closed to 1 open, measured.
    """

    time_s: float
    images: Mapping[str, Image]
    joint_pos: Vector
    ee_pose: Vector
    gripper: float


@dataclass(frozen=True, slots=True, eq=False)
class ActionChunk:
    """A short sequence of actions and what the policy thinks of it. Absent heads are None.

    Attributes:
        actions: (horizon, dim) float32 in the robot's action space.
        dt_s: Seconds between rows.
        spread: (horizon,) disagreement of the policy's heads in m over the chunk as it was
            inferred, or None.
        progress: Share of the subgoal done, 0..1, or None.
        success: Probability that the subgoal is achieved now, 0..1, or None.
        timing: When it was inferred; None where that was on the observation of this tick.
    """

    actions: FloatArray
    dt_s: float
    spread: FloatArray | None = None
    progress: float | None = None
    success: float | None = None
    timing: Timing | None = None


class Model(BaseModel):
    """Base of the data that crosses a boundary: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fact(Model):
    """A predicate over the scene, for example `in(red block, blue bowl)`.

    `agent.facts` says what each predicate means; `moved` and `toggled` compare with a scene before.
    """

    predicate: Predicate
    args: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, binding: Mapping[str, str] | None = None) -> Self:
        """Read `predicate(a, b)`; names found in `binding` are replaced by their values."""
        head, _, tail = text.partition("(")
        names = [part.strip() for part in tail.rstrip(")").split(",") if part.strip()]
        bound = binding or {}
        return cls.model_validate(
            {"predicate": head.strip(), "args": tuple(bound.get(n, n) for n in names)}
        )

    def __str__(self) -> str:
        """Return the fact as it is written in contracts."""
        return f"{self.predicate}({', '.join(self.args)})"


class ArgSpec(Model):
    """What may stand for one argument of a skill."""

    kinds: tuple[str, ...]


class SkillContract(Model):
    """What a skill promises, as data.

    `phrases` are templates such as `"pick up the {object}"`; the first one is canonical and is what
    the policy is given. Facts are written over argument names and bound by a subgoal's arguments.
    """

    name: str
    description: str
    phrases: tuple[str, ...] = Field(min_length=1)
    args: dict[str, ArgSpec] = {}
    preconditions: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    time_budget_s: float = Field(gt=0)
    learned: bool = True

    def phrase(self, args: Mapping[str, str]) -> str:
        """Return the canonical phrase for these arguments."""
        return self.phrases[0].format(**args)

    def facts(
        self, part: Literal["preconditions", "effects", "done"], args: Mapping[str, str]
    ) -> tuple[Fact, ...]:
        """Return one part of the contract with its arguments filled in."""
        return tuple(Fact.parse(text, args) for text in getattr(self, part))


class Subgoal(Model):
    """One skill call: its name, its arguments and the phrase the policy is given."""

    skill: str
    args: dict[str, str] = {}
    phrase: str


class Plan(Model):
    """An ordered list of subgoals for a command, or a question when there is none to give.

    `question` names what is unclear and the candidates; a plan that asks has no subgoals.
    """

    command: str
    subgoals: tuple[Subgoal, ...] = Field(default=(), max_length=30)
    reply: str = ""
    question: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SceneObject:
    """One object the agent believes in.

    Attributes:
        name: For example `"red block"`; unique in a scene.
        kind: For example `"block"`.
        position: (3,) m, base frame.
        presence: Probability 0..1 that the object is there.
        support: What carries it: `"table"`, `"hand"` or the name of another object.
        support_confidence: Probability 0..1 of `support`.
        age_s: Seconds since it was last seen clearly; 0 is now.
        articulation: How far a drawer is out, m, or whether a button's lamp is lit, 0 or 1; None
            for what has no part that moves.
        articulation_confidence: Probability 0..1 of `articulation`.
    """

    name: str
    kind: str
    position: Vector
    presence: float = 1.0
    support: str = TABLE
    support_confidence: float = 1.0
    age_s: float = 0.0
    articulation: float | None = None
    articulation_confidence: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What the agent believes is there, estimated from camera images."""

    time_s: float
    objects: Mapping[str, SceneObject] = field(default_factory=dict)

    @property
    def held(self) -> SceneObject | None:
        """The object in the hand, if any."""
        return next((o for o in self.objects.values() if o.support == HAND), None)

    def contents(self, target: str) -> tuple[SceneObject, ...]:
        """Return the objects that `target` carries."""
        return tuple(o for o in self.objects.values() if o.support == target)

    def moved(self, name: str, support: str, position: Vector) -> Scene:
        """Return the scene with one object carried by something else, certainly."""
        sure = replace(self.objects[name], support_confidence=1.0, age_s=0.0)
        placed = replace(sure, support=support, position=position)
        return replace(self, objects={**self.objects, name: placed})


class VerdictValue(StrEnum):
    """The three answers a monitor can give about a subgoal."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    INSUFFICIENT = "insufficient"


class Reason(StrEnum):
    """Why a verdict was given; a closed list that planners can branch on."""

    DONE = "done"
    GRASP_MISSED = "grasp_missed"
    WRONG_OBJECT = "wrong_object"
    DROPPED = "dropped"
    TARGET_MOVED = "target_moved"
    STUCK = "stuck"
    BLOCKED = "blocked"
    TIMEOUT = "timeout"
    NOT_ACHIEVED = "not_achieved"
    LOW_CONFIDENCE = "low_confidence"
    ONE_WITNESS = "one_witness"
    NO_PROGRESS = "no_progress"
    OUT_OF_DISTRIBUTION = "out_of_distribution"
    POLICY_INVALID = "policy_invalid"
    POLICY_LOST = "policy_lost"
    CAMERA_LOST = "camera_lost"
    ROBOT_LOST = "robot_lost"
    OUT_OF_LIMITS = "out_of_limits"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A monitor's judgement, with the evidence it rests on."""

    value: VerdictValue
    reason: Reason
    confidence: float
    evidence: Mapping[str, Any] = field(default_factory=dict)


class SubgoalOutcome(StrEnum):
    """How a subgoal ended."""

    SUCCESS = "success"
    FAILED = "failed"
    LOW_CONFIDENCE = "low_confidence"
    TIMEOUT = "timeout"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SubgoalResult:
    """What came of one subgoal; `attempts` counts tries in a row, 0 for a look between plans."""

    subgoal: Subgoal
    outcome: SubgoalOutcome
    verdict: Verdict
    attempts: int
    ticks: int


class MissionOutcome(StrEnum):
    """How a mission ended."""

    SUCCESS = "success"
    FAILED = "failed"
    NEEDS_HELP = "needs_help"
    STOPPED = "stopped"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class MissionResult:
    """What came of a command: its first plan, and every subgoal run over all replans."""

    outcome: MissionOutcome
    plan: Plan
    results: tuple[SubgoalResult, ...]
    replans: int
    seconds: float
    question: str | None = None
