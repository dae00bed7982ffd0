"""What pydantic finds wrong with a mission file, as sentences at their places in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agent.errors import unknown
from agent.script.source import Problem, Source

_NOUNS = {"outcome": "outcome", "seen": "reason code", "never": "reason code"}


def complaints(error: ValidationError, model: type[BaseModel], source: Source) -> list[Problem]:
    """Return every problem with data that was to become a model."""
    found = error.errors(include_url=False)
    places = {e["loc"] for e in found}
    # A list of which every item is wrong is then called too short.
    within = {place[:n] for place in places for n in range(1, len(place))}
    return [_complaint(e, model, source) for e in found if e["loc"] not in within]


def _complaint(error: ErrorDetails, model: type[BaseModel], source: Source) -> Problem:
    place, kind = tuple(part for part in error["loc"] if not _is_tag(part)), error["type"]
    name = str(place[-1]) if place else ""
    if kind == "extra_forbidden":
        noun = "setting" if "set" in place else "key"
        return source.problem(place, unknown(noun, name, _known(model, place[:-1])), key=True)
    if kind == "missing":
        return source.problem(place[:-1], f"{name!r} is missing.")
    if kind in ("enum", "literal_error"):
        words = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        noun = next((_NOUNS[str(p)] for p in reversed(place) if p in _NOUNS), name)
        return source.problem(place, unknown(noun, str(error["input"]), words))
    message = error["msg"].removeprefix("Value error, ").rstrip(".").replace("Tuple", "List")
    found = "" if kind == "value_error" else f"; it is {error['input']!r}"
    if kind == "string_type" and isinstance(error["input"], bool | int | float):
        found += ", so put it in quotes"
    dotted = ".".join(map(str, place))
    said = f"{dotted}: {message[0].lower()}{message[1:]}" if found else _capital(message)
    # A question mark or the full stop of a sentence that `unknown` made stays the last character.
    return source.problem(place, f"{said}{found}" + ("" if said.endswith("?") else "."))


def _is_tag(part: str | int) -> bool:
    """Return whether a part of a place only says in which form something is written."""
    return isinstance(part, str) and part.startswith("<")


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _known(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """Return the keys that may stand at a place."""
    for part in place:
        if isinstance(part, str) and part in model.model_fields:
            model = next(_models(model.model_fields[part].annotation), model)
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation is about."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
