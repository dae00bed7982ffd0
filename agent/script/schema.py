"""What a mission file may hold; `bosun mission --schema` prints it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from agent.config import Config
from agent.script.vocabulary import parse_call, parse_claim, parse_need
from agent.types import MissionOutcome, Model, Reason

FIRST_SEED = 1_000_000
"""From here on scenes are those that no network was trained on."""
SEED = "seed"
"""The axis of a matrix that is the seed of the scene."""

Value = str | int | float | bool


def _is(parse: Any) -> AfterValidator:
    """Return a check that a text can be read; it stays a text, so that it is printed as written."""

    def check(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(check)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    return text


def _shape(value: Any) -> str:
    """Return the tag of the form that a value has, where a part may be written in two forms.

    The angle brackets tell a tag from a key in the place of an error.
    """
    return "<long>" if isinstance(value, dict | list | tuple | BaseModel) else "<short>"


_SHORT, _LONG, _EITHER = Tag("<short>"), Tag("<long>"), Discriminator(_shape)
ClaimText = Annotated[str, _is(parse_claim)]
CallText = Annotated[str, _is(parse_call)]
NeedText = Annotated[str, _is(parse_need)]
Words = Annotated[str, Field(min_length=1)]
Pattern = Annotated[str, AfterValidator(_pattern)]


class ScriptPart(Model):
    """Base of a mission file's parts: frozen, no unknown keys, docstrings in the JSON schema."""

    model_config = ConfigDict(use_attribute_docstrings=True, allow_inf_nan=False)


class Expecting(ScriptPart):
    """Base of what says what must come about; it must say something."""

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if all(getattr(self, name) in (None, ()) for name in type(self).model_fields):
            raise ValueError("nothing is expected here, so nothing could fail")
        return self


class Bounds(ScriptPart):
    """What a number must lie between, ends included."""

    min: float | None = None
    """The least it may be; none sets no limit."""
    max: float | None = None
    """The most it may be; none sets no limit."""

    @model_validator(mode="after")
    def _can_be_missed(self) -> Self:
        low, high = self.min, self.max
        if low is None and high is None:
            raise ValueError("bounds need min, max or both")
        if high is None and low is not None and low <= 0:
            raise ValueError(f"min {low:g} is always reached, so nothing could fail")
        if low is not None and high is not None and low > high:
            raise ValueError(f"min {low:g} is more than max {high:g}")
        return self


Amount = Annotated[Annotated[float, _SHORT] | Annotated[Bounds, _LONG], _EITHER]
"""A number stands for exactly that number."""
Outcomes = Annotated[
    Annotated[MissionOutcome, _SHORT] | Annotated[tuple[MissionOutcome, ...], _LONG], _EITHER
]


class Steps(Expecting):
    """What a list of subgoals must be like.

    A call is written `skill`, for any arguments, or `skill(argument, ...)` in the order of the
    skill's contract, where `*` stands for any: `pick`, `place_in(red block, *)`.
    """

    exactly: tuple[CallText, ...] | None = None
    """These calls in this order and no others."""
    contains: tuple[CallText, ...] = ()
    """These calls in this order; others may come between."""
    excludes: tuple[CallText, ...] = ()
    """None of these calls."""
    count: Amount | None = None
    """How many subgoals there are."""


class Reasons(Expecting):
    """Why subgoals ended."""

    seen: tuple[Reason, ...] = ()
    """Each of these is the reason of at least one verdict."""
    never: tuple[Reason, ...] = ()
    """None of these is the reason of any verdict."""


class Expectations(Expecting):
    """What must come of one command, or of all of a mission's commands together.

    All commands together succeed where each did; otherwise their outcome and question are those of
    the first that did not, their plan is that of one after another, and counts are sums.
    """

    world: tuple[ClaimText, ...] = ()
    """Facts that hold at the end by the world's own truth, which the robot never sees; `not` before
    one means that it does not hold. For example `in(red block, drawer)`, `not lit(button)`;
    `moved` and `toggled` compare with the start."""
    believes: tuple[ClaimText, ...] = ()
    """Facts that hold at the end in the scene the robot estimated from its cameras."""
    outcome: Outcomes | None = None
    """The robot's own outcome, or several of which one must come about."""
    question: Pattern | None = None
    """A regular expression that is found in the question or the reason the command ended with."""
    asks: tuple[Pattern, ...] = ()
    """What the robot asked and was answered, in order: a regular expression for each question."""
    plan: Steps | None = None
    """The plan: the first one that was carried out, or the first after a correction."""
    runs: Steps | None = None
    """The subgoals that were really run, those of new plans included; another try counts again."""
    reasons: Reasons | None = None
    """Reason codes of the verdicts."""
    replans: Amount | None = None
    """New plans after the first one, or after the last correction."""
    attempts: Amount | None = None
    """The most tries of one subgoal in a row."""
    seconds: Amount | None = None
    """Seconds of the robot's clock."""
    wall_s: Amount | None = None
    """Seconds that passed in truth, the loading of networks left out."""
    ticks: Amount | None = None
    """Actions that were sent."""
    tokens: Amount | None = None
    """Tokens that language models read and wrote."""
    agrees: bool | None = None
    """Whether the robot claims success just where the world says that the plan's goals hold."""


