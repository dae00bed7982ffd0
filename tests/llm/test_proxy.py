from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import openai
import pytest

from tests.llm.faults import HUGE, PROSE, REFUSAL
from tests.llm.processes import Proxy, Server
from tests.llm.samples import (
    KEY,
    SCHEMA_REQUEST,
    TOOL_REQUEST,
    Answer,
    Asker,
    asking,
    text_of,
)

STATUSES: list[tuple[str, type[openai.APIStatusError], int]] = [
    ("401", openai.AuthenticationError, 401),
    ("404", openai.NotFoundError, 404),
    ("429", openai.RateLimitError, 429),
    ("quota", openai.RateLimitError, 429),
    ("500", openai.InternalServerError, 500),
    ("503", openai.InternalServerError, 503),
]


@contextmanager
def _behind(proxy: Proxy, fault: str, timeout_s: float = 60.0) -> Iterator[Asker]:
    with asking(proxy.url(fault), timeout_s) as asker:
        yield asker


def _text(completion: Any) -> Any:
    message = completion.choices[0].message
    return message.tool_calls[0].function.arguments if message.tool_calls else message.content


def test_it_passes_everything_on(proxy: Proxy, server: Server) -> None:
    with _behind(proxy, "none") as asker:
        for request in (SCHEMA_REQUEST, TOOL_REQUEST):
            whole, chunks = asker.whole(seed=1, **request), asker.streamed(seed=1, **request)
            Answer.model_validate_json(_text(whole))
            assert text_of(chunks) == _text(whole)
    assert proxy.counts() == {"none": 4}
    assert {heard["authorization"] for heard in server.requests()} == {f"Bearer {KEY}"}


@pytest.mark.parametrize(("fault", "raised", "status"), STATUSES)
@pytest.mark.parametrize("ask", [Asker.whole, Asker.streamed])
def test_a_status_is_an_exception(
    proxy: Proxy, fault: str, raised: type[openai.APIStatusError], status: int, ask: Any
) -> None:
    with _behind(proxy, fault) as asker, pytest.raises(raised) as caught:
        ask(asker, **SCHEMA_REQUEST)
    assert caught.value.status_code == status
    assert (KEY in str(caught.value)) == (fault == "401")
    assert caught.value.response.headers.get("retry-after") == ("1" if fault == "429" else None)


def test_what_fails_a_few_times_passes_then_and_can_be_reset(proxy: Proxy) -> None:
    for fault, times in (("429-twice", 2), ("500-once", 1)):
        with _behind(proxy, fault) as asker:
            for _ in range(times):
                with pytest.raises(openai.APIStatusError):
                    asker.whole(**SCHEMA_REQUEST)
            asker.whole(**SCHEMA_REQUEST)
    assert proxy.counts() == {"429-twice": 3, "500-once": 2}
    proxy.reset()
    assert proxy.counts() == {}


@pytest.mark.parametrize("fault", ["cut", "cut-headers"])
@pytest.mark.parametrize("ask", [Asker.whole, Asker.streamed])
def test_a_cut_connection_is_a_connection_error(proxy: Proxy, fault: str, ask: Any) -> None:
    with _behind(proxy, fault) as asker, pytest.raises(openai.APIConnectionError):
        ask(asker, **SCHEMA_REQUEST)


@pytest.mark.parametrize("fault", ["slow", "stalled"])
@pytest.mark.parametrize("ask", [Asker.whole, Asker.streamed])
def test_silence_is_a_timeout(proxy: Proxy, fault: str, ask: Any) -> None:
    began = time.monotonic()
    with _behind(proxy, fault, timeout_s=0.5) as asker, pytest.raises(openai.APITimeoutError):
        ask(asker, **SCHEMA_REQUEST)
    assert time.monotonic() - began < 10.0


def test_a_stalled_stream_begins_well(proxy: Proxy) -> None:
    with (
        _behind(proxy, "stalled", timeout_s=0.5) as asker,
        asker.whole(stream=True, **TOOL_REQUEST) as stream,
    ):
        assert text_of([next(stream) for _ in range(3)]) == "one two "


