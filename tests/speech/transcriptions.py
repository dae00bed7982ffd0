"""A server of OpenAI's transcription API that answers from a script and goes wrong on demand.

The first segment of a path names what happens: the base URL is `http://127.0.0.1:PORT/NAME/v1`.
`GET /counts` says how many requests each name has had. Run it with

    python -m tests.speech.transcriptions --port 0

It prints `{"port": ...}` once it listens.
"""

from __future__ import annotations

import argparse
import io
import json
import wave
from collections.abc import Callable
from email.parser import BytesParser
from typing import Any

from tests.llm.exchange import Exchange, FaultServer
from tests.llm.replies import error

Answer = Callable[[Exchange, int], None]

SAID = "Put the red block in the blue bowl."
HOSTILE = "\x1b[2J\x1b]0;owned\x07rm -rf /; \u202eput\x00 the\u200b red block"
_SCORES = {
    "avg_logprob": -0.21,
    "compression_ratio": 1.1,
    "no_speech_prob": 0.02,
    "temperature": 0.0,
}
_SLOW_S = 30.0
_BEAT_S = 0.05


def segment(text: str, **scores: Any) -> dict[str, Any]:
    times = {"id": 0, "seek": 0, "start": 0.0, "end": 1.0, "tokens": []}
    return {**times, "text": text, **_SCORES, **scores}


def verbose(text: str, *segments: dict[str, Any], language: str = "english") -> dict[str, Any]:
    told = [*segments] or [segment(text)]
    return {"duration": 2.0, "language": language, "text": text, "segments": told}


def _says(content: Any) -> Answer:
    return lambda exchange, number: exchange.send(200, content)


def _echo(exchange: Exchange, number: int) -> None:
    """Answer with what came in: the model, the sound's length, the prompt and the key."""
    form = _form(exchange)
    with wave.open(io.BytesIO(form["file"])) as sound:
        shape = f"{sound.getnchannels()} {sound.getframerate()} {sound.getnframes()}"
    asked = [form[name].decode() for name in ("model", "response_format")]
    prompt = form.get("prompt", b"").decode()
    exchange.send(
        200, verbose(f"{' '.join(asked)} {shape} {prompt} {exchange.headers['Authorization']}")
    )


def _only_json(exchange: Exchange, number: int) -> None:
    """Refuse detailed answers, as some models' servers do, and give log probabilities instead."""
    form = _form(exchange)
    if form["response_format"] != b"json":
        told = "response_format 'verbose_json' is not compatible with model"
        exchange.send(400, error(told, param="response_format"))
        return
    logprobs = [{"token": word, "bytes": [], "logprob": -0.3} for word in SAID.split()]
    exchange.send(200, {"text": SAID, "logprobs": logprobs})


def _bare(exchange: Exchange, number: int) -> None:
    """Know no formats at all but text."""
    form = _form(exchange)
    if form["response_format"] != b"json" or any(name.startswith("include") for name in form):
        exchange.send(400, error("unknown parameter", param="response_format"))
    else:
        exchange.send(200, {"text": SAID})


def _status(status: int, told: str, times: int | None = None, **headers: str) -> Answer:
    """Answer with an error, the first times or always."""

    def answer(exchange: Exchange, number: int) -> None:
        if times is not None and number > times:
            exchange.send(200, verbose(SAID))
        else:
            exchange.send(status, error(told), **headers)

    return answer


def _wrong_key(exchange: Exchange, number: int) -> None:
    key = exchange.headers.get("Authorization", "").removeprefix("Bearer ")
    exchange.send(401, error(f"Incorrect API key provided: {key}.", code="invalid_api_key"))


def _leaks_key(exchange: Exchange, number: int) -> None:
    key = exchange.headers.get("Authorization", "").removeprefix("Bearer ")
    exchange.send(500, error(f"Failed while serving {key}."))


def _slow(exchange: Exchange, number: int) -> None:
    if exchange.client_stays(_SLOW_S):
        exchange.send(200, verbose(SAID))


def _endless(exchange: Exchange, number: int) -> None:
    """Send blanks before an answer that never comes."""
    exchange.send_head(200, "application/json", Transfer_Encoding="chunked")
    while exchange.client_stays(_BEAT_S):
        exchange.send_chunk(b" ")


def _cut(exchange: Exchange, number: int) -> None:
    whole = json.dumps(verbose(SAID)).encode()
    exchange.send_head(200, "application/json", Content_Length=str(len(whole)))
    exchange.wfile.write(whole[: len(whole) // 2])
    exchange.cut()


def _half_json(exchange: Exchange, number: int) -> None:
    whole = json.dumps(verbose(SAID)).encode()
    exchange.send_bytes(200, "application/json", whole[: len(whole) // 2])


def _html(exchange: Exchange, number: int) -> None:
    exchange.send_bytes(200, "text/html", b"<!DOCTYPE html><h1>502 Bad Gateway</h1>")


def _form(exchange: Exchange) -> dict[str, bytes]:
    """Return the fields of a form."""
    head = f"Content-Type: {exchange.headers['Content-Type']}\r\n\r\n".encode()
    fields = {}
    for part in BytesParser().parsebytes(head + exchange.body).walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            fields[str(part.get_param("name", header="content-disposition"))] = content
    return fields


_PARTS = (segment(" Put it down."), segment(" Thanks.", avg_logprob=-2.5))
ANSWERS: dict[str, Answer] = {
    "said": _says(verbose(SAID)),
    "echo": _echo,
    "only-json": _only_json,
    "bare": _bare,
    "two-parts": _says(verbose("Put it down. Thanks.", *_PARTS)),
    "other-words": _says(verbose(SAID, segment("Something else."))),
    "nan": _says(verbose(SAID, segment(SAID, avg_logprob="high", no_speech_prob=None))),
    "welsh": _says(verbose("Dw i ddim yn gwybod.", language="welsh")),
    "empty-text": _says(verbose("")),
    "hostile": _says(verbose(HOSTILE)),
    "huge": _says(verbose("word " * 1_000_000)),
    "no-text": _says({"segments": []}),
    "number": _says({"text": 5}),
    "list": _says([1, 2]),
    "401": _wrong_key,
    "leak": _leaks_key,
    "404": _status(404, "The model does not exist."),
    "429": _status(429, "Rate limit reached.", Retry_After="1"),
    "429-once": _status(429, "Rate limit reached.", times=1, Retry_After="0.1"),
    "500": _status(500, "The server had an error."),
    "500-once": _status(500, "The server had an error.", times=1),
    "slow": _slow,
    "endless": _endless,
    "cut": _cut,
    "half-json": _half_json,
    "html": _html,
}


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    server = FaultServer(args.port, "", ANSWERS)
    print(json.dumps({"port": server.server_port}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
