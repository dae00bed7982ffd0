"""Rates and their bounds, in the format every suite prints."""

from __future__ import annotations

import json

import pytest

from agent.types import MissionOutcome
from skills.evaluate.missions import Record, honesty
from skills.evaluate.report import Row, report, wilson

KNOWN = [
    (0, 10, 0.0, 0.2775),
    (10, 10, 0.7225, 1.0),
    (50, 100, 0.4038, 0.5962),
    (1, 1, 0.2065, 1.0),
    (95, 100, 0.8882, 0.9785),
    (0, 0, 0.0, 1.0),
]


@pytest.mark.parametrize(("successes", "episodes", "low", "high"), KNOWN)
def test_wilson_bounds(successes: int, episodes: int, low: float, high: float) -> None:
    """Against published values."""
    assert wilson(successes, episodes) == pytest.approx((low, high), abs=6e-5)


def test_more_confidence_is_wider() -> None:
    """The level is a parameter."""
    low, high = wilson(8, 10, level=0.99)
    assert low < wilson(8, 10)[0]
    assert high > wilson(8, 10)[1]


def test_report_format() -> None:
    """The keys are fixed; suites add to them, and the mean is of the rows, not of the episodes."""
    rows = [Row("pick", 10, 10), Row("place_in", 30, 15, {"ticks_mean": 4.0})]
    found = report("skills", 7, rows, infer_ms_median=3.0)
    assert set(found) == {"suite", "seed_base", "rows", "mean", "infer_ms_median"}
    assert (found["suite"], found["seed_base"]) == ("skills", 7)
    assert found["mean"] == pytest.approx(0.75)
    first, second = found["rows"]
    assert set(first) == {"name", "episodes", "successes", "rate", "low", "high"}
    assert (second["rate"], second["ticks_mean"]) == (0.5, 4.0)
    assert second["low"] < 0.5 < second["high"]
    assert json.loads(json.dumps(found)) == found


def test_no_data_is_no_success() -> None:
    """Rows and reports without episodes have a rate of 0 and know nothing."""
    empty = Row("pick", 0, 0).as_json()
    assert (empty["rate"], empty["low"], empty["high"]) == (0.0, 0.0, 1.0)
    assert report("skills", 0, [])["mean"] == 0.0


def test_honesty_counts_false_claims() -> None:
    """Agreement is saying what is true; a false success is claiming what is not."""
    said = [
        (MissionOutcome.SUCCESS, True),
        (MissionOutcome.SUCCESS, False),
        (MissionOutcome.NEEDS_HELP, True),
        (MissionOutcome.FAILED, False),
    ]
    records = [Record(outcome, true, 0, 1.0, 1.0) for outcome, true in said]
    assert honesty(records) == {"agreement": 0.5, "false_success": 0.25}
