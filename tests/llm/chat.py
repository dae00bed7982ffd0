"""What a chat request asks for: a schema, a tool or just words; refused where OpenAI would."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tests.llm.decoding import Sampling
from tests.llm.replies import Json

ANY_OBJECT: Json = {"type": "object", "additionalProperties": True}
_NOT_PERMITTED = (
    "allOf",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "not",
    "oneOf",
    "then",
)
_INSIDE = ("properties", "$defs")
"""Keywords whose values hold schemas by name."""


class BadRequest(Exception):
    """What OpenAI answers with status 400."""

    def __init__(self, message: str, param: str, code: str | None = None) -> None:
        super().__init__(message)
        self.param, self.code = param, code


@dataclass(frozen=True)
class Asked:
    """A request that has been understood.

    Attributes:
        tool: The function to call, or None for a reply in words.
        schema: What the reply or the arguments are held to, or None.
    """

    messages: list[Json]
    tools: list[Json]
    tool: str | None
    schema: Json | None
    sampling: Sampling


def understand(request: Json) -> Asked:
    """Read a request.

    Raises:
        BadRequest: OpenAI would refuse it.
    """
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("Missing required parameter: 'messages'.", "messages")
    tools = request.get("tools") or []
    chosen = _tool(request, tools)
    if chosen is not None:
        schema = chosen.get("parameters", {"type": "object", "properties": {}})
        if chosen.get("strict"):
            _check_strict(schema, f"function '{chosen['name']}'", "tools[0].function.parameters")
    else:
        schema = _reply_schema(request.get("response_format") or {"type": "text"})
    return Asked(
        messages=[{**message, "content": _words(message)} for message in messages],
        tools=tools,
        tool=chosen["name"] if chosen else None,
        schema=schema,
        sampling=_sampling(request),
    )


def _sampling(request: Json) -> Sampling:
    temperature = request.get("temperature")
    return Sampling(
        temperature=1.0 if temperature is None else float(temperature),
        seed=request.get("seed"),
        max_tokens=request.get("max_completion_tokens") or request.get("max_tokens"),
    )


def _words(message: Json) -> str:
    """Return a message's text; pictures and the like say nothing to this model."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _tool(request: Json, tools: list[Json]) -> Json | None:
    """Return the function to call; a model that may call one always does."""
    functions: dict[str, Json] = {tool["function"]["name"]: tool["function"] for tool in tools}
    choice = request.get("tool_choice", "auto")
    if isinstance(choice, dict):
        name = choice["function"]["name"]
        if name not in functions:
            raise BadRequest(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")
        return functions[name]
    if choice == "required" and not functions:
        raise BadRequest("'tool_choice' is only allowed when 'tools' are specified.", "tool_choice")
    if choice == "none" or not functions:
        return None
    return random.Random(request.get("seed")).choice(list(functions.values()))


def _reply_schema(wanted: Json) -> Json | None:
    match wanted["type"]:
        case "text":
            return None
        case "json_object":
            return ANY_OBJECT
        case "json_schema":
            described = wanted.get("json_schema") or {}
            if not described.get("name"):
                param = "response_format.json_schema.name"
                raise BadRequest(f"Missing required parameter: '{param}'.", param)
            schema: Json = described.get("schema", ANY_OBJECT)
            if described.get("strict"):
                _check_strict(schema, f"response_format '{described['name']}'", "response_format")
            return schema
        case other:
            raise BadRequest(f"Invalid value: '{other}'.", "response_format.type")


def _check_strict(schema: Json, whose: str, param: str) -> None:
    """Refuse a schema that OpenAI's strict mode does not take."""
    fault = None
    if schema.get("type") != "object":
        got = schema.get("type")
        fault = f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{got}\"'."
    elif found := _strict_fault(schema, ()):
        context, what = found
        fault = f"In context={context}, {what}"
    if fault:
        code = "invalid_function_parameters" if whose.startswith("function") else None
        raise BadRequest(f"Invalid schema for {whose}: {fault}", param, code)


def _strict_fault(schema: Any, context: tuple[str, ...]) -> tuple[tuple[str, ...], str] | None:
    if not isinstance(schema, dict):
        return None
    for keyword in _NOT_PERMITTED:
        if keyword in schema:
            return context, f"'{keyword}' is not permitted."
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return context, "'additionalProperties' is required to be supplied and to be false."
        missing = [name for name in schema.get("properties", {}) if name not in _required(schema)]
        if missing:
            return context, (
                "'required' is required to be supplied and to be an array including every key in "
                f"properties. Missing '{missing[0]}'."
            )
    parts: list[tuple[tuple[str, ...], Any]] = [(("items",), schema.get("items"))]
    for keyword in _INSIDE:
        parts += [((keyword, name), part) for name, part in schema.get(keyword, {}).items()]
    options = schema.get("anyOf", [])
    parts += [(("anyOf", str(number)), option) for number, option in enumerate(options)]
    faults = (_strict_fault(part, (*context, *where)) for where, part in parts)
    return next((fault for fault in faults if fault), None)


def _required(schema: Json) -> list[str]:
    required: list[str] = schema.get("required", [])
    return required
