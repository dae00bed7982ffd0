"""A policy over a model of somebody else's, wherever it runs."""

from __future__ import annotations

from dataclasses import replace

from agent.action_space import ActionSpec
from agent.errors import ConfigError
from agent.types import ActionChunk, Observation
from skills.backend import Backend
from skills.interface.decode import decode, stride
from skills.interface.encode import encode
from skills.interface.misfits import misfits
from skills.interface.schema import Interface


class PublicPolicy:
    """Asks a model in its own words, and carries out what it answers as the robot's actions.

    A model without a success head says nothing about when it is done: it is the scene, and the
    subgoal's time budget, that judge it.
    """

    def __init__(self, backend: Backend, interface: Interface) -> None:
        """Take what runs the model, and what the model expects; `fit` comes before all else."""
        self._backend, self._interface = backend, interface
        self._spec: ActionSpec | None = None
        self._phrase = ""
        self._chunk: ActionChunk | None = None
        self._asked_s = 0.0

    def fit(self, spec: ActionSpec, observation: Observation) -> None:
        """Get ready for a robot.

        Raises:
            ConfigError: The model does not fit it; its sentence names every mismatch.
        """
        found = misfits(self._interface, spec, observation)
        if found:
            raise ConfigError(
                f"The policy {self._interface.name} does not fit the robot: {' '.join(found)} "
                "Mend its interface (policy.interface), or choose another robot."
            )
        self._spec = spec

    def reset(self, phrase: str) -> None:
        """Begin a subgoal.

        Raises:
            PolicyLost: The model cannot be reached.
        """
        self._backend.reset()
        self._phrase, self._chunk = phrase, None

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next actions: what is left of the last chunk, or a new one.

        A chunk is kept while no more of its rows have passed than are carried out before the model
        is asked again, which its interface says.

        Raises:
            PolicyLost: The model does not answer, or not in time.
            PolicyInvalid: What it answers is no chunk of actions.
        """
        if self._spec is None:
            raise ConfigError("A policy must be fitted to a robot before it is asked.")
        if self._chunk is not None:
            row = round((observation.time_s - self._asked_s) / self._chunk.dt_s)
            kept = self._interface.actions.execute // stride(self._interface, self._spec)
            if 0 < row < min(kept, len(self._chunk.actions)):
                return _rest(self._chunk, row)
        reply = self._backend.ask(encode(self._interface, observation, self._phrase))
        self._chunk = decode(self._interface, reply, observation, self._spec)
        self._asked_s = observation.time_s
        return self._chunk


def _rest(chunk: ActionChunk, row: int) -> ActionChunk:
    """Return what comes from a row on."""
    spread = None if chunk.spread is None else chunk.spread[row:]
    return replace(chunk, actions=chunk.actions[row:], spread=spread)
