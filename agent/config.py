"""What can be configured, with defaults and units; YAML files and `--set` only override it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, get_args

import yaml
from pydantic import ConfigDict, Field, ValidationError, model_validator

from agent.errors import ConfigError, unknown
from agent.facts import CERTAIN
from agent.faults import Fault
from agent.resources import resource
from agent.types import Model
from agent.workspace import WORKSPACE_HIGH, WORKSPACE_LOW

Point = tuple[float, float, float]

DEFAULT = "configs/tabletop.yaml"
"""The configuration taken when none is named."""


class Section(Model):
    """Base of the sections: frozen, no unknown keys, no infinities."""

    model_config = ConfigDict(use_attribute_docstrings=True, allow_inf_nan=False)


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

    kind: Literal["tabletop"] = "tabletop"
    """Which robot: `tabletop` is a Franka Panda at a table, simulated in MuJoCo."""
    disturbances: DisturbanceConfig = DisturbanceConfig()
    """What goes wrong on purpose; only a simulated robot has any."""


class PolicyConfig(Section):
    """The network that carries out learned skills."""

    checkpoint: Path | None = None
    """Folder of the weights, below the working directory; none means those shipped with Bosun."""
    limit_s: float | None = Field(default=None, gt=0)
    """How long an answer may take, s; the network then runs in a process of its own, which may die
    or hang. None runs it in this one."""
    fault: Fault | None = None
    """How it fails on purpose; `slow` and `dead` need a process of its own."""
    fault_s: float = Field(default=2.0, ge=0)
    """Second of the mission from which it does."""

    @model_validator(mode="after")
    def _has_its_own_process(self) -> Self:
        if self.fault in (Fault.SLOW, Fault.DEAD) and self.limit_s is None:
            raise ValueError(f"fault {self.fault} needs policy.limit_s to be set, say to 2")
        return self


class PlannerConfig(Section):
    """What turns a command into subgoals."""

    kind: Literal["grammar"] = "grammar"
    """Which planner: `grammar` needs no key and no network."""
    max_subgoals: int = Field(default=30, ge=1, le=30)
    """Subgoals a plan may have."""


class SceneConfig(Section):
    """What tells from images which objects are there."""

    checkpoint: Path | None = None
    """Folder of the weights, below the working directory; none means those shipped with Bosun."""


class MonitorConfig(Section):
    """When a running subgoal is called done, failed or doubtful."""

    success_threshold: float = Field(default=0.5, ge=0, le=1)
    """Probability 0..1 from the policy's success head above which a subgoal may be done."""
    presence_threshold: float = Field(default=0.5, ge=0, le=1)
    """Probability 0..1 above which an object is believed to be there."""
    fact_confidence: float = Field(default=CERTAIN, ge=0, le=1)
    """Probability 0..1 that a predicate of the scene must reach to count as evidence."""
    confirm_ticks: int = Field(default=3, ge=1)
    """Ticks in a row that must agree before success is confirmed."""
    stuck_s: float = Field(default=3.0, gt=0)
    """Seconds without motion after which the arm counts as stuck."""
    stuck_m: float = Field(default=0.005, ge=0)
    """Distance in m below which the tool has not moved."""
    alpha: float | None = Field(default=None, gt=0, lt=1)
    """Rate of false alarms per subgoal, 0..1, that the bands of what is usual are made for, say
    0.05; none watches without them."""


class ShieldConfig(Section):
    """Limits on every action, whoever asks for it."""

    workspace_low: Point = tuple(WORKSPACE_LOW.tolist())
    """Smallest x, y, z of the tool in m, base frame."""
    workspace_high: Point = tuple(WORKSPACE_HIGH.tolist())
    """Largest x, y, z of the tool in m, base frame."""
    max_speed_m_s: float = Field(default=0.5, gt=0)
    """Largest speed of the tool in m/s."""
    max_turn_rad_s: float = Field(default=1.5, gt=0)
    """Largest turning rate of the tool in rad/s."""

    @model_validator(mode="after")
    def _encloses_something(self) -> Self:
        for axis, low, high in zip("xyz", self.workspace_low, self.workspace_high, strict=True):
            if low >= high:
                raise ValueError(f"workspace_low must be below workspace_high, but {axis} is not")
        return self


