"""A policy behind a server that speaks openpi's websocket protocol: openpi's own, or Bosun's."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import numpy as np
from pydantic import ValidationError

from agent.errors import ConfigError, PolicyInvalid, PolicyLost, unknown
from agent.types import FloatArray
from skills.backend import Reply
from skills.clients.connection import BROKEN, Wire, broken
from skills.interface.schema import Interface
from skills.wire.codec import RESET, TAKES_RESET, encode

T = TypeVar("T")
DEFAULT_PORT = 8000
_SCHEMES = {"openpi": "ws", "ws": "ws", "wss": "wss"}
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
        address: `HOST:PORT`, also with `openpi://`, `ws://` or `wss://` before it.
        key: What the server is shown.
        keys: Where the actions are in its answers; several are joined.
        timeout_s: How long an answer may take, s, with all that has to be tried again for it.
        tries: How often a connection that breaks is made anew for one answer.

    Returns:
        The backend, and what the server says that its policy expects, which only Bosun's do.

    Raises:
        ConfigError: The address is none.
        PolicyLost: Nobody answers there, or not as agreed.
    """
    backend = OpenpiBackend(address_of(address), key, keys, timeout_s, tries)
    try:
        backend.reset()
        return backend, _interface(backend)
    except BaseException:
        backend.close()
        raise


class OpenpiBackend:
    """Asks over one connection at a time.

    An answer that is late, or cannot be read, is dropped together with its connection, so that it
    is never taken for the next one.
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
        self._address, self._key, self._keys = address, key, tuple(keys)
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
        try:
            return _reply(answer, self._keys)
        except PolicyInvalid as error:
            raise PolicyInvalid(f"The policy at {self._address}: {error}") from error

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
            self._wire = Wire(self._address, self._key, deadline_s)
            # As bytes, for they may hold arrays, which do not compare.
            if self._metadata is not None and encode(self._wire.metadata) != encode(self._metadata):
                raise PolicyLost(f"At {self._address} another policy is served than before.")
            self._metadata = self._wire.metadata
        return self._wire

    def _persist(self, attempt: Callable[[float], T]) -> T:
        """Return what comes of an attempt, made again on a new connection where one breaks.

        Args:
            attempt: Is given when it must have succeeded, by the monotonic clock.
        """
        deadline_s = time.monotonic() + self._timeout_s
        failure: BaseException | None = None
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
            f"The policy at {self._address} is lost: {broken(failure)} "
            f"(tried {number + 1} times in at most {self._timeout_s:g} s)."
        ) from failure


def address_of(text: str) -> str:
    """Return the address of a server as its websocket's.

    Raises:
        ConfigError: It is none.
    """
    scheme, _, rest = text.rpartition("://")
    if scheme not in ("", *_SCHEMES):
        raise ConfigError(unknown("scheme", scheme, _SCHEMES))
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ConfigError(f"{text!r} is no address; write it as openpi://HOST:PORT.")
    host = f"[{host}]" if ":" in host else host
    return f"{_SCHEMES[scheme or 'openpi']}://{host}:{DEFAULT_PORT if port is None else port}"


def _interface(backend: OpenpiBackend) -> Interface | None:
    """Return the interface that metadata hold, None where they hold none."""
    said = backend.metadata.get("interface")
    if said is None:
        return None
    try:
        return Interface.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "interface"
        raise PolicyLost(
            f"What the server says that its policy expects makes no sense: {where}: {first['msg']}."
        ) from error


def _reply(answer: Mapping[str, Any], keys: Sequence[str]) -> Reply:
    """Return the part of an answer that Bosun understands.

    Raises:
        PolicyInvalid: It holds no chunk of actions.
    """
    parts = [_rows(answer, key) for key in keys]
    if len({len(part) for part in parts}) > 1:
        lengths = " and ".join(str(len(part)) for part in parts)
        raise PolicyInvalid(f"{' and '.join(keys)} have {lengths} rows.")
    actions = np.concatenate(parts, axis=-1)
    spread = answer.get("spread")
    if spread is not None and not (_is_numeric(spread) and spread.shape == actions.shape[:1]):
        raise PolicyInvalid(f"spread must have one number for each of {len(actions)} rows.")
    return Reply(
        actions,
        spread=None if spread is None else spread.astype(np.float32),
        progress=_head(answer, "progress"),
        success=_head(answer, "success"),
    )


def _rows(answer: Mapping[str, Any], key: str) -> FloatArray:
    """Return (rows, numbers) float32 actions; one row may come without an axis of its own."""
    if key not in answer:
        raise PolicyInvalid(unknown("key of actions", key, answer))
    actions = answer[key]
    if not _is_numeric(actions):
        raise PolicyInvalid(f"{key} must be an array of numbers, not {_kind(actions)}.")
    while actions.ndim > 2 and len(actions) == 1:
        actions = actions[0]
    rows = np.atleast_2d(actions) if actions.ndim else actions
    if rows.ndim != 2 or rows.size == 0:
        raise PolicyInvalid(f"{key} must have rows of numbers, not the shape {actions.shape}.")
    # A number too large for float32 becomes infinite, which the monitor then sees.
    with np.errstate(over="ignore"):
        narrowed: FloatArray = rows.astype(np.float32)
    return narrowed


def _head(answer: Mapping[str, Any], name: str) -> float | None:
    value = answer.get(name)
    if value is None:
        return None
    if isinstance(value, np.ndarray) and value.size == 1 and _is_numeric(value):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating):
        raise PolicyInvalid(f"{name} must be one number, not {_kind(value)}.")
    return float(value)


def _is_numeric(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iuf"


def _kind(value: Any) -> str:
    return f"of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
