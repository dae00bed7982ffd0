"""What is raised in a case is its error alone, and settings change as seldom as may be."""

from __future__ import annotations

import sys
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from types import SimpleNamespace
from typing import Any

import pytest

from agent.config import load_config
from agent.errors import RobotError
from agent.script import bench, pool
from agent.script.bench import CaseBench, Finding, Job, Status
from agent.script.pool import _by_settings, _finding, run_jobs
from tests.script.samples import finding


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (RobotError("The arm is gone."), "The arm is gone."),
        (ValueError("no"), "ValueError: no"),
        (BrokenProcessPool("x"), "The process that ran it"),
    ],
)
def test_whatever_is_raised_is_said_in_one_sentence(raised: Exception, said: str) -> None:
    future: Future[Finding] = Future()
    future.set_exception(raised)
    found = _finding(Job(finding(Status.PASSED).case, load_config(None)), future)
    assert found.status is Status.ERROR
    assert found.error.startswith(said)


def test_cases_with_the_same_settings_are_run_together() -> None:
    settings = [load_config(None, [f"budget.replans={n}"]) for n in (1, 2, 1, 3, 2)]
    jobs = [Job(finding(Status.PASSED).case, config) for config in settings]
    assert _by_settings(jobs) == [0, 2, 1, 4, 3]


class _HerePool(Executor):
    """Runs at once, in this process, what others would."""

    def __init__(self, *_: object) -> None:
        pass

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_what_a_human_should_know_is_said_once_and_before_anything_moves(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def moved(agent: Any, job: Job) -> Finding:
        sys.stderr.write("\nIt moves.\n")
        return Finding(job.case, Status.PASSED)

    def loaded(config: Any) -> Any:
        caveat = f"Beware of {config.budget.replans}." if config.budget.replans else None
        return SimpleNamespace(config=config, caveat=caveat, close=lambda: None)

    monkeypatch.setattr(bench, "Agent", loaded)
    monkeypatch.setattr(bench, "_run", moved)
    monkeypatch.setattr(pool, "ProcessPoolExecutor", _HerePool)
    made = CaseBench()
    monkeypatch.setattr(pool, "_bench", lambda: made)
    settings = [load_config(None, [f"budget.replans={n}"]) for n in (0, 1, 2, 1, 1, 2)]
    jobs = [Job(finding(Status.PASSED).case, config) for config in settings]
    assert {found.status for found in run_jobs(jobs, 3)} == {Status.PASSED}
    said = [
        line for line in capfd.readouterr().err.splitlines() if line.startswith(("bosun", "It"))
    ]
    moves = "It moves."
    beware = [f"bosun: Beware of {n}." for n in (1, 2)]
    assert said == [moves, beware[0], moves, moves, moves, beware[1], moves, moves]
