from __future__ import annotations

import numpy as np
import pytest

from agent.chunks.clock import ActedClock, ActedPolicy
from agent.doubles import ScriptedPolicy
from agent.types import ActionChunk, Observation
from tests.parts import chunk, observation


def test_time_in_which_the_arm_stood_does_not_pass() -> None:
    clock = ActedClock()
    told = [clock.at(time_s, 0.1) for time_s in (2.0, 2.1, 2.4, 2.52, 2.6, 3.6)]
    assert told == pytest.approx([2.0, 2.1, 2.2, 2.32, 2.4, 2.5])


def test_a_policy_that_is_waited_for_counts_its_answers() -> None:
    seen: list[Observation] = []

    def answer(of: Observation) -> ActionChunk:
        seen.append(of)
        return chunk()

    policy = ActedPolicy(ScriptedPolicy(answer))
    for times in ((1.0, 1.3, 1.5, 1.6), (9.0, 9.2)):
        policy.reset("go")
        asked = [observation(time_s) for time_s in times]
        for one in asked:
            policy.infer(one)
        told = [of.time_s for of in seen[-len(times) :]]
        assert told == pytest.approx(times[0] + 0.1 * np.arange(len(times)))
        # What is told as it is remains the very same.
        assert seen[-len(times)] is asked[0]
