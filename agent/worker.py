"""A policy in a process of its own, so that one that hangs or dies takes nothing with it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from agent.errors import BosunError, PolicyLost
from agent.protocols import Policy
from agent.types import ActionChunk, Observation

_START_S = 60.0
"""How long a policy may take to load, s."""
_STOP_S = 1.0
_READY = "ready"
_FAILURES = (ArithmeticError, BosunError, LookupError, OSError, RuntimeError, TypeError, ValueError)
"""What loading and running a network raises; after anything else the process is gone."""


class WorkerPolicy:
    """Behaves like the policy it runs, but answers in time or says that it is lost.

    Every question is numbered: an answer that comes too late is never taken for the next one.
    """

    def __init__(self, make_policy: Callable[[], Policy], limit_s: float) -> None:
        """Start the process and wait until the policy is loaded.

        Args:
            make_policy: Makes the policy, in the other process; it must be picklable.
            limit_s: How long an answer may take, s.

        Raises:
            PolicyLost: It could not be loaded.
        """
        self._make_policy, self._limit_s = make_policy, limit_s
        self._number = 0
        self._start()

    def reset(self, phrase: str) -> None:
        """Begin a subgoal; a process that is gone is started anew.

        Raises:
            PolicyLost: It does not answer in time.
        """
        if not self._process.is_alive():
            self.close()
            self._start()
        self._ask("reset", phrase)

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next actions.

        Raises:
            PolicyLost: The process is gone, failed, or does not answer in time.
        """
        chunk: ActionChunk = self._ask("infer", observation)
        return chunk

    def close(self) -> None:
        """End the process; idempotent."""
        self._wire.close()
        self._process.join(_STOP_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    @property
    def pid(self) -> int:
        """Number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._wire, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._make_policy), daemon=True
        )
        self._process.start()
        theirs.close()
        self._answer(0, _START_S)

    def _ask(self, what: str, about: Any) -> Any:
        self._number += 1
        try:
            self._wire.send((self._number, what, about))
        except OSError:
            raise self._gone() from None
        return self._answer(self._number, self._limit_s)

    def _answer(self, number: int, limit_s: float) -> Any:
        """Wait for the answer of a number; older ones are dropped."""
        try:
            while self._wire.poll(limit_s):
                answered, failure, value = self._wire.recv()
                if answered != number:
                    continue
                if failure is not None:
                    raise PolicyLost(f"The policy failed: {failure}")
                return value
        except (EOFError, OSError):
            raise self._gone() from None
        raise PolicyLost(f"The policy has not answered for {limit_s:g} s.")

    def _gone(self) -> PolicyLost:
        # Its end of the wire closes a moment before the process has ended.
        self._process.join(_STOP_S)
        return PolicyLost("The policy's process is gone.")


def _serve(wire: Connection, make_policy: Callable[[], Policy]) -> None:
    """Load the policy and answer until the wire is closed."""
    # The wire's other end going away is how this process is told to end.
    with suppress(EOFError, OSError):
        try:
            policy = make_policy()
        except _FAILURES as error:
            wire.send((0, _said(error), None))
            return
        wire.send((0, None, _READY))
        while True:
            number, what, about = wire.recv()
            try:
                value = getattr(policy, what)(about)
            except _FAILURES as error:
                wire.send((number, _said(error), None))
            else:
                wire.send((number, None, value))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
