"""What is raised in a case is its error alone, and settings change as seldom as may be."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import pytest

from agent.config import load_config
from agent.errors import RobotError
from agent.script.bench import Finding, Job, Status
from agent.script.pool import _by_settings, _finding
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
