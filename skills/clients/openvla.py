"""OpenVLA's and OpenVLA-OFT's servers, which answer `POST /act`."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from agent.errors import PolicyLost
from agent.remote import broke_off, is_unreachable, root, told, wait_s
from skills.backend import Reply
from skills.clients import json_numpy
from skills.clients.rows import rows_of

_LARGEST_BODY = 4_000_000
"""Bytes an answer may have; a chunk of actions has a few thousand."""
_ERROR = "error"
"""What such a server answers, with status 200, whatever went wrong."""
_BUSY = frozenset({429, 502, 503, 504})


class ActBackend:
    """Asks over HTTP; one action and a list of rows are both answers."""

    def __init__(
        self,
        address: str,
        *,
        timeout_s: float,
        tries: int,
        key: str = "",
        encoded: bool = False,
    ) -> None:
        """Keep the address; nothing is sent yet.

        Args:
            address: `host:port`.
            timeout_s: How long an answer may take, s, tries and waits included.
            tries: How often it is asked where nobody listens, the server is busy or breaks off.
            key: Sent as a bearer's token; empty for none.
            encoded: Whether arrays travel as a text within the JSON, for servers without json-numpy
                in their web framework.
        """
        self._server = f"The policy's server at {address}"
        self._timeout_s, self._tries, self._encoded, self._key = timeout_s, tries, encoded, key
        # A robot's own server is not behind the proxy that the environment may name. It speaks no
        # TLS, so the certificates, which take long to read, are left alone.
        self._stream: Any = None
        self._http = httpx.Client(
            base_url=f"http://{address}",
            timeout=timeout_s,
            trust_env=False,
            verify=False,
            headers={"Authorization": f"Bearer {key}"} if key else {},
        )

    def reset(self) -> None:
        """Look whether somebody listens; the server itself remembers nothing.

        Raises:
            PolicyLost: Nobody does.
        """
        self._asked("GET", "/", None)

    def ask(self, inputs: Mapping[str, Any]) -> Reply:
        """Return what the model answers.

        Raises:
            PolicyLost: It does not, not in time, or nothing that can be read.
            PolicyInvalid: It is no table of numbers.
        """
        body = json_numpy.dumps(inputs)
        if self._encoded:
            body = json_numpy.dumps({"encoded": body})
        status, content = self._asked("POST", "/act", body.encode())
        if status != httpx.codes.OK:
            said = told(ValueError(content.decode(errors="replace")), self._key)
            raise PolicyLost(f"{self._server} answers with status {status}: {said}")
        return Reply(rows_of(self._read(content), self._server))

    def close(self) -> None:
        """Close the connection; idempotent."""
        self._http.close()

    def _read(self, content: bytes) -> Any:
        """Return what an answer holds, in either of the two forms."""
        try:
            answer = json_numpy.loads(content)
            if isinstance(answer, str) and answer != _ERROR:
                answer = json_numpy.loads(answer)
        except ValueError as error:
            said = told(error, self._key)
            raise PolicyLost(f"{self._server} answers what cannot be read: {said}.") from error
        if isinstance(answer, str):
            raise PolicyLost(
                f"{self._server} answers 'error': it could not work with what it was asked, such "
                "as its keys or `unnorm_key`; its own log says why."
            )
        return answer

    def _asked(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Return the status and the content of an answer, asking again where that may help."""
        deadline = time.monotonic() + self._timeout_s
        for attempt in range(1, self._tries + 1):
            last = attempt == self._tries
            try:
                status, content = self._once(method, path, body, deadline)
                if last or status not in _BUSY:
                    return status, content
                failure: httpx.HTTPError | None = None
            except httpx.TimeoutException as error:
                raise self._late() from error
            except httpx.HTTPError as error:
                if time.monotonic() >= deadline:
                    raise self._late() from error
                if last or not (is_unreachable(error) or broke_off(error)):
                    raise self._lost(error, attempt) from error
                failure = error
            pause = wait_s(failure, attempt)
            if time.monotonic() + pause >= deadline:
                raise self._late() if failure is None else self._lost(failure, attempt)
            time.sleep(pause)
        raise AssertionError("The last try returns or raises.")

    def _once(
        self, method: str, path: str, body: bytes | None, deadline: float
    ) -> tuple[int, bytes]:
        """Ask once; an answer that trickles or never ends is given up."""
        headers = {"Content-Type": "application/json"}
        left_s = max(deadline - time.monotonic(), 0.001)
        asked = self._http.stream(
            method,
            path,
            content=body,
            headers=headers,
            timeout=left_s,
            extensions={"trace": self._keep_stream},
        )
        with self._broken_off_after(left_s), asked as response:
            content = bytearray()
            for part in response.iter_bytes():
                content += part
                if len(content) > _LARGEST_BODY:
                    raise PolicyLost(
                        f"{self._server} answers more than {_LARGEST_BODY} bytes, which is no "
                        "chunk of actions."
                    )
                if time.monotonic() > deadline:
                    raise self._late()
            return response.status_code, bytes(content)

    @contextmanager
    def _broken_off_after(self, limit_s: float) -> Iterator[None]:
        """End the connection if the context lasts longer than so many seconds.

        The client's own limit is on each read alone, and headers may trickle, too.
        """
        timer = threading.Timer(limit_s, self._break_off)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def _break_off(self) -> None:
        if self._stream is not None:
            # To close it would not wake whoever reads from it.
            with suppress(OSError):
                self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def _keep_stream(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of a connection that has come about."""
        if event == "connection.connect_tcp.complete":
            self._stream = info["return_value"]

    def _late(self) -> PolicyLost:
        return PolicyLost(f"{self._server} has not answered for {self._timeout_s:g} s.")

    def _lost(self, error: Exception, attempt: int) -> PolicyLost:
        said = told(ValueError(root(error)), self._key)
        times = "once" if attempt == 1 else f"{attempt} times"
        return PolicyLost(f"{self._server} is lost, asked {times}: {said}.")
