"""A public policy makes its model go on from what is left of its last chunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from agent.types import FloatArray
from skills.backend import Reply
from skills.public import PublicPolicy
from tests.interface.samples import interface, observation, spec


class Continuing:
    """A model that keeps what it was given to go on from."""

    def __init__(self) -> None:
        self.given: list[tuple[FloatArray, int]] = []

    def reset(self) -> None:
        """There is nothing to forget."""

    def ask(self, inputs: Mapping[str, Any]) -> Reply:
        return Reply(np.repeat(np.arange(8, dtype=np.float32)[:, None], 7, axis=1))

    def ask_after(self, inputs: Mapping[str, Any], rest: FloatArray, delay: int) -> Reply:
        self.given.append((rest, delay))
        return Reply(np.full((8, 7), 100 + len(self.given), np.float32))

    def close(self) -> None:
        """There is nothing to let go of."""


def test_it_is_given_the_rows_from_now_on_in_its_own_numbers() -> None:
    backend = Continuing()
    expected = interface(actions={"horizon": 8, "scale": 0.5})
    policy = PublicPolicy(backend, expected)
    assert policy.continues
    policy.fit(spec(), observation())
    policy.reset("pick up the red block")
    # There is nothing to go on from yet.
    policy.infer_after(replace(observation(), time_s=5.0), delay=2)
    assert backend.given == []
    chunk = policy.infer_after(replace(observation(), time_s=5.3), delay=2)
    (rest, delay), *_ = backend.given
    assert rest[:, 0].tolist() == [3, 4, 5, 6, 7] and delay == 2
    assert chunk.actions[0, 0] == np.float32(101 * 0.5)
    # The next one goes on from that one, and after all of it there is nothing left.
    policy.infer_after(replace(observation(), time_s=5.4), delay=1)
    policy.infer_after(replace(observation(), time_s=9.0), delay=1)
    assert backend.given[1][0][:, 0].tolist() == [101] * 7
    assert len(backend.given[2][0]) == 0
    policy.reset("close the drawer")
    policy.infer_after(replace(observation(), time_s=9.1), delay=1)
    assert len(backend.given) == 3
