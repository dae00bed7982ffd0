"""The servers of these tests, each in a process of its own that ends with a `with` block."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

_ROOT = Path(__file__).parents[2]
_HOST = "127.0.0.1"
_START_S = 300.0
"""How long a server may take to start, s; importing torch on a busy machine takes its time."""
_POLL_S = 0.05
_Probed = TypeVar("_Probed")


class Process:
    """A server on a port of this machine; what it says goes to two files."""

    port: int

    def __init__(self, folder: Path, *command: str) -> None:
        self.said, self._log = folder / "stdout.txt", folder / "stderr.txt"
        environment = {
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": str(_ROOT),
            # Numpy's threads wait for each other longer than the tiny model takes to compute.
            "OPENBLAS_NUM_THREADS": "1",
        }
        with self.said.open("wb") as said, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=_ROOT, env=environment, stdout=said, stderr=log
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def wait_for(self, probe: Callable[[], _Probed | None]) -> _Probed:
        """Return what the probe finds, as soon as it finds something.

        Raises:
            RuntimeError: The process ended first, or took too long.
        """
        until = time.monotonic() + _START_S
        while self._process.poll() is None and time.monotonic() < until:
            if (found := probe()) is not None:
                return found
            time.sleep(_POLL_S)
        self._end()
        tail = self._log.read_text()[-2000:] + self.said.read_text()[-1000:]
        raise RuntimeError(f"{self._process.args!r} did not start:\n{tail}")

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        """Return the JSON that the server answers.

        Raises:
            RuntimeError: Its status is not 200.
        """
        return json.loads(self.send(method, path, content))

    def send(self, method: str, path: str, content: Any = None) -> bytes:
        """Return the whole body that the server answers.

        Raises:
            RuntimeError: Its status is not 200.
        """
        connection = HTTPConnection(_HOST, self.port)
        body = None if content is None else json.dumps(content)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            text = reply.read()
        finally:
            connection.close()
        if reply.status != 200:
            raise RuntimeError(f"{method} {path} answered {reply.status}: {text[:300]!r}")
        return text


class _Ours(Process):
    """One of our own servers, which print their port once they listen."""

    def __init__(self, folder: Path, module: str, *args: str) -> None:
        super().__init__(folder, sys.executable, "-m", module, *args)

    def __enter__(self) -> Self:
        self.port = self.wait_for(self._printed)
        return self

    def _printed(self) -> int | None:
        said = self.said.read_text()
        return int(json.loads(said)["port"]) if said.endswith("\n") else None


class Server(_Ours):
    """The tiny Llama behind OpenAI's API."""

    def __init__(self, folder: Path, model: Path) -> None:
        super().__init__(folder, "tests.llm.server", "--model", str(model))

    @property
    def base_url(self) -> str:
        return f"http://{_HOST}:{self.port}/v1"

    def script(self, replies: list[str]) -> None:
        """Give these replies, in order and word for word, before asking the model again."""
        self.ask("POST", "/script", replies)

    def requests(self) -> list[dict[str, Any]]:
        """Return every request since it was last cleared: its `authorization` and its `body`."""
        heard: list[dict[str, Any]] = self.ask("GET", "/requests")
        return heard

    def bound(self, **bounds: int) -> None:
        """Hold texts and lists to some `Bounds` from now on; to the usual ones where not given."""
        self.ask("POST", "/bounds", bounds)

    def stream(self, request: dict[str, Any]) -> bytes:
        """Return all events of the answer to a request for a stream."""
        return self.send("POST", "/v1/chat/completions", request)

    def clear(self) -> None:
        """Forget the requests, the bounds and the rest of the script."""
        self.script([])
        self.bound()
        self.ask("DELETE", "/requests")


class _Failing(_Ours):
    """A server behind whose URLs something goes wrong."""

    def url(self, fault: str) -> str:
        """Return the base URL behind which a fault happens."""
        return f"http://{_HOST}:{self.port}/{fault}/v1"

    def counts(self) -> dict[str, int]:
        """Return how many requests each fault had since the last reset."""
        counts: dict[str, int] = self.ask("GET", "/counts")
        return counts

    def reset(self) -> None:
        self.ask("DELETE", "/counts")


class Proxy(_Failing):
    """What goes wrong between a client and a server."""

    def __init__(self, folder: Path, server: Server) -> None:
        upstream = server.base_url.removesuffix("/v1")
        super().__init__(folder, "tests.llm.proxy", "--upstream", upstream)


class Transcriptions(_Failing):
    """OpenAI's transcription API, with scripted answers and everything that can go wrong."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "tests.speech.transcriptions")


class Serving(Process):
    """`transformers serve`, a real server that ignores every constraint on its replies."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.model = str(model)
        self.port = _free_port()
        program = Path(sys.executable).with_name("transformers")
        options = ["--device", "cpu", "--host", _HOST, "--port", str(self.port)]
        super().__init__(folder, str(program), "serve", self.model, *options)

    def __enter__(self) -> Self:
        self.wait_for(self._healthy)
        return self

    @property
    def base_url(self) -> str:
        return f"http://{_HOST}:{self.port}/v1"

    def _healthy(self) -> Any:
        try:
            return self.ask("GET", "/health")
        except ConnectionRefusedError:
            return None


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((_HOST, 0))
        port: int = taken.getsockname()[1]
        return port
