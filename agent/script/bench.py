"""Runs cases in one process; an agent stays loaded for as long as the settings stay the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.build import Agent
from agent.config import Config
from agent.errors import RobotStopped
from agent.mission import Mission, run_mission
from agent.script.cases import Case
from agent.script.dialogue import Dialogue
from agent.script.judgement import judge
from agent.script.schema import Expectations
from agent.script.trace import Frame, Trace, Tracer, together
from agent.types import Reason

FILM = "film.mp4"
"""What a film is called, beside the episode's log."""


class Status(StrEnum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class Job:
    """A case and how it is run.

    Attributes:
        case: What is run.
        config: With which settings.
        film: Whether each command is filmed.
    """

    case: Case
    config: Config
    film: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one case.

    Attributes:
        case: Which.
        status: How it ended.
        failures: A sentence for each expectation that was missed.
        error: Why it could not be run to its end; empty where it could.
        summaries: Of each command that ended, as `bosun run --json` prints it.
        frames: Key frames of each of these commands.
        wall_s: How long it took, the loading of networks left out.
    """

    case: Case
    status: Status
    failures: tuple[str, ...] = ()
    error: str = ""
    summaries: tuple[dict[str, Any], ...] = ()
    frames: tuple[tuple[Frame, ...], ...] = ()
    wall_s: float = 0.0

    @property
    def sentences(self) -> tuple[str, ...]:
        """What went wrong, a sentence each; none where the case passed."""
        return (self.error,) if self.error else self.failures


class CaseBench:
    """Runs one case after another."""

    def __init__(self) -> None:
        """Load nothing yet."""
        self._agent: Agent | None = None

    def __call__(self, job: Job, warn: Callable[[str], None] = lambda caveat: None) -> Finding:
        """Run one case.

        Args:
            job: The case.
            warn: Is told what a human should know before anything moves, where there is something.

        Raises:
            BosunError: It could not be run to its end; the next one begins with a new agent.
        """
        if self._agent is not None and self._agent.config != job.config:
            self.close()
        agent, self._agent = self._agent or Agent(job.config), None
        with ExitStack() as on_error:
            on_error.callback(agent.close)
            if agent.caveat is not None:
                warn(agent.caveat)
            finding = _run(agent, job)
            on_error.pop_all()
        self._agent = agent
        return finding

    def close(self) -> None:
        """Release the robot, if one is loaded."""
        if self._agent is not None:
            self._agent.close()
            self._agent = None


def _run(agent: Agent, job: Job) -> Finding:
    case, mission = job.case, job.case.mission
    began = time.perf_counter()
    traces: list[Trace] = []
    failures: list[str] = []
    summaries: list[dict[str, Any]] = []
    frames: list[tuple[Frame, ...]] = []
    for index, command in enumerate(mission.spoken):
        tracer, dialogue = Tracer(agent), Dialogue(command)
        folder = case.episode(index)
        seed = None if index and mission.continues else case.seed
        started = time.perf_counter()
        summary = run_mission(
            agent,
            Mission(command.say, seed, folder, folder / FILM if job.film else None),
            [tracer, dialogue],
            answer=dialogue.answer,
            wish=dialogue.wish,
        )
        trace = tracer.trace(summary, time.perf_counter() - started)
        if Reason.STOPPED in trace.reasons:
            # Nothing in a mission file sets the latch; it was set by whoever watches.
            raise RobotStopped("The robot was stopped from outside.")
        about = f"{command.say!r}: " if len(mission.spoken) > 1 else ""
        missed = [*dialogue.unsaid(), *_judged(command.expect, trace)]
        failures += [about + sentence for sentence in missed]
        traces.append(trace)
        summaries.append(summary)
        frames.append(tuple(tracer.frames))
    failures += _judged(mission.expect, together(traces, continues=mission.continues))
    return Finding(
        case=case,
        status=Status.FAILED if failures else Status.PASSED,
        failures=tuple(failures),
        summaries=tuple(summaries),
        frames=tuple(frames),
        wall_s=time.perf_counter() - began,
    )


def _judged(expect: Expectations | None, trace: Trace) -> list[str]:
    return [] if expect is None else judge(expect, trace)
