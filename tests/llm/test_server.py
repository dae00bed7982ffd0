from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openai import BadRequestError
from pydantic import ValidationError

from tests.llm.llama import Llama, Reading
from tests.llm.processes import Server, Serving
from tests.llm.samples import (
    FORCED,
    KEY,
    MESSAGES,
    RESPONSE_FORMAT,
    SCHEMA,
    SCHEMA_REQUEST,
    TOOL_REQUEST,
    TOOLS,
    Answer,
    Asker,
    asking,
    text_of,
)


@pytest.fixture
def asker(server: Server) -> Iterator[Asker]:
    with asking(server.base_url) as asker:
        yield asker


def _said(completion: Any) -> str:
    message = completion.choices[0].message
    if message.tool_calls:
        assert message.content is None
        return str(message.tool_calls[0].function.arguments)
    return str(message.content)


def test_the_model_is_the_llama_that_transformers_would_run(tiny_llama: Path) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    model = transformers.AutoModelForCausalLM.from_pretrained(str(tiny_llama))
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(tiny_llama))
    tokens = tokenizer.apply_chat_template(MESSAGES, add_generation_prompt=True)["input_ids"]
    with torch.inference_mode():
        expected = model(torch.tensor([tokens])).logits[0].numpy()
    reading = Reading(Llama(tiny_llama))
    for until, after in ((0, 40), (40, 41), (41, len(tokens))):
        np.testing.assert_allclose(
            reading.feed(tokens[until:after]), expected[after - 1], atol=1e-5
        )
    assert "red block" in tokenizer.decode(tokens)


@pytest.mark.parametrize("request_for", [SCHEMA_REQUEST, TOOL_REQUEST], ids=["schema", "tool"])
def test_every_reply_keeps_to_the_schema(asker: Asker, request_for: dict[str, Any]) -> None:
    replies = [asker.whole(seed=seed, **request_for) for seed in range(20)]
    answers = [Answer.model_validate_json(_said(reply)) for reply in replies]
    assert {len(answer.steps) for answer in answers} == {1, 2, 3}
    assert {reply.choices[0].finish_reason for reply in replies} == {"stop"}
    for reply in replies:
        used = reply.usage
        assert 0 < used.completion_tokens <= len(_said(reply))
        assert used.total_tokens == used.prompt_tokens + used.completion_tokens


@pytest.mark.parametrize("request_for", [SCHEMA_REQUEST, TOOL_REQUEST], ids=["schema", "tool"])
def test_a_stream_says_what_a_whole_reply_says(asker: Asker, request_for: dict[str, Any]) -> None:
    whole, chunks = asker.whole(seed=3, **request_for), asker.streamed(seed=3, **request_for)
    assert text_of(chunks) == _said(whole)
    assert chunks[-1].usage == whole.usage and not chunks[-1].choices
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert len(chunks) > 10


def test_seed_and_temperature_choose_the_reply(asker: Asker) -> None:
    def notes(**fields: Any) -> list[str]:
        return [_said(asker.whole(**fields, **SCHEMA_REQUEST)) for _ in range(2)]

    (one, again), (two, _) = notes(seed=1), notes(seed=2)
    assert one == again != two
    assert len(set(notes())) == 2
    assert notes(temperature=0) == notes(temperature=0, seed=5)


def test_a_model_with_tools_and_a_choice_calls_one_of_them(asker: Asker) -> None:
    other = {"type": "function", "function": {"name": "wait", "parameters": {"type": "object"}}}
    for choice in ("auto", "required"):
        replies = [
            asker.whole(tools=[*TOOLS, other], tool_choice=choice, seed=seed, max_tokens=200)
            for seed in range(6)
        ]
        calls = [reply.choices[0].message.tool_calls[0].function.name for reply in replies]
        assert set(calls) == {"submit", "wait"}
    assert replies[calls.index("submit")].choices[0].finish_reason == "tool_calls"
    assert asker.whole(tools=TOOLS, tool_choice="none").choices[0].message.tool_calls is None