class BudgetConfig(Section):
    """What a mission may spend before it asks for help."""

    replans: int = Field(default=8, ge=0)
    """Plans after the first one."""
    attempts: int = Field(default=2, ge=1)
    """Tries of the same subgoal in a row."""
    seconds: float = Field(default=240.0, gt=0)
    """Seconds of the robot's clock."""


class MemoryConfig(Section):
    """Which recovery helped after which failure, over missions."""

    file: Path | None = Path("runs/memory.sqlite")
    """Where that is kept, below the working directory; none remembers nothing."""


class EpisodeConfig(Section):
    """Where missions are logged."""

    directory: Path = Path("runs")
    """Folder that gets one folder per mission, below the working directory."""


class Config(Section):
    """Everything that can be configured."""

    robot: RobotConfig = RobotConfig()
    """The robot and its world."""
    policy: PolicyConfig = PolicyConfig()
    """The network that carries out learned skills."""
    planner: PlannerConfig = PlannerConfig()
    """What turns a command into subgoals."""
    scene: SceneConfig = SceneConfig()
    """What tells from images which objects are there."""
    monitor: MonitorConfig = MonitorConfig()
    """When a running subgoal is called done, failed or doubtful."""
    shield: ShieldConfig = ShieldConfig()
    """Limits on every action, whoever asks for it."""
    budget: BudgetConfig = BudgetConfig()
    """What a mission may spend before it asks for help."""
    memory: MemoryConfig = MemoryConfig()
    """Which recovery helped after which failure, over missions."""
    episode: EpisodeConfig = EpisodeConfig()
    """Where missions are logged."""


def load_config(path: Path | None, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration.

    Args:
        path: A YAML file with what differs from the defaults; None is the shipped default.
        overrides: Settings such as `"budget.replans=3"`, applied in order; values are YAML.

    Raises:
        ConfigError: A file, key or value is wrong; it names the file and the key.
    """
    path = resource(DEFAULT) if path is None else path
    data = _read(path)
    config = _validated(data, str(path))
    for override in overrides:
        source = f"--set {override}"
        data = _overridden(data, override, source)
        config = _validated(data, source)
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        beside = sorted(path.parent.glob("*.yaml")) or sorted(resource("configs").glob("*.yaml"))
        raise ConfigError(unknown("configuration file", str(path), map(str, beside))) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path} is not YAML: {error.problem} in line {line}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: it holds characters YAML forbids.") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold keys and values, not a {type(data).__name__}.")
    return data


def _overridden(data: Mapping[str, Any], override: str, source: str) -> dict[str, Any]:
    """Return a copy of the data with one dotted key set."""
    dotted, equals, text = override.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError(f"{source} is not a setting; write it as --set section.key=value.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: {text!r} is not a YAML value.") from error
    for depth in range(len(keys) - 1, -1, -1):
        parent: Any = data
        for key in keys[:depth]:
            parent = parent.get(key) if isinstance(parent, Mapping) else None
        value = {**(parent if isinstance(parent, Mapping) else {}), keys[depth]: value}
    return dict(value)


def _validated(data: Mapping[str, Any], source: str) -> Config:
    try:
        # As JSON, strict validation still takes a list for a tuple and a string for a path, as
        # YAML writes them, but neither "8" nor true for a number.
        text = json.dumps(data, default=str)
        return Config.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise ConfigError(f"{source}: {_sentence(error)}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{source} is more than plain keys and values: {error}.") from error


def _sentence(error: ValidationError) -> str:
    """Say the first thing that is wrong, in one sentence."""
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    dotted = ".".join(path)
    if first["type"] == "extra_forbidden":
        return unknown("configuration key", dotted, _siblings(path))
    if first["type"] == "literal_error":
        choices = get_args(_section(path).model_fields[path[-1]].annotation)
        return unknown(dotted, str(first["input"]), choices)
    message = first["msg"].removeprefix("Value error, ")
    found = "" if first["type"] == "value_error" else f"; it is {first['input']!r}"
    return f"{dotted}: {message[0].lower()}{message[1:]}{found}."


def _section(path: Sequence[str]) -> type[Section]:
    """Return the section that holds the last key of a path."""
    section: type[Section] = Config
    for key in path[:-1]:
        kind = section.model_fields[key].annotation
        if not (isinstance(kind, type) and issubclass(kind, Section)):
            break
        section = kind
    return section


def _siblings(path: Sequence[str]) -> list[str]:
    prefix = ".".join(path[:-1])
    return [f"{prefix}.{name}" if prefix else name for name in _section(path).model_fields]
