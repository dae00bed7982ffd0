"""A command in the light of what was said of it later, in words that every planner reads."""

from __future__ import annotations

_NO = ", no, "


def corrected(command: str, said: str) -> str:
    """Return the command that a correction, or the answer to a question, makes of one."""
    return f"{command}{_NO}{said}"


def is_corrected(command: str, earlier: str) -> bool:
    """Return whether a command is an earlier one with corrections."""
    return command.startswith(f"{earlier}{_NO}")
