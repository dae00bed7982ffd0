"""How many tries passed, and what that says of several in a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import Any

from agent.script.bench import Finding, Status
from skills.evaluate.report import Row

MOST = 5
"""The largest k of pass^k."""


def pass_hat(tries: int, passed: int, k: int) -> float | None:
    """Return pass^k: the probability that k tries of one task all pass.

    It is the unbiased estimate C(passed, k) / C(tries, k), which is the share of all ways to draw k
    of the tries without replacement in which each has passed (Yao et al. 2024, tau-bench, arXiv
    2406.12045, section 3).

    Returns:
        0..1, or None where there are fewer than k tries.
    """
    return comb(passed, k) / comb(tries, k) if tries >= k else None


def mean_pass_hat(tasks: Iterable[tuple[int, int]]) -> dict[str, float | None]:
    """Return k, as text, -> the mean of pass^k over tasks, each its tries and how many passed."""
    counted = list(tasks)
    means: dict[str, float | None] = {}
    for k in range(1, MOST + 1):
        known = [p for tries, passed in counted if (p := pass_hat(tries, passed, k)) is not None]
        means[str(k)] = sum(known) / len(known) if known else None
    return means


@dataclass(frozen=True)
class Tally:
    """What came of some cases, all those of one mission or of a whole call.

    Attributes:
        name: Of what.
        findings: What came of each case.
    """

    name: str
    findings: tuple[Finding, ...]

    def count(self, status: Status) -> int:
        """Return how many cases ended in a way."""
        return sum(finding.status is status for finding in self.findings)

    @property
    def passed(self) -> bool:
        """Whether every case was run and passed."""
        return self.count(Status.PASSED) == len(self.findings)

    @property
    def wall_s(self) -> float:
        """How long the cases took, added up."""
        return sum(finding.wall_s for finding in self.findings)

    @cached_property
    def pass_hat(self) -> dict[str, float | None]:
        """k, as text -> pass^k, the mean over scripts; a script's cases are tries of one task."""
        ended = [f for f in self.findings if f.status is not Status.NOT_RUN]
        tries = Counter(finding.case.script for finding in ended)
        passed = Counter(f.case.script for f in ended if f.status is Status.PASSED)
        return mean_pass_hat((tries[script], passed[script]) for script in tries)

    def as_json(self) -> dict[str, Any]:
        """Return the counts, rates 0..1 with Wilson 95 % bounds and pass^k."""
        ended = len(self.findings) - self.count(Status.NOT_RUN)
        more = {
            "failures": self.count(Status.FAILED),
            "errors": self.count(Status.ERROR),
            "not_run": self.count(Status.NOT_RUN),
            "scenes": len({finding.case.seed for finding in self.findings}),
            "wall_s": round(self.wall_s, 3),
            "pass_hat": self.pass_hat,
        }
        return Row(self.name, ended, self.count(Status.PASSED), more).as_json()


def by_mission(findings: Sequence[Finding]) -> list[Tally]:
    """Return a tally of each mission file, in order."""
    files = dict.fromkeys(finding.case.file for finding in findings)
    grouped = {file: tuple(f for f in findings if f.case.file == file) for file in files}
    return [Tally(of[0].case.suite, of) for of in grouped.values()]


def report(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return what `bosun mission --json` prints."""
    overall = Tally("all", tuple(findings))
    missions = []
    for tally in by_mission(findings):
        case = tally.findings[0].case
        about = {"file": str(case.file), "tags": list(case.mission.tags)}
        missions.append({**tally.as_json(), **about})
    return {
        "suite": "mission",
        "passed": overall.passed,
        "rows": missions,
        "all": overall.as_json(),
        "cases": [_case(finding) for finding in findings],
    }


def _case(finding: Finding) -> dict[str, Any]:
    case = finding.case
    return {
        "mission": case.suite,
        "case": case.name,
        "seed": case.seed,
        "status": finding.status.value,
        "failures": list(finding.failures),
        "error": finding.error or None,
        "wall_s": round(finding.wall_s, 3),
        "folder": str(case.folder),
        "commands": list(finding.summaries),
    }
