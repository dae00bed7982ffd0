"""What can be served: anything that answers one client after another, each with its own memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Session(Protocol):
    """One client's policy: what it remembers is of that client alone."""

    def reset(self, prompt: str) -> None:
        """Begin a subgoal: nothing of the last one counts any more.

        Args:
            prompt: What shall be done; empty where the client did not say.
        """
        ...

    def infer(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer, `actions` (horizon, dim) among it.

        Args:
            inputs: Key -> array, number, text or mapping, as the client sent them, `prompt` among
                them and `reset` not.

        Raises:
            WireError: They are not what the policy takes; the client is told the sentence.
        """
        ...


class Service(Protocol):
    """Makes sessions that share the weights, which are loaded once."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What clients are told before they ask."""
        ...

    def session(self) -> Session:
        """Return one for a client that has just come; called in the thread that infers."""
        ...