class Correction(ScriptPart):
    """What is said while a command is being carried out; it is taken up before the next subgoal.

    A correction that does not come to be said, for the mission has ended before, is a failure.
    """

    say: Words
    """The words, for example `no, the green one`."""
    during: int | None = Field(default=None, ge=1)
    """It is said during the n-th subgoal, tries included, from 1."""
    at_s: float | None = Field(default=None, ge=0)
    """It is said at this second of the command."""

    @model_validator(mode="after")
    def _has_one_time(self) -> Self:
        if (self.during is None) == (self.at_s is None):
            raise ValueError("a correction needs either during or at_s")
        return self


class Command(ScriptPart):
    """One command and what is said to the robot while it carries it out."""

    say: Words
    """The words."""
    answers: tuple[str, ...] = ()
    """Answers to the robot's questions, in order; a question after them is not answered, which ends
    the command, and an answer that is not asked for is a failure."""
    corrections: tuple[Correction, ...] = ()
    """What is said meanwhile, in order."""
    expect: Expectations | None = None
    """What must come of this command."""


class SceneSpec(ScriptPart):
    """In which scene a mission begins.

    Without a seed the n-th repeat takes the n-th scene that has what the mission needs, so repeats
    are different scenes, and the same ones on every machine. With a seed all repeats are that one
    scene; with the grammar as planner they then go the same way bit by bit, and say nothing about
    how often the mission would succeed elsewhere.
    """

    seed: int | None = Field(default=None, ge=0)
    """Of the one scene; an axis `seed` of the matrix does the same for each of its values."""
    first: int = Field(default=FIRST_SEED, ge=0)
    """The seed from which on scenes are looked at."""
    needs: tuple[NeedText, ...] = ()
    """What a scene must have at the start: things the cameras can see, such as `red block`; things
    that must not be there, such as `not can`; facts, such as `closed(drawer)`; and calls of learned
    skills that there is room for, such as `push(red block, left)`."""


class Parameters(ScriptPart):
    """What stands for `{name}` in the texts of the scene, commands, settings and expectations."""

    parameters: dict[str, Value] = Field(default={})
    """Name -> value. A text that is nothing but `{name}` becomes the value, number or text."""
    matrix: dict[str, Annotated[tuple[Value, ...], Field(min_length=1)]] = Field(default={})
    """Name -> values; the mission is run for each combination."""
    exclude: tuple[Annotated[dict[str, Value], Field(min_length=1)], ...] = ()
    """Combinations that are left out; one that names some axes leaves out all that agree in them.
    """


class MissionFile(Parameters):
    """A mission: commands, the scene they begin in, and what must come of them."""

    name: str = Field(default="", max_length=200)
    """What reports call it; without one, the file's name."""
    description: str = ""
    """What it is there to show."""
    tags: tuple[str, ...] = ()
    """Words by which `--tag` chooses."""
    scene: SceneSpec = SceneSpec()
    """Where it begins."""
    commands: tuple[
        Annotated[Annotated[Words, _SHORT] | Annotated[Command, _LONG], _EITHER], ...
    ] = Field(min_length=1)
    """What is said to the robot, in order: the words, or the words and more."""
    continues: bool = True
    """Whether each command goes on in the world as the one before left it; otherwise each begins
    anew in the same scene."""
    set: Config = Config()
    """Settings of the robot and its world, budgets and disturbances among them. They go before a
    configuration file, and `--set` goes before them."""
    expect: Expectations | None = None
    """What must have come about after the last command, over all of them."""

    @field_validator("set")
    @classmethod
    def _keeps_nothing(cls, config: Config) -> Config:
        if "episode" in config.model_fields_set:
            raise ValueError("episodes go where --out says, so episode cannot be set here")
        return config

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if self.expect is None and all(command.expect is None for command in self.spoken):
            raise ValueError("nothing is expected of this mission, so it could not fail")
        return self

    @property
    def spoken(self) -> tuple[Command, ...]:
        """The commands, in one form."""
        return tuple(Command(say=c) if isinstance(c, str) else c for c in self.commands)
