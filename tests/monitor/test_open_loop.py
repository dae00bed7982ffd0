"""The baseline without a monitor: it goes on, whatever there is to see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.monitor.open_loop import OpenLoop
from agent.timing import Timing
from agent.types import VerdictValue
from tests.parts import BEFORE, CONTRACTS, PLACE, chunk, observation

BUDGET_S = CONTRACTS["place_in"].time_budget_s


@pytest.mark.parametrize(
    ("said", "ends"), [([0.9] * 9, 2), ([0.9, 0.9, 0.1, 0.9, 0.9, 0.9], 5), ([0.1] * 9, None)]
)
def test_the_policys_word_is_taken_when_it_lasts(said: list[float], ends: int | None) -> None:
    watched = OpenLoop(CONTRACTS, success=0.5, confirm_ticks=3)
    watched.reset(PLACE, BEFORE)
    verdicts = [watched.check(observation(0.1 * t), chunk(s)) for t, s in enumerate(said)]
    assert next((t for t, verdict in enumerate(verdicts) if verdict), None) == ends


def test_spent_time_goes_on_too() -> None:
    watched = OpenLoop(CONTRACTS, success=0.5, confirm_ticks=3)
    watched.reset(PLACE, BEFORE)
    assert watched.check(observation(BUDGET_S - 0.1), chunk(None)) is None
    verdict = watched.check(observation(BUDGET_S), chunk(None))
    assert verdict is not None
    assert verdict.value is VerdictValue.CONFIRMED


def test_what_it_said_once_counts_once() -> None:
    watched = OpenLoop(CONTRACTS, success=0.5, confirm_ticks=2)
    watched.reset(PLACE, BEFORE)
    for tick, seen_s in enumerate((0.0, 0.0, 0.0, 0.3)):
        answer = replace(chunk(0.9), timing=Timing(seen_s, 0.1))
        verdict = watched.check(observation(0.1 * tick), answer)
        assert (verdict is not None) == (seen_s > 0)