def test_a_reply_is_cut_at_the_limit(asker: Asker) -> None:
    for limit in ({"max_tokens": 5}, {"max_completion_tokens": 5}):
        reply = asker.whole(**limit, **SCHEMA_REQUEST)
        assert reply.choices[0].finish_reason == "length"
        assert reply.usage.completion_tokens == 5
        with pytest.raises(ValidationError):
            Answer.model_validate_json(_said(reply))


def test_without_a_schema_it_babbles(asker: Asker) -> None:
    said = _said(asker.whole(seed=0, max_tokens=100))
    assert len(said) > 20 and said.isprintable()
    with pytest.raises(json.JSONDecodeError):
        json.loads(said)
    assert isinstance(
        json.loads(_said(asker.whole(seed=0, response_format={"type": "json_object"}))), dict
    )


def test_the_script_comes_first_word_for_word(server: Server, asker: Asker) -> None:
    server.script(["not JSON\n\x01é", '{"steps": []}', "streamed, too"])
    assert _said(asker.whole(**SCHEMA_REQUEST)) == "not JSON\n\x01é"
    assert _said(asker.whole(**TOOL_REQUEST)) == '{"steps": []}'
    assert text_of(asker.streamed(**SCHEMA_REQUEST)) == "streamed, too"
    Answer.model_validate_json(_said(asker.whole(**SCHEMA_REQUEST)))


def test_lists_and_texts_can_be_bounded_from_outside(server: Server, asker: Asker) -> None:
    free = {"type": "array", "items": {"type": "string"}}
    schema = {"type": "object", "properties": {"free": free}, "required": ["free"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "lists", "schema": schema}}

    def lists() -> list[list[str]]:
        replies = [asker.whole(seed=seed, response_format=wanted) for seed in range(20)]
        return [json.loads(_said(reply))["free"] for reply in replies]

    assert [] in lists()
    server.bound(least=2, most=3, text=5)
    bounded = lists()
    assert {len(items) for items in bounded} == {2, 3}
    assert max(len(text) for items in bounded for text in items) <= 5
    server.clear()
    assert [] in lists()


def test_it_remembers_what_it_was_asked(server: Server, asker: Asker) -> None:
    asker.whole(seed=7, tools=TOOLS, tool_choice=FORCED)
    (heard,) = server.requests()
    assert heard["authorization"] == f"Bearer {KEY}"
    assert heard["body"]["messages"] == MESSAGES and heard["body"]["seed"] == 7
    server.clear()
    assert server.requests() == []


def test_it_refuses_what_openai_refuses(asker: Asker) -> None:
    def strict(**changes: Any) -> Any:
        described = {"name": "answer", "strict": True, "schema": SCHEMA | changes}
        return {"type": "json_schema", "json_schema": described}

    refused: list[tuple[str, dict[str, Any]]] = [
        ("'additionalProperties' is required", strict(additionalProperties=True)),
        ("Missing 'note'", strict(required=["steps"])),
        ("'oneOf' is not permitted", strict(properties={"steps": {"oneOf": []}})),
        ("got 'type: \"array\"'", strict(type="array")),
    ]
    for told, response_format in refused:
        with pytest.raises(BadRequestError, match=told):
            asker.whole(response_format=response_format)
    with pytest.raises(BadRequestError, match="none of the characters"):
        choice = {"type": "object", "properties": {"word": {"enum": ["né", "nè"]}}}
        described = {"name": "answer", "schema": {**choice, "required": ["word"]}}
        asker.whole(response_format={"type": "json_schema", "json_schema": described})
    with pytest.raises(BadRequestError, match="maximum context length"):
        asker.whole(messages=[{"role": "user", "content": "x " * 20_000}])
    with pytest.raises(BadRequestError, match="not found in 'tools'"):
        asker.whole(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "no"}})


def test_transformers_serve_takes_a_schema_and_ignores_it(serving: Serving) -> None:
    with asking(serving.base_url, timeout_s=300.0) as asker:
        for ignored in ({"response_format": RESPONSE_FORMAT}, TOOL_REQUEST):
            reply = asker.whole(model=serving.model, max_tokens=20, **ignored)
            assert not reply.choices[0].message.tool_calls
            with pytest.raises(json.JSONDecodeError):
                json.loads(_said(reply))
