from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agent.checks import check_policy
from agent.errors import ConfigError
from skills.backend import Reply
from skills.interface.schema import Interface
from skills.public import PublicPolicy
from tests.interface.samples import interface, observation, spec


class Counting:
    """A model whose n-th answer since a reset is rows of n, n + 0.01, ...; keeps the questions."""

    def __init__(self, horizon: int = 8) -> None:
        self._horizon = horizon
        self.asked: list[Mapping[str, Any]] = []
        self._number = 0

    def reset(self) -> None:
        self._number = 0

    def ask(self, inputs: Mapping[str, Any]) -> Reply:
        self.asked.append(inputs)
        self._number += 1
        rows = self._number + 0.01 * np.arange(self._horizon, dtype=np.float32)
        return Reply(np.repeat(rows[:, None], 7, axis=1), spread=rows)

    def close(self) -> None:
        """There is nothing to let go of."""


def _policy(expected: Interface) -> tuple[PublicPolicy, Counting]:
    backend = Counting()
    policy = PublicPolicy(backend, expected)
    policy.fit(spec(), observation())
    policy.reset("pick up the red block")
    return policy, backend


def _first(policy: PublicPolicy, tick: float) -> float:
    chunk = policy.infer(replace(observation(), time_s=0.1 * tick))
    return round(float(chunk.actions[0, 0]), 3)


def test_a_chunk_is_carried_out_as_far_as_is_said_and_then_it_is_asked_again() -> None:
    policy, backend = _policy(interface(actions={"horizon": 8, "execute": 3}))
    assert [_first(policy, tick) for tick in range(7)] == [1, 1.01, 1.02, 2, 2.01, 2.02, 3]
    assert len(backend.asked) == 3
    # A tick that was skipped is not carried out later, and one that comes again is asked anew.
    assert _first(policy, 8) == 3.02
    assert _first(policy, 20) == 4
    assert _first(policy, 20) == 5
    assert _first(policy, 19) == 6


def test_where_another_one_says_when_to_ask_no_old_chunk_is_given_again() -> None:
    backend = Counting()
    expected = interface(actions={"horizon": 8, "execute": 8})
    policy = PublicPolicy(backend, expected, always_asks=True)
    policy.fit(spec(), observation())
    policy.reset("pick up the red block")
    assert [_first(policy, tick) for tick in range(4)] == [1, 2, 3, 4]


def test_what_is_left_of_a_chunk_keeps_its_spread() -> None:
    policy, _ = _policy(interface(actions={"horizon": 8, "execute": 3}))
    policy.infer(observation())
    later = policy.infer(replace(observation(), time_s=observation().time_s + 0.2))
    assert later.actions.shape == (6, 7)
    assert later.spread is not None
    np.testing.assert_array_equal(later.spread, later.actions[:, 0])


def test_rows_of_a_faster_model_count_as_what_they_make() -> None:
    policy, backend = _policy(interface(actions={"horizon": 8, "execute": 4, "rate_hz": 20}))
    for tick in range(4):
        policy.infer(replace(observation(), time_s=0.1 * tick))
    assert len(backend.asked) == 2


def test_a_reset_forgets_what_is_left() -> None:
    policy, backend = _policy(interface(actions={"horizon": 8, "execute": 8}))
    policy.infer(observation())
    policy.reset("open the drawer")
    policy.infer(replace(observation(), time_s=observation().time_s + 0.1))
    prompts = [asked["prompt"] for asked in backend.asked]
    assert prompts == ["pick up the red block", "open the drawer"]


def test_it_is_a_policy_like_any_other() -> None:
    check_policy(lambda: _policy(interface(actions={"horizon": 8}))[0], observation())


def test_a_robot_that_does_not_fit_is_refused_with_every_mismatch() -> None:
    expected = interface(cameras={"image": {"camera": "frnt"}}, actions={"rate_hz": 15})
    policy = PublicPolicy(Counting(), expected)
    with pytest.raises(ConfigError, match="does not fit the robot") as refused:
        policy.fit(spec(), observation())
    assert "Did you mean 'front'" in str(refused.value)
    assert "15 rows a second" in str(refused.value)
    with pytest.raises(ConfigError, match="fitted to a robot"):
        policy.infer(observation())
