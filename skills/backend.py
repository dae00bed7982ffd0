"""What runs a model that is not ours: over a wire, or in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from agent.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """What a model answered. Absent heads are None.

    Attributes:
        actions: (horizon, numbers) float32 as the model gives them, batch and other leading axes of
            length 1 taken off.
        spread: (horizon,) disagreement of its heads in m.
        progress: Share of the subgoal done, 0..1.
        success: Probability that it is achieved now, 0..1.
    """

    actions: FloatArray
    spread: FloatArray | None = None
    progress: float | None = None
    success: float | None = None


class Backend(Protocol):
    """Runs one model; what it is asked has the keys of an `Interface`."""

    def reset(self) -> None:
        """Begin a subgoal: nothing of the last one counts any more.

        Raises:
            PolicyLost: It cannot be reached.
        """
        ...

    def ask(self, inputs: Mapping[str, Any]) -> Reply:
        """Return what the model answers.

        Args:
            inputs: Key -> array, text or a mapping of its own, as `skills.interface` encodes them.

        Raises:
            PolicyLost: It does not answer, not in time, or nothing that can be read.
        """
        ...

    def close(self) -> None:
        """Let go of it; idempotent."""
        ...


@runtime_checkable
class Continuing(Protocol):
    """A backend that can make its next chunk go on from what is left of the last one."""

    def ask_after(self, inputs: Mapping[str, Any], rest: FloatArray, delay: int) -> Reply:
        """Return what the model answers, in agreement with what is being done meanwhile.

        Args:
            inputs: As `Backend.ask` takes them.
            rest: (rows, numbers) what is left of the last chunk, in the model's own numbers as its
                `Reply` had them; row 0 is for the tick of `inputs`, and so is row 0 of the answer.
            delay: How many rows of `rest` will have been carried out when the answer is there;
                those the answer repeats.

        Raises:
            PolicyLost: It does not answer, not in time, or nothing that can be read.
        """
        ...
