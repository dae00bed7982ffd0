"""The messages of one topic, as far as their stamps can be believed."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from agent.errors import MessageError, RobotStopped
from agent.ros.messages import seconds_of

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is asked of the stamps of a topic.

    Attributes:
        max_age_s: How old the newest message may be, s.
        max_jump_s: How far stamps may jump ahead of the time that passed, or back, s.
        system: Whether stamps are of this machine's clock.
    """

    max_age_s: float
    max_jump_s: float
    system: bool


class Stream(Generic[Value]):
    """Keeps the newest messages; what cannot be believed is a fault, or as if it had not come.

    A message that is late, or whose stamp is that of the last one, does not count: so a topic that
    is delayed or whose stamps stand still is lost just as one on which nothing comes. A jump of
    stamps, or a value that makes no sense, is a fault at once.

    Attributes:
        complaint: Why the last message did not count; empty where it did, or none came.
        count: How many counted.
        received_s: When the last one that counted came, s of `time.monotonic`.
    """

    def __init__(
        self,
        lost: Callable[[str], RobotStopped],
        read: Callable[[Any], Value],
        bounds: Bounds,
        keep: int,
        came: threading.Condition,
        on_fault: Callable[[RobotStopped], None],
    ) -> None:
        """Begin with nothing.

        Args:
            lost: Makes the fault of what is wrong, a clause with its full stop.
            read: Takes the value out of a message; a `MessageError` makes it not count, and a
                `ValueError` is a fault.
            bounds: What is asked of the stamps.
            keep: How many messages are kept.
            came: Held while anything here changes, and notified after it did.
            on_fault: Called once what came is a fault, with nothing held.
        """
        self._lost, self._read, self._bounds, self._came = lost, read, bounds, came
        self._on_fault = on_fault
        self._kept: deque[tuple[float, Value]] = deque(maxlen=keep)
        self.begin()

    def begin(self) -> None:
        """Forget every message and fault."""
        with self._came:
            self._kept.clear()
            self._fault: RobotStopped | None = None
            self._latest: tuple[float, float] | None = None
            self._least_delay_s = float("inf")
            self.count = 0
            self.complaint, self.received_s = "", float("-inf")

    @property
    def fault(self) -> RobotStopped | None:
        """What is wrong for good."""
        return self._fault

    @property
    def max_age_s(self) -> float:
        """How old the newest message may be, s."""
        return self._bounds.max_age_s

    @property
    def newest(self) -> tuple[float, Value] | None:
        """The last message that counted: its stamp in s and its value."""
        return self._kept[-1] if self._kept else None

    def begun(self) -> bool:
        """Return whether anything came that counted, or is a fault."""
        return bool(self._kept) or self._fault is not None

    def lost(self) -> RobotStopped:
        """Return the fault of there being nothing new for too long."""
        return self._fault or self._lost(
            f"for {self._bounds.max_age_s:g} s {_ended(self.complaint or 'nothing comes')}"
        )

    def nearest(self, stamp_s: float) -> tuple[float, Value] | None:
        """Return the message whose stamp is nearest to a time, s."""
        return min(self._kept, key=lambda kept: abs(kept[0] - stamp_s), default=None)

    def on_message(self, message: Any) -> None:
        """Take a message in, from whatever thread."""
        received_s, stamp_s = time.monotonic(), seconds_of(message.header.stamp)
        with self._came:
            if faultless := self._fault is None:
                self._take(message, stamp_s, received_s)
            fault = self._fault
            self._came.notify_all()
        if faultless and fault is not None:
            self._on_fault(fault)

    def _take(self, message: Any, stamp_s: float, received_s: float) -> None:
        before, self._latest = self._latest, (stamp_s, received_s)
        if before is not None:
            step_s, passed_s = stamp_s - before[0], received_s - before[1]
            if step_s < -self._bounds.max_jump_s:
                self._fault = self._lost(f"the stamps jump back by {-step_s:.3g} s.")
            elif step_s > passed_s + self._bounds.max_jump_s:
                self._fault = self._lost(f"the stamps jump ahead by {step_s - passed_s:.3g} s.")
        if self._fault is not None:
            return
        self.complaint = self._untimely(stamp_s, received_s)
        if self.complaint:
            return
        try:
            self._kept.append((stamp_s, self._read(message)))
            self.received_s = received_s
            self.count += 1
        except MessageError as error:
            self.complaint = _clause(error)
        except ValueError as error:
            self._fault = self._lost(_ended(_clause(error)))

    def _untimely(self, stamp_s: float, received_s: float) -> str:
        """Return why a stamp does not count; empty where it does."""
        if self._kept and stamp_s <= self._kept[-1][0]:
            return "only messages whose stamps stand still or are out of order come"
        delay_s = (time.time() if self._bounds.system else received_s) - stamp_s
        self._least_delay_s = min(self._least_delay_s, delay_s)
        age_s = delay_s if self._bounds.system else delay_s - self._least_delay_s
        if age_s > self._bounds.max_age_s:
            return f"only messages that are {age_s:.3g} s old come"
        if age_s < -self._bounds.max_jump_s:
            return f"only messages that are {-age_s:.3g} s ahead of this machine's clock come"
        return ""


def _clause(error: Exception) -> str:
    words = str(error)
    return words[0].lower() + words[1:]


def _ended(clause: str) -> str:
    return clause if clause.endswith(("?", ".")) else f"{clause}."
