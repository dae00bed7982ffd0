"""What the errors of providers' clients mean, told without importing any of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from agent.planner.chat import ChatFault, Fault

_PASSING = (Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.BROKE_OFF)
_LONGEST = 160
"""Characters that are repeated of what a server says."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 8.0


def fault_of(error: BaseException, name: str, secret: str = "") -> ChatFault:
    """Return what an error means: a code, and a sentence that holds no key.

    Args:
        error: What a client raised.
        name: The model that was asked.
        secret: The key.
    """
    if isinstance(error, ChatFault):
        return error
    status, said = _status(error), told(error, secret)
    if status is not None:
        return _refusal(status, name, said)
    if _is_unreachable(error):
        return ChatFault(
            Fault.UNREACHABLE,
            f"{name} cannot be reached ({_root(error)}); is the machine online, the server running "
            "and planner.base_url right? `--planner grammar` needs no model.",
        )
    kinds = {type(link).__name__ for link in _chain(error)}
    if kinds & {"APITimeoutError", "ReadTimeout", "TimeoutError"}:
        return ChatFault(Fault.TIMEOUT, f"{name} did not answer in time; try again.")
    if kinds & {"APIConnectionError", "RemoteProtocolError", "ReadError", "ConnectionResetError"}:
        return ChatFault(
            Fault.BROKE_OFF, f"{name} broke off in the middle of its answer; try again."
        )
    return ChatFault(
        Fault.MALFORMED,
        f"{name} gave an answer that cannot be read ({type(error).__name__}: {said}); is what "
        "planner.base_url names a server of this kind?",
    )


def may_pass(error: BaseException) -> bool:
    """Return whether asking again may help: the server was busy, broken or broke off."""
    return fault_of(error, "").fault in _PASSING


def wait_s(error: BaseException | None, attempt: int) -> float:
    """Return how long to wait before asking again, s: what the server says, else ever longer."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        wait = float(headers.get("retry-after", ""))
    except ValueError:
        wait = _FIRST_WAIT_S * 2 ** (attempt - 1)
    return min(max(wait, 0.0), _LONGEST_WAIT_S)


def _refusal(status: int, name: str, said: str) -> ChatFault:
    if status in (401, 403):
        # What the server says of a key may repeat it.
        return ChatFault(
            Fault.UNAUTHORIZED,
            f"{name} refused the key ({status}); set it in the environment, or planner.key_file.",
        )
    if status == 429:
        return ChatFault(Fault.RATE_LIMITED, f"{name} takes no more questions now ({said}).")
    if status >= 500:
        return ChatFault(Fault.SERVER_ERROR, f"{name} failed ({status}: {said}); try again later.")
    return ChatFault(Fault.REJECTED, f"{name} refused the question ({status}: {said}).")


def _status(error: BaseException) -> int | None:
    """Return the HTTP status an error is about."""
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None


def _is_unreachable(error: BaseException) -> bool:
    return any(
        isinstance(link, ConnectionRefusedError | socket.gaierror)
        or type(link).__name__ in ("ConnectError", "ConnectTimeout")
        for link in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _root(error: BaseException) -> str:
    *_, root = _chain(error)
    return str(root) or type(root).__name__


def told(error: BaseException, secret: str) -> str:
    """Return what an error says, on one line, short, and without the key."""
    text = " ".join(str(error).split())
    if secret:
        text = text.replace(secret, "***")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
