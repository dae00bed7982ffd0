"""A small plan, the requests that ask for one, and clients that ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from openai import OpenAI
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

KEY = "sk-test-0123456789"
MESSAGES: list[Any] = [
    {"role": "system", "content": "You plan for a robot."},
    {"role": "user", "content": "Put the red block in the blue bowl."},
]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Step(Closed):
    skill: Literal["pick", "place_in", "look"]
    object: Literal["red block", "blue block"]


class Answer(Closed):
    steps: Annotated[list[Step], Field(min_length=1, max_length=3)]
    note: Annotated[str, StringConstraints(max_length=30)]


SCHEMA = Answer.model_json_schema()
RESPONSE_FORMAT: Any = {
    "type": "json_schema",
    "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
}
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {"name": "submit", "parameters": SCHEMA, "strict": True},
    }
]
FORCED: Any = {"type": "function", "function": {"name": "submit"}}
SCHEMA_REQUEST: dict[str, Any] = {"response_format": RESPONSE_FORMAT}
TOOL_REQUEST: dict[str, Any] = {"tools": TOOLS, "tool_choice": FORCED}


class Asker:
    """The real client, asking for the same thing again and again."""

    def __init__(self, client: OpenAI) -> None:
        self._client = client

    def whole(self, **fields: Any) -> Any:
        """Return a completion."""
        return self._client.chat.completions.create(
            **{"model": "tiny-llama", "messages": MESSAGES, **fields}
        )

    def streamed(self, **fields: Any) -> list[Any]:
        """Return the chunks of a stream."""
        return list(self.whole(stream=True, stream_options={"include_usage": True}, **fields))


@contextmanager
def asking(base_url: str, timeout_s: float = 60.0) -> Iterator[Asker]:
    with OpenAI(base_url=base_url, api_key=KEY, max_retries=0, timeout=timeout_s) as client:
        yield Asker(client)


def text_of(chunks: list[Any]) -> str:
    """Join what a stream said, in words or in arguments."""
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    words = [delta.content or "" for delta in deltas]
    return "".join(words + [call.function.arguments or "" for call in calls])
