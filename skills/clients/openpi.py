"""A policy behind a server that speaks openpi's websocket protocol: openpi's own, or Bosun's."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

import numpy as np

from agent.errors import ConfigError, PolicyInvalid, PolicyLost, unknown
from skills.backend import Reply
from skills.clients.connection import BROKEN, Wire, broken
from skills.clients.rows import rows_of
from skills.interface.files import interface_of
from skills.interface.schema import Interface
from skills.wire.codec import RESET, TAKES_RESET, encode

T = TypeVar("T")
_FIRST_WAIT_S = 0.1


def open_openpi(
    address: str,
    *,
    key: str | None = None,
    keys: Sequence[str] = ("actions",),
    timeout_s: float = 5.0,
    tries: int = 3,
) -> tuple[OpenpiBackend, Interface | None]:
    """Connect to a server.

    Args:
        address: `host:port`.
        key: What the server is shown.
        keys: Where the actions are in its answers; several are joined.
        timeout_s: How long an answer may take, s, with all that has to be tried again for it.
        tries: How often a connection that breaks is made anew for one answer.

    Returns:
        The backend, and what the server says that its policy expects, which only Bosun's do.

    Raises:
        PolicyLost: Nobody answers there, or not as agreed.
    """
    backend = OpenpiBackend(address, key, keys, timeout_s, tries)
    with ExitStack() as undo:
        undo.callback(backend.close)
        backend.reset()
        interface = _interface(backend)
        undo.pop_all()
    return backend, interface


class OpenpiBackend:
    """Asks over one connection at a time.

    An answer that is late, or cannot be read, is dropped together with its connection, so that it
    is never taken for the next one.

    Attributes:
        server: What a sentence calls it.
    """

    def __init__(
        self,
        address: str,
        key: str | None,
        keys: Sequence[str],
        timeout_s: float,
        tries: int,
    ) -> None:
        """Keep where the server is; `reset` connects. See `open_openpi`."""
        self.server = f"The policy's server at {address}"
        self._address, self._key, self._keys = f"ws://{address}", key, tuple(keys)
        self._timeout_s, self._tries = timeout_s, tries
        self._wire: Wire | None = None
        self._metadata: Mapping[str, Any] | None = None
        self._begins = True

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the server said of itself; empty before it was reached."""
        return self._metadata or {}

    def reset(self) -> None:
        """Begin a subgoal, on a new connection where the last one is gone.

        Raises:
            PolicyLost: The server cannot be reached.
        """
        self._begins = True
        self._persist(self._connected)

    def ask(self, inputs: Mapping[str, Any]) -> Reply:
        """Return what the policy answers.

        Where the connection breaks another one is made and the same is asked again; for a server
        that remembers, the subgoal begins there.

        Args:
            inputs: Key -> array, number, text or mapping.

        Raises:
            PolicyLost: The server is gone, says that it failed, is late, or cannot be read.
            PolicyInvalid: What it answers is no chunk of actions.
        """
        answer = self._persist(lambda deadline_s: self._exchanged(inputs, deadline_s))
        return _reply(answer, self._keys, self.server)

    def close(self) -> None:
        """Close the connection; idempotent."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _exchanged(self, inputs: Mapping[str, Any], deadline_s: float) -> Mapping[str, Any]:
        wire = self._connected(deadline_s)
        told = dict(inputs)
        if self._begins and wire.metadata.get(TAKES_RESET) is True:
            told[RESET] = True
        answer = wire.exchange(told, deadline_s)
        self._begins = False
        return answer

    def _connected(self, deadline_s: float) -> Wire:
        """Return the connection, made anew where there is none."""
        if self._wire is None:
            self._wire = Wire(self._address, self.server, self._key, deadline_s)
            # As bytes, for they may hold arrays, which do not compare.
            if self._metadata is not None and encode(self._wire.metadata) != encode(self._metadata):
                raise PolicyLost(f"{self.server} serves another policy than before.")
            self._metadata = self._wire.metadata
        return self._wire

    def _persist(self, attempt: Callable[[float], T]) -> T:
        """Return what comes of an attempt, made again on a new connection where one breaks.

        Args:
            attempt: Is given when it must have succeeded, by the monotonic clock.
        """
        deadline_s = time.monotonic() + self._timeout_s
        failure: Exception | None = None
        for number in range(self._tries):
            if number:
                wait_s = _FIRST_WAIT_S * 2 ** (number - 1)
                time.sleep(max(0.0, min(wait_s, deadline_s - time.monotonic())))
            try:
                return attempt(deadline_s)
            except PolicyLost:
                self.close()
                raise
            except BROKEN as error:
                # Where the time ran out while trying again, it is told why that was needed.
                failure = error if failure is None else failure
                self.close()
                if isinstance(error, TimeoutError):
                    break
        assert failure is not None
        raise PolicyLost(
            f"{self.server} is lost: {broken(failure)} "
            f"(tried {number + 1} times in at most {self._timeout_s:g} s)."
        ) from failure


def _interface(backend: OpenpiBackend) -> Interface | None:
    """Return the interface that metadata hold, None where they hold none."""
    said = backend.metadata.get("interface")
    if said is None:
        return None
    try:
        return interface_of(said, "its metadata")
    except ConfigError as error:
        raise PolicyLost(f"{backend.server} makes no sense: {error}") from error


def _reply(answer: Mapping[str, Any], keys: Sequence[str], server: str) -> Reply:
    """Return the part of an answer that Bosun understands.

    Raises:
        PolicyInvalid: It holds no chunk of actions.
    """
    missing = [key for key in keys if key not in answer]
    if missing:
        raise PolicyInvalid(f"{server}: {unknown('key of actions', missing[0], answer)}")
    parts = [rows_of(answer[key], server) for key in keys]
    if len({len(part) for part in parts}) > 1:
        raise PolicyInvalid(f"{server} answers actions of different lengths.")
    actions = np.concatenate(parts, axis=1)
    spread = None
    if answer.get("spread") is not None:
        spread = rows_of(answer["spread"], server)[0]
        if spread.shape != actions.shape[:1]:
            raise PolicyInvalid(
                f"{server} answers {len(spread)} numbers of spread for {len(actions)} actions."
            )
    return Reply(
        actions, spread, _head(answer, "progress", server), _head(answer, "success", server)
    )


def _head(answer: Mapping[str, Any], name: str, server: str) -> float | None:
    """Return one number, or None where the policy does not have it."""
    value = answer.get(name)
    if value is None:
        return None
    number = np.asarray(value) if isinstance(value, int | float | np.generic | np.ndarray) else None
    if number is None or number.dtype.kind not in "fiu" or number.size != 1:
        raise PolicyInvalid(f"{server} answers {name} that is not one number.")
    return float(number.item())
