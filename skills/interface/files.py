"""Interfaces in YAML files, read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from agent.errors import ConfigError, unknown
from agent.resources import resource
from skills.interface.schema import Interface

FOLDER = "configs/policies"
"""Where the shipped ones are."""


def names() -> list[str]:
    """Return what the shipped ones are called."""
    return sorted(file.stem for file in resource(FOLDER).glob("*.yaml"))


def load_interface(name: str) -> Interface:
    """Return an interface.

    Args:
        name: Of a shipped one, such as `openpi_libero`, or the path of a YAML file.

    Raises:
        ConfigError: There is none, or it is wrong; its sentence names the file and the key.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        if name not in names():
            raise ConfigError(unknown("policy interface", name, names()))
        path = resource(FOLDER) / f"{name}.yaml"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        beside = sorted(path.parent.glob("*.yaml"))
        raise ConfigError(
            unknown("policy interface", name, [*map(str, beside), *names()])
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        told = " ".join(str(error).split())
        raise ConfigError(f"{path} cannot be read as YAML: {told}.") from error
    return interface_of(data, str(path))


def interface_of(data: Any, source: str) -> Interface:
    """Return the interface that plain data describe, as YAML or a server's metadata hold them.

    Raises:
        ConfigError: They do not; its sentence names the source and the key.
    """
    try:
        return Interface.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{source}: {_sentence(error)}") from error


def _sentence(error: ValidationError) -> str:
    """Say the first thing that is wrong, in one sentence."""
    found = error.errors(include_url=False)
    # A misspelt key is also a missing one, and the nearest name mends both.
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    path = [str(part) for part in first["loc"]]
    dotted = ".".join(path)
    if first["type"] == "extra_forbidden":
        above = ".".join(path[:-1])
        known = [f"{above}.{key}" if above else key for key in _model(path[:-1]).model_fields]
        return unknown("key", dotted, known)
    message = first["msg"].removeprefix("Value error, ")
    given = "" if first["type"] in ("value_error", "missing") else f"; it is {first['input']!r}"
    at = f"{dotted}: " if dotted else ""
    told = f"{at}{message[0].lower()}{message[1:]}{given}"
    return told if told.endswith((".", "?")) else f"{told}."


def _model(path: list[str]) -> type[BaseModel]:
    """Return what describes the place at a path; names in a mapping are nobody's fields."""
    model: type[BaseModel] = Interface
    for key in path:
        field = model.model_fields.get(key)
        if field is not None:
            model = _described(field.annotation) or model
    return model


def _described(annotation: Any) -> type[BaseModel] | None:
    """Return the first model that an annotation holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    parts = map(_described, getattr(annotation, "__args__", ()))
    return next((part for part in parts if part is not None), None)
