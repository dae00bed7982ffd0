"""What can be configured; YAML files and `--set` only override the defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from agent.errors import ConfigError, unknown
from agent.resources import resource
from agent.sections import (
    BudgetConfig,
    EpisodeConfig,
    MemoryConfig,
    MonitorConfig,
    PlannerConfig,
    PolicyConfig,
    RobotConfig,
    SceneConfig,
    Section,
    ShieldConfig,
    SpeechConfig,
)

DEFAULT = "configs/tabletop.yaml"
"""The configuration taken when none is named."""


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
    speech: SpeechConfig = SpeechConfig()
    """How the robot hears and speaks."""
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
    return overridden(_validated(_read(path), str(path)), overrides)


def overridden(config: Config, overrides: Sequence[str]) -> Config:
    """Return a configuration with some settings changed, written as for `load_config`.

    Raises:
        ConfigError: A key or value is wrong; it names the key.
    """
    for override in overrides:
        source = f"--set {override}"
        # All of it, with what a section may be short for, such as the source of a policy.
        data = config.model_dump(mode="json")
        config = _validated(_overridden(data, override, source), source)
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
    told = f"{dotted}: {message[0].lower()}{message[1:]}{found}"
    return told if told.endswith((".", "?")) else f"{told}."


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
