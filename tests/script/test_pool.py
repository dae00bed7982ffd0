"""Settings change as seldom as may be, and an interrupt is acted on whenever it comes."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from agent.config import load_config
from agent.errors import ProcessGone, RobotError
from agent.script import bench, pool
from agent.script.bench import CaseBench, Finding, Job, Status
from agent.script.pool import _by_settings, _finding, _run, run_jobs
from tests.inline import InlineProcess, inline_processes
from tests.script.samples import finding


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (RobotError("The arm is gone."), "The arm is gone."),
        (ValueError("no"), "ValueError: no"),
        (ProcessGone("The process at work was killed."), "The process at work was killed."),
    ],
)
def test_whatever_is_raised_is_said_in_one_sentence(raised: Exception, said: str) -> None:
    def fails() -> Finding:
        raise raised

    process: Any = SimpleNamespace(result=fails)
    found = _finding(Job(finding(Status.PASSED).case, load_config(None)), process)
    assert (found.status, found.error) == (Status.ERROR, said)


def test_cases_with_the_same_settings_are_run_together() -> None:
    settings = [load_config(None, [f"budget.replans={n}"]) for n in (1, 2, 1, 3, 2)]
    jobs = [Job(finding(Status.PASSED).case, config) for config in settings]
    assert _by_settings(jobs) == [0, 2, 1, 4, 3]


def stay_here(monkeypatch: pytest.MonkeyPatch, bench: Any) -> None:
    """Have all jobs run by this bench, however many processes there are to be."""
    monkeypatch.setattr(pool, "job_processes", inline_processes)
    monkeypatch.setattr(pool, "_make_runner", lambda: partial(_run, bench))


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
    stay_here(monkeypatch, CaseBench())
    settings = [load_config(None, [f"budget.replans={n}"]) for n in (0, 1, 2, 1, 1, 2)]
    jobs = [Job(finding(Status.PASSED).case, config) for config in settings]
    assert {found.status for found in run_jobs(jobs, 3)} == {Status.PASSED}
    said = [
        line for line in capfd.readouterr().err.splitlines() if line.startswith(("bosun", "It"))
    ]
    moves = "It moves."
    beware = [f"bosun: Beware of {n}." for n in (1, 2)]
    assert said == [moves, beware[0], moves, moves, moves, beware[1], moves, moves]


@pytest.mark.parametrize(("when", "kept"), [("begin", 1), ("result", 2)])
def test_an_interrupt_is_acted_on_whenever_it_comes(
    when: str, kept: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also while the second case is begun, or what came of it is read; no third one is begun."""
    true = getattr(InlineProcess, when)
    called = Counter[str]()

    def interrupted(process: InlineProcess, *args: Any) -> Any:
        called[when] += 1
        if called[when] == 2:
            signal.raise_signal(signal.SIGINT)
        return true(process, *args)

    def passed(job: Job, *_: object) -> Finding:
        called["run"] += 1
        return Finding(job.case, Status.PASSED)

    monkeypatch.setattr(InlineProcess, when, interrupted)
    stay_here(monkeypatch, passed)
    job = Job(finding(Status.PASSED).case, load_config(None))
    # What is started in a shell's background ignores interrupts from the first.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        found = [found.status for found in run_jobs([job] * 5, 1)]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert found == [Status.PASSED] * kept + [Status.NOT_RUN] * (5 - kept)
    assert called["run"] == 2
    assert "Interrupted" in capfd.readouterr().err


def test_a_call_in_the_background_ignores_interrupts_as_its_shell_wants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(job: Job, *_: object) -> Finding:
        signal.raise_signal(signal.SIGINT)
        return Finding(job.case, Status.PASSED)

    stay_here(monkeypatch, interrupted)
    job = Job(finding(Status.PASSED).case, load_config(None))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert {found.status for found in run_jobs([job] * 3, 1)} == {Status.PASSED}
    finally:
        signal.signal(signal.SIGINT, before)
