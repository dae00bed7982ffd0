"""A policy over a model of somebody else's, wherever it runs."""

from __future__ import annotations

from dataclasses import replace

from agent.action_space import ActionSpec
from agent.errors import ConfigError
from agent.types import ActionChunk, Observation
from skills.backend import Backend, Continuing, Reply
from skills.interface.decode import decode, stride
from skills.interface.encode import encode
from skills.interface.misfits import misfits
from skills.interface.schema import Interface


class PublicPolicy:
    """Asks a model in its own words, and carries out what it answers as the robot's actions.

    A model without a success head says nothing about when it is done: it is the scene, and the
    subgoal's time budget, that judge it.
    """

    def __init__(
        self, backend: Backend, interface: Interface, *, always_asks: bool = False
    ) -> None:
        """Take a model; `fit` comes before all else.

        Args:
            backend: Runs it.
            interface: What it expects.
            always_asks: Whether every call asks the model anew, however many rows of a chunk its
                interface says are carried out. In real time another one says when to ask, and what
                is left of an old chunk would be taken for a new one.
        """
        self._backend, self._interface, self._always_asks = backend, interface, always_asks
        self._spec: ActionSpec | None = None
        self._phrase = ""
        self._reply: Reply | None = None
        self._chunk: ActionChunk | None = None
        self._asked_s = 0.0

    @property
    def continues(self) -> bool:
        """Whether the model can make a chunk go on from what is left of the last one."""
        return isinstance(self._backend, Continuing)

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
        self._phrase, self._reply, self._chunk = phrase, None, None

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next actions: what is left of the last chunk, or a new one.

        A chunk is kept while no more of its rows have passed than are carried out before the model
        is asked again, which its interface says; where the model is always asked, it is not.

        Raises:
            PolicyLost: The model does not answer, or not in time.
            PolicyInvalid: What it answers is no chunk of actions.
        """
        if self._spec is None:
            raise ConfigError("A policy must be fitted to a robot before it is asked.")
        if self._chunk is not None and not self._always_asks:
            row = round((observation.time_s - self._asked_s) / self._chunk.dt_s)
            kept = self._interface.actions.execute // stride(self._interface, self._spec)
            if 0 < row < min(kept, len(self._chunk.actions)):
                return _rest(self._chunk, row)
        reply = self._backend.ask(encode(self._interface, observation, self._phrase))
        return self._take(reply, observation, self._spec)

    def infer_after(self, observation: Observation, delay: int) -> ActionChunk:
        """Return the next actions, the first one for now, in agreement with those under way.

        Args:
            observation: What is sensed now.
            delay: How many rows of the last chunk, from now on, will have been carried out by the
                time the answer is there.

        Raises:
            PolicyLost: The model does not answer, or not in time.
            PolicyInvalid: What it answers is no chunk of actions.
        """
        spec, last, backend = self._spec, self._reply, self._backend
        if last is None or spec is None or not isinstance(backend, Continuing):
            return self.infer(observation)
        passed = round((observation.time_s - self._asked_s) * self._interface.actions.rate_hz)
        passed = max(0, passed)
        inputs = encode(self._interface, observation, self._phrase)
        under_way = delay * stride(self._interface, spec)
        return self._take(
            backend.ask_after(inputs, last.actions[passed:], under_way), observation, spec
        )

    def _take(self, reply: Reply, observation: Observation, spec: ActionSpec) -> ActionChunk:
        """Keep an answer and return it as the robot's actions."""
        self._chunk = decode(self._interface, reply, observation, spec)
        self._reply, self._asked_s = reply, observation.time_s
        return self._chunk


def _rest(chunk: ActionChunk, row: int) -> ActionChunk:
    """Return what comes from a row on."""
    spread = None if chunk.spread is None else chunk.spread[row:]
    return replace(chunk, actions=chunk.actions[row:], spread=spread)
