"""What the errors of providers' clients mean, told without importing any of them."""

from __future__ import annotations

from agent.planner.chat import ChatFault, Fault
from agent.remote import broke_off, is_unreachable, root, status_of, told, was_late

_PASSING = (Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.BROKE_OFF)


def fault_of(error: BaseException, name: str, secret: str = "") -> ChatFault:
    """Return what an error means: a code, and a sentence that holds no key.

    Args:
        error: What a client raised.
        name: The model that was asked.
        secret: The key.
    """
    if isinstance(error, ChatFault):
        return error
    status, said = status_of(error), told(error, secret)
    if status is not None:
        return _refusal(status, name, said)
    if is_unreachable(error):
        return ChatFault(
            Fault.UNREACHABLE,
            f"{name} cannot be reached ({root(error)}); is the machine online, the server running "
            "and planner.base_url right? `--planner grammar` needs no model.",
        )
    if was_late(error):
        return ChatFault(Fault.TIMEOUT, f"{name} did not answer in time; try again.")
    if broke_off(error):
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
