"""An OpenAI-compatible server around the tiny Llama, which can also be told what to answer.

Besides the API it has `POST /script`, a list of replies that are given word for word before the
model is asked again, `POST /bounds`, what its texts and lists are held to from then on, and
`/requests`, every request that came in. Run it with

    python -m tests.llm.server --model FOLDER --port 0

It prints `{"port": ...}` once it listens.
"""

from __future__ import annotations

import argparse
import json
import socket
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse

from tests.llm.chat import Asked, BadRequest, understand
from tests.llm.decoding import Bounds, Decoder, TooLong, Unwritable, Writing
from tests.llm.replies import Json, Stream, completion, ending, error, forced_tool, usage

MODEL = "tiny-llama"


class Speaker:
    """Answers requests, from the script while it lasts."""

    def __init__(self, decoder: Decoder) -> None:
        self.script: deque[str] = deque()
        self._decoder = decoder

    def answer(self, request: Json) -> Response:
        """Answer a request.

        Raises:
            BadRequest: OpenAI would refuse it.
        """
        began = time.perf_counter()
        asked = understand(request)
        prompt = self._decoder.prompt(asked.messages, asked.tools)
        if self.script:
            tool, reply = forced_tool(request), self._decoder.recite(self.script.popleft())
        else:
            tool, reply = asked.tool, self._write(asked, prompt)
        if request.get("stream"):
            stream = _stream(request, tool, reply, len(prompt))
            return StreamingResponse(stream, media_type="text/event-stream")
        try:
            text = "".join(reply)
        except Unwritable as refused:
            raise BadRequest(str(refused), "response_format") from None
        finish = ending(request, tool, reply.cut)
        used = usage(len(prompt), reply.tokens)
        took_ms = 1000 * (time.perf_counter() - began)
        return JSONResponse(
            completion(str(request.get("model")), text, tool, finish, used),
            headers={"openai-processing-ms": f"{took_ms:.1f}"},
        )

    def _write(self, asked: Asked, prompt: list[int]) -> Writing:
        try:
            grammar = None if asked.schema is None else self._decoder.grammar(asked.schema)
        except RuntimeError as refused:
            raise BadRequest(f"Invalid schema: {refused}", "response_format") from None
        try:
            return self._decoder.write(prompt, grammar, asked.sampling)
        except TooLong as refused:
            raise BadRequest(str(refused), "messages", "context_length_exceeded") from None


def _stream(request: Json, tool: str | None, reply: Writing, prompt: int) -> Iterator[bytes]:
    stream = Stream(request, tool)
    yield stream.opening()
    for piece in reply:
        yield stream.piece(piece)
    yield stream.closing(ending(request, tool, reply.cut), usage(prompt, reply.tokens))


def make_app(decoder: Decoder) -> FastAPI:
    """Return the server's routes."""
    app, speaker = FastAPI(), Speaker(decoder)
    heard: list[tuple[str | None, bytes]] = []

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        body = await request.body()
        heard.append((request.headers.get("authorization"), body))
        try:
            return await run_in_threadpool(speaker.answer, json.loads(body))
        except BadRequest as refused:
            content = error(str(refused), param=refused.param, code=refused.code)
            return JSONResponse(content, status_code=400)

    @app.get("/v1/models")
    def models() -> Json:
        known = {"id": MODEL, "object": "model", "created": 0, "owned_by": "tests"}
        return {"object": "list", "data": [known]}

    @app.post("/script")
    def script(replies: list[str]) -> int:
        speaker.script = deque(replies)
        return len(replies)

    @app.post("/bounds")
    def bound(bounds: Bounds) -> Bounds:
        decoder.bounds = bounds
        return bounds

    @app.get("/requests")
    def requests() -> list[Json]:
        return [{"authorization": key, "body": json.loads(body)} for key, body in heard]

    @app.delete("/requests")
    def forget() -> int:
        count = len(heard)
        heard.clear()
        return count

    return app


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    app = make_app(Decoder(args.model))
    listening = socket.create_server(("127.0.0.1", args.port))
    # asyncio leaves this to whoever makes the socket, and without it every reply takes 40 ms more.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()
