"""The shapes in which OpenAI's API sends replies and errors."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

Json = dict[str, Any]


def usage(prompt: int, completion: int) -> Json:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


NO_USE = usage(0, 0)


def error(
    message: str,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
) -> Json:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def forced_tool(request: Json) -> str | None:
    """Return the function that a request makes the model call, the first if any will do."""
    choice = request.get("tool_choice")
    if isinstance(choice, dict):
        return str(choice["function"]["name"])
    if choice == "required":
        return str(request["tools"][0]["function"]["name"])
    return None


def ending(request: Json, tool: str | None, cut: bool) -> str:
    """Return why a reply ended; a call that the request named ends like words do."""
    if cut:
        return "length"
    named = isinstance(request.get("tool_choice"), dict)
    return "stop" if tool is None or named else "tool_calls"


def completion(
    model: str, text: str, tool: str | None = None, finish: str = "stop", used: Json = NO_USE
) -> Json:
    """Return a whole reply; with a tool, the text is its arguments."""
    message: Json = {"role": "assistant", "content": text, "refusal": None}
    if tool is not None:
        message |= {"content": None, "tool_calls": [_call(tool, text)]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return {**_head(model), "object": "chat.completion", "choices": [choice], "usage": used}


class Stream:
    """The server-sent events of one reply; with a tool, its text is the tool's arguments."""

    def __init__(self, request: Json, tool: str | None = None) -> None:
        self._tool = tool
        self._head = {**_head(str(request.get("model"))), "object": "chat.completion.chunk"}
        self._usage = bool((request.get("stream_options") or {}).get("include_usage"))

    def opening(self) -> bytes:
        if self._tool is None:
            return self.delta({"role": "assistant", "content": "", "refusal": None})
        call = {"index": 0, **_call(self._tool, "")}
        return self.delta({"role": "assistant", "content": None, "tool_calls": [call]})

    def piece(self, text: str) -> bytes:
        if self._tool is None:
            return self.delta({"content": text})
        return self.delta({"tool_calls": [{"index": 0, "function": {"arguments": text}}]})

    def delta(self, delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self.event([choice], None)

    def closing(self, finish: str = "stop", used: Json = NO_USE) -> bytes:
        usage_event = self.event([], used) if self._usage else b""
        return self.delta({}, finish) + usage_event + b"data: [DONE]\n\n"

    def event(self, choices: list[Json], used: Json | None) -> bytes:
        content = {**self._head, "choices": choices}
        if self._usage:
            content["usage"] = used
        return b"data: " + json.dumps(content).encode() + b"\n\n"


def _head(model: str) -> Json:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}


def _call(tool: str, arguments: str) -> Json:
    function = {"name": tool, "arguments": arguments}
    return {"id": f"call_{uuid.uuid4().hex}", "type": "function", "function": function}