def test_an_endless_stream_outlives_the_timeout(proxy: Proxy) -> None:
    began, words = time.monotonic(), 0
    with (
        _behind(proxy, "endless", timeout_s=0.5) as asker,
        asker.whole(stream=True, **SCHEMA_REQUEST) as stream,
    ):
        while time.monotonic() - began < 1.0:
            words += next(stream).choices[0].delta.content == "word "
    assert words > 3


def test_endless_blanks_before_a_reply_outlive_the_timeout(proxy: Proxy) -> None:
    began, told = time.monotonic(), b""
    url, body = f"{proxy.url('endless')}/chat/completions", {"model": "tiny-llama"}
    with (
        httpx2.Client(timeout=0.5) as client,
        client.stream("POST", url, json=body) as reply,
    ):
        pieces = reply.iter_bytes()
        while time.monotonic() - began < 1.0:
            told += next(pieces)
    assert len(told) > 3 and not told.strip()


def test_half_a_reply_is_not_json(proxy: Proxy) -> None:
    with _behind(proxy, "half-json") as asker:
        for ask in (asker.whole, asker.streamed):
            with pytest.raises(json.JSONDecodeError):
                ask(**SCHEMA_REQUEST)


def test_a_page_of_html_is_a_string_or_no_chunks_at_all(proxy: Proxy) -> None:
    with _behind(proxy, "html") as asker:
        assert "Bad Gateway" in asker.whole(**SCHEMA_REQUEST)
        assert asker.streamed(**SCHEMA_REQUEST) == []


def test_a_huge_reply_is_huge(proxy: Proxy) -> None:
    with _behind(proxy, "huge") as asker:
        assert len(_text(asker.whole(**SCHEMA_REQUEST))) == HUGE
        assert len(text_of(asker.streamed(**TOOL_REQUEST))) == HUGE


def test_no_choices_are_no_choices(proxy: Proxy) -> None:
    with _behind(proxy, "no-choices") as asker:
        assert asker.whole(**SCHEMA_REQUEST).choices == []
        assert all(chunk.choices == [] for chunk in asker.streamed(**SCHEMA_REQUEST))


@pytest.mark.parametrize(("fault", "told"), [("empty-content", ""), ("free-text", PROSE)])
def test_words_come_whatever_was_asked(proxy: Proxy, fault: str, told: str) -> None:
    with _behind(proxy, fault) as asker:
        for request in (SCHEMA_REQUEST, TOOL_REQUEST):
            assert _text(asker.whole(**request)) == told
            assert text_of(asker.streamed(**request)) == told


def test_a_refusal_has_a_field_of_its_own(proxy: Proxy) -> None:
    with _behind(proxy, "refuses") as asker:
        assert asker.whole(**SCHEMA_REQUEST).choices[0].message.refusal == REFUSAL
        chunks = asker.streamed(**SCHEMA_REQUEST)
        deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
        assert REFUSAL in [delta.refusal for delta in deltas]


@pytest.mark.parametrize(
    ("fault", "refused", "taken"),
    [
        ("rejects-json-schema", SCHEMA_REQUEST, TOOL_REQUEST),
        ("rejects-tools", TOOL_REQUEST, SCHEMA_REQUEST),
    ],
)
def test_one_way_is_rejected_and_the_other_works(
    proxy: Proxy, fault: str, refused: dict[str, Any], taken: dict[str, Any]
) -> None:
    with _behind(proxy, fault) as asker:
        with pytest.raises(openai.BadRequestError, match="is not supported"):
            asker.whole(**refused)
        Answer.model_validate_json(_text(asker.whole(**taken)))


@pytest.mark.parametrize(
    ("fault", "request_for"),
    [("ignores-json-schema", SCHEMA_REQUEST), ("ignores-tools", TOOL_REQUEST)],
)
def test_what_is_ignored_gives_babble(
    proxy: Proxy, fault: str, request_for: dict[str, Any]
) -> None:
    with _behind(proxy, fault) as asker:
        message = asker.whole(seed=0, max_tokens=50, **request_for).choices[0].message
    assert not message.tool_calls
    with pytest.raises(json.JSONDecodeError):
        json.loads(message.content)


def test_a_fault_there_is_not_is_named(proxy: Proxy) -> None:
    with _behind(proxy, "nonsense") as asker, pytest.raises(openai.NotFoundError, match="429-twi"):
        asker.whole()
