"""pass^k is the share of draws of k tries in which all pass."""

from __future__ import annotations

from itertools import combinations

import pytest

from agent.script.bench import Status
from agent.script.tally import Tally, by_mission, mean_pass_hat, pass_hat, report
from tests.script.samples import finding


@pytest.mark.parametrize("tries", range(1, 7))
def test_pass_hat_is_the_share_of_draws_that_all_pass(tries: int) -> None:
    for passed in range(tries + 1):
        results = [True] * passed + [False] * (tries - passed)
        for k in range(1, tries + 1):
            draws = list(combinations(results, k))
            assert pass_hat(tries, passed, k) == pytest.approx(sum(map(all, draws)) / len(draws))


def test_pass_hat_of_more_tries_than_there_are_is_unknown() -> None:
    assert pass_hat(2, 2, 3) is None
    assert mean_pass_hat([(2, 2), (4, 2)]) == {
        "1": pytest.approx(0.75),
        "2": pytest.approx((1 + 1 / 6) / 2),
        "3": 0.0,
        "4": 0.0,
        "5": None,
    }


def test_tries_of_different_scripts_are_not_mixed() -> None:
    passed = [finding(Status.PASSED, 0, n) for n in range(2)]
    failed = [finding(Status.FAILED, 1, n, failures=("x.",)) for n in range(2)]
    assert Tally("all", (*passed, *failed)).pass_hat["2"] == pytest.approx(0.5)


def test_what_was_not_run_counts_for_nothing_but_passing() -> None:
    tally = Tally("all", (finding(Status.PASSED), finding(Status.NOT_RUN, number=1)))
    assert not tally.passed
    row = tally.as_json()
    assert (row["episodes"], row["successes"], row["not_run"], row["rate"]) == (1, 1, 1, 1.0)
    assert tally.pass_hat["1"] == 1.0
    assert tally.pass_hat["2"] is None


def test_the_report_has_a_row_for_each_file_and_all_cases() -> None:
    findings = [
        finding(Status.PASSED),
        finding(Status.ERROR, 1, file="b.yaml", suite="B", error="It broke."),
    ]
    assert [tally.name for tally in by_mission(findings)] == ["Home", "B"]
    told = report(findings)
    assert told["passed"] is False
    assert [row["successes"] for row in told["rows"]] == [1, 0]
    assert told["all"]["errors"] == 1
    assert told["cases"][1]["error"] == "It broke."
