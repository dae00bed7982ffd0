"""What can go wrong between a client and a model, by name.

Where it makes sense, a request that streams is answered by a stream, and one that forces a tool by
arguments instead of words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from tests.llm.exchange import Exchange
from tests.llm.replies import Json, Stream, completion, error, forced_tool

Fault = Callable[[Exchange, int], None]
"""Answers a request, given its number among those for this fault, from 1."""

SLOW_S = 30.0
HUGE = 50_000_000
"""Size of a huge reply, characters."""
PROSE = "Certainly! I would begin with the red block, since it is closest to the bowl."
REFUSAL = "I'm sorry, I cannot assist with that request."
_BEAT_S = 0.05
_JSON, _EVENTS = "application/json", "text/event-stream"
_SERVER = "server_error"
_RATE = "Rate limit reached for tiny-llama. Please try again in 1s."
_QUOTA = "You exceeded your current quota, please check your plan and billing details."
_STATUSES: dict[str, tuple[int, Json]] = {
    "404": (404, error("The model 'tiny-llama' does not exist.", code="model_not_found")),
    "429": (429, error(_RATE, "requests", code="rate_limit_exceeded")),
    "quota": (429, error(_QUOTA, "insufficient_quota", code="insufficient_quota")),
    "500": (500, error("The server had an error while processing your request.", _SERVER)),
    "503": (503, error("The engine is currently overloaded.", _SERVER)),
}


def _status(name: str, times: int | None = None) -> Fault:
    """Answer with an error, the first times or always."""
    status, content = _STATUSES[name]
    headers = {"Retry_After": "1"} if name == "429" else {}

    def fault(exchange: Exchange, number: int) -> None:
        if times is not None and number > times:
            exchange.pass_on()
        else:
            exchange.send(status, content, **headers)

    return fault


def _wrong_key(exchange: Exchange, number: int) -> None:
    key = exchange.headers.get("Authorization", "").removeprefix("Bearer ")
    told = f"Incorrect API key provided: {key}. You can find your API key at https://example.org."
    exchange.send(401, error(told, code="invalid_api_key"))


def _slow(exchange: Exchange, number: int) -> None:
    if exchange.client_stays(SLOW_S):
        exchange.pass_on()


def _cut(exchange: Exchange, number: int) -> None:
    """Close the connection in the middle of the body."""
    whole = _reply(exchange, PROSE)
    exchange.send_head(200, _kind(exchange), Content_Length=str(len(whole)))
    exchange.wfile.write(whole[: len(whole) // 2])
    exchange.cut()


def _cut_headers(exchange: Exchange, number: int) -> None:
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
    exchange.cut()


def _half_json(exchange: Exchange, number: int) -> None:
    """Send half a body as if it were all of it."""
    whole = _reply(exchange, PROSE)
    exchange.send_bytes(200, _kind(exchange), whole[: len(whole) // 2] + b"\n\n")


def _html(exchange: Exchange, number: int) -> None:
    page = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
    exchange.send_bytes(200, "text/html", page)


def _huge(exchange: Exchange, number: int) -> None:
    exchange.send_bytes(200, _kind(exchange), _reply(exchange, "a" * HUGE))


def _endless(exchange: Exchange, number: int) -> None:
    """Send words without an end, or if the reply is to come in one piece, blanks before it."""
    exchange.send_chunks(_endlessly(exchange), _kind(exchange))


def _endlessly(exchange: Exchange) -> Iterator[bytes]:
    stream = _stream(exchange)
    if exchange.streaming:
        yield stream.opening()
    while exchange.client_stays(_BEAT_S):
        yield stream.piece("word ") if exchange.streaming else b" "


def _stalled(exchange: Exchange, number: int) -> None:
    """Begin a reply and say no more, without closing the connection."""
    stream = _stream(exchange)
    exchange.send_head(200, _kind(exchange), Transfer_Encoding="chunked")
    if exchange.streaming:
        for piece in (stream.opening(), stream.piece("one "), stream.piece("two ")):
            exchange.send_chunk(piece)
    else:
        exchange.send_chunk(_reply(exchange, PROSE)[:100])
    exchange.client_stays()


def _says(text: str) -> Fault:
    """Answer in words, whatever was asked for."""

    def fault(exchange: Exchange, number: int) -> None:
        exchange.send_bytes(200, _kind(exchange), _reply(exchange, text, words=True))

    return fault


def _no_choices(exchange: Exchange, number: int) -> None:
    if exchange.streaming:
        exchange.send_bytes(200, _EVENTS, _stream(exchange).event([], None) + b"data: [DONE]\n\n")
    else:
        exchange.send(200, {**completion(exchange.model, ""), "choices": []})


def _refuses(exchange: Exchange, number: int) -> None:
    if exchange.streaming:
        stream = Stream(exchange.asked)
        told = stream.delta({"refusal": REFUSAL})
        exchange.send_bytes(200, _EVENTS, stream.opening() + told + stream.closing())
    else:
        reply = completion(exchange.model, "")
        reply["choices"][0]["message"] |= {"content": None, "refusal": REFUSAL}
        exchange.send(200, reply)


def _rejects_json_schema(exchange: Exchange, number: int) -> None:
    if (exchange.asked.get("response_format") or {}).get("type") == "json_schema":
        told = "response_format type json_schema is not supported"
        exchange.send(400, error(told, param="response_format"))
    else:
        exchange.pass_on()


def _rejects_tools(exchange: Exchange, number: int) -> None:
    if exchange.asked.get("tools"):
        exchange.send(400, error("tools is not supported", param="tools"))
    else:
        exchange.pass_on()


def _ignores(*fields: str) -> Fault:
    """Pass the request on without some of what it asks for."""

    def fault(exchange: Exchange, number: int) -> None:
        kept = {name: value for name, value in exchange.asked.items() if name not in fields}
        exchange.pass_on(kept)

    return fault


def _kind(exchange: Exchange) -> str:
    return _EVENTS if exchange.streaming else _JSON


def _stream(exchange: Exchange) -> Stream:
    return Stream(exchange.asked, forced_tool(exchange.asked))


def _reply(exchange: Exchange, text: str, words: bool = False) -> bytes:
    """Return a whole body that says the text: a reply in words, or else whatever was asked for."""
    tool = None if words else forced_tool(exchange.asked)
    if not exchange.streaming:
        return json.dumps(completion(exchange.model, text, tool)).encode()
    stream = Stream(exchange.asked, tool)
    return stream.opening() + stream.piece(text) + stream.closing()


FAULTS: dict[str, Fault] = {
    "none": lambda exchange, number: exchange.pass_on(),
    "slow": _slow,
    "cut": _cut,
    "cut-headers": _cut_headers,
    "401": _wrong_key,
    "404": _status("404"),
    "429": _status("429"),
    "429-twice": _status("429", times=2),
    "quota": _status("quota"),
    "500": _status("500"),
    "500-once": _status("500", times=1),
    "503": _status("503"),
    "half-json": _half_json,
    "html": _html,
    "huge": _huge,
    "endless": _endless,
    "stalled": _stalled,
    "no-choices": _no_choices,
    "empty-content": _says(""),
    "free-text": _says(PROSE),
    "refuses": _refuses,
    "rejects-json-schema": _rejects_json_schema,
    "rejects-tools": _rejects_tools,
    "ignores-json-schema": _ignores("response_format"),
    "ignores-tools": _ignores("tools", "tool_choice"),
}
