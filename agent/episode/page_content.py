"""What the page of an episode shows, as plain data: numbers by tick, and the rest in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.episode.codec import Message
from agent.episode.schemas import ACTION, CAMERA, CHUNK, MONITOR, STATE

_DIGITS = 5
"""Significant digits of what is drawn or shown as a number by tick; the log has them all."""


class PageContent:
    """Takes in an episode message by message."""

    def __init__(self) -> None:
        """Begin with nothing of it."""
        self._cameras: list[str] = []
        self._ticks: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []

    def add(self, parts: Mapping[str, Message]) -> None:
        """Take in the messages of one event.

        Raises:
            KeyError: A tick misses a part or a field.
        """
        if ACTION in parts:
            self._ticks.append(_tick(parts))
            return
        ticks = len(self._ticks)
        self._events += [{"topic": t, "ticks": ticks, **message} for t, message in parts.items()]

    def frame(self, topic: str) -> str:
        """Return the page's own name of a picture of the tick that was added last."""
        camera = topic.removeprefix(CAMERA)
        if camera not in self._cameras:
            self._cameras.append(camera)
        return f"frame-{self._cameras.index(camera)}-{len(self._ticks) - 1}"

    def plain(self) -> dict[str, Any]:
        """Return what was taken in.

        `ticks` holds a list per column, with one value per tick: null where there is none, and text
        where JSON has no such number. An event has its topic, the number of ticks before it, and
        what its message holds.
        """
        columns = dict.fromkeys(key for tick in self._ticks for key in tick)
        return {
            "cameras": self._cameras,
            "ticks": {key: [tick.get(key) for tick in self._ticks] for key in columns},
            "events": self._events,
        }


def _tick(parts: Mapping[str, Message]) -> dict[str, Any]:
    state, action, chunk = parts[STATE], parts[ACTION], parts[CHUNK]
    spread = chunk["spread"]
    tick = {
        "time_s": action["time_s"],
        "gripper": state["gripper"],
        "progress": chunk["progress"],
        "success": chunk["success"],
        "spread": _mean(spread) if spread else None,
    }
    tick |= {f"tool {axis}": at for axis, at in zip("xyz", state["ee_pose"], strict=False)}
    for which in ("raw", "sent"):
        tick |= {f"{which} {at}": value for at, value in enumerate(action[which] or [])}
    if (strain := parts.get(MONITOR)) is not None:
        tick |= {"score": strain["score"], "limit": strain["limit"]}
        tick |= {f"signal {name}": value for name, value in strain["signals"].items()}
    return {key: _rounded(value) for key, value in tick.items()}


def _mean(values: Sequence[float | str]) -> float | str:
    """Return the mean; what is no number stays what it is."""
    odd = next((value for value in values if isinstance(value, str)), None)
    return sum(map(float, values)) / len(values) if odd is None else odd


def _rounded(value: Any) -> Any:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
