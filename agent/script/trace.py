"""What went on while a command was carried out, as far as a mission file can ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.events import (
    Answered,
    Consulted,
    Event,
    MissionEnded,
    MissionStarted,
    SceneEstimated,
    SubgoalStarted,
    Ticked,
    VerdictGiven,
)
from agent.pictures import jpeg
from agent.types import MissionOutcome, MissionResult, Reason, Scene, Subgoal

if TYPE_CHECKING:
    from agent.build import Agent

_CAMERA = "front"


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    Attributes:
        time_s: Second of the command.
        caption: What it shows.
        jpeg: (H, W) what the front camera showed the robot, as a JPEG file.
    """

    time_s: float
    caption: str
    jpeg: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What came of one command, or of several one after another.

    Attributes:
        outcome: The robot's own.
        question: What it ended with, where it did not succeed.
        plan: The plan.
        runs: The subgoals that were run, each try by itself; looks between plans are none.
        reasons: Of every verdict.
        asked: The questions that were answered.
        replans: New plans.
        attempts: The most tries of one subgoal in a row.
        seconds: Robot time.
        wall_s: Wall-clock time.
        ticks: Actions sent.
        tokens: That language models read and wrote.
        agrees: Whether the robot claims success just where the world's truth has it; None where
            the plan has no goals that the world could tell.
        world: The world's own scene at the start and at the end. Privileged.
        believed: The robot's scene at the start and at the end.
    """

    outcome: MissionOutcome
    question: str | None
    plan: tuple[Subgoal, ...]
    runs: tuple[Subgoal, ...]
    reasons: tuple[Reason, ...]
    asked: tuple[str, ...]
    replans: int
    attempts: int
    seconds: float
    wall_s: float
    ticks: int
    tokens: int
    agrees: bool | None
    world: tuple[Scene, Scene]
    believed: tuple[Scene, Scene]


class Tracer:
    """Hears the events of one command and reads the world's truth at its start and end.

    It is a scorer: what it reads of the world goes to expectations and never to the robot.

    Attributes:
        frames: What the robot saw at the start, at each verdict and at the end.
    """

    def __init__(self, agent: Agent) -> None:
        """Watch one agent."""
        self._robot, self._truth = agent.robot, agent.truth
        self.frames: list[Frame] = []
        self._world: list[Scene] = []
        self._believed: list[Scene] = []
        self._runs: list[tuple[Subgoal, int]] = []
        self._reasons: list[Reason] = []
        self._asked: list[str] = []
        self._ticks = self._tokens = 0
        self._result: MissionResult | None = None

    def on_event(self, event: Event) -> None:
        """Take note of one event."""
        match event:
            case MissionStarted():
                self._world.append(self._true())
                self._look(event.time_s, "start")
            case SceneEstimated():
                self._believed.append(event.scene)
            case SubgoalStarted() if event.attempt > 0:
                self._runs.append((event.subgoal, event.attempt))
            case Ticked():
                self._ticks += event.sent is not None
            case Consulted():
                self._tokens += event.tokens_in + event.tokens_out
            case Answered():
                self._asked.append(event.question)
            case VerdictGiven(verdict=verdict):
                self._reasons.append(verdict.reason)
                told = f"{verdict.value.value}, {verdict.reason.value} ({verdict.confidence:.0%})"
                self._look(event.time_s, f"{event.subgoal.phrase}: {told}")
            case MissionEnded():
                self._world.append(self._true())
                self._result = event.result
                self._look(event.time_s, f"end: {event.result.outcome.value}")

    def _true(self) -> Scene:
        return self._truth.truth() if self._truth else Scene(0.0)

    def _look(self, time_s: float, caption: str) -> None:
        images = self._robot.observe().images
        self.frames.append(Frame(time_s, caption, jpeg(images[_CAMERA])))

    def trace(self, summary: dict[str, Any], wall_s: float) -> Trace:
        """Return what was noted of a command that has ended.

        Args:
            summary: What `agent.mission.run_mission` returned.
            wall_s: How long it took.
        """
        result = self._result
        assert result is not None, "Every mission that returns has said how it ended."
        claims, truth = result.outcome is MissionOutcome.SUCCESS, summary["world_success"]
        unknown = truth is None and claims
        return Trace(
            outcome=result.outcome,
            question=result.question,
            plan=result.plan.subgoals,
            runs=tuple(subgoal for subgoal, _ in self._runs),
            reasons=tuple(self._reasons),
            asked=tuple(self._asked),
            replans=result.replans,
            attempts=max((attempt for _, attempt in self._runs), default=0),
            seconds=result.seconds,
            wall_s=wall_s,
            ticks=self._ticks,
            tokens=self._tokens,
            agrees=None if unknown else claims is bool(truth),
            world=(self._world[0], self._world[-1]),
            believed=(self._believed[0], self._believed[-1]),
        )


def together(traces: Sequence[Trace], *, continues: bool) -> Trace:
    """Return what came of several commands, at least one, taken as one.

    Args:
        traces: In order.
        continues: Whether they followed each other in one world; otherwise the start, with which
            `moved` and `toggled` compare, is that of the last one.
    """
    first, last = traces[0 if continues else -1], traces[-1]
    tells = next((t for t in traces if t.outcome is not MissionOutcome.SUCCESS), last)
    known = [trace.agrees for trace in traces if trace.agrees is not None]
    return Trace(
        outcome=tells.outcome,
        question=tells.question,
        plan=tuple(subgoal for trace in traces for subgoal in trace.plan),
        runs=tuple(subgoal for trace in traces for subgoal in trace.runs),
        reasons=tuple(reason for trace in traces for reason in trace.reasons),
        asked=tuple(question for trace in traces for question in trace.asked),
        replans=sum(trace.replans for trace in traces),
        attempts=max(trace.attempts for trace in traces),
        seconds=sum(trace.seconds for trace in traces),
        wall_s=sum(trace.wall_s for trace in traces),
        ticks=sum(trace.ticks for trace in traces),
        tokens=sum(trace.tokens for trace in traces),
        agrees=all(known) if known else None,
        world=(first.world[0], last.world[1]),
        believed=(first.believed[0], last.believed[1]),
    )
