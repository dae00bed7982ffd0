"""What the errors of remote services' clients tell, without importing any of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator

_LONGEST = 160
"""Characters that are repeated of what a server says."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 8.0


def wait_s(error: BaseException | None, attempt: int) -> float:
    """Return how long to wait before asking again, s: what the server says, else ever longer."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        wait = float(headers.get("retry-after", ""))
    except ValueError:
        wait = _FIRST_WAIT_S * 2 ** (attempt - 1)
    return min(max(wait, 0.0), _LONGEST_WAIT_S)


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status an error is about."""
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None


def is_unreachable(error: BaseException) -> bool:
    """Return whether nobody listens at the address, or there is no such address."""
    return any(
        isinstance(link, ConnectionRefusedError | socket.gaierror)
        or type(link).__name__ in ("ConnectError", "ConnectTimeout")
        for link in _chain(error)
    )


def was_late(error: BaseException) -> bool:
    """Return whether an answer took too long."""
    return bool(_kinds(error) & {"APITimeoutError", "ReadTimeout", "TimeoutError"})


def broke_off(error: BaseException) -> bool:
    """Return whether the connection ended before the answer did."""
    return bool(
        _kinds(error)
        & {"APIConnectionError", "RemoteProtocolError", "ReadError", "ConnectionResetError"}
    )


def _kinds(error: BaseException) -> set[str]:
    return {type(link).__name__ for link in _chain(error)}


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def root(error: BaseException) -> str:
    """Return what the first cause of an error says."""
    *_, root = _chain(error)
    return str(root) or type(root).__name__


def told(error: BaseException, secret: str) -> str:
    """Return what an error says, on one line, short, and without the key."""
    text = " ".join(str(error).split())
    if secret:
        text = text.replace(secret, "***")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
