"""An episode cut into its subgoal runs: what is looked at, exported and learned from by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.episode.reader import Episode
from agent.events import (
    Answered,
    Corrected,
    Event,
    Heard,
    Planned,
    SceneEstimated,
    Stopped,
    SubgoalEnded,
    SubgoalStarted,
    Ticked,
    VerdictGiven,
)
from agent.types import Plan, Scene, Subgoal, SubgoalResult, Verdict

Said = Answered | Corrected | Heard | Planned | Stopped
"""What is said in words around the ticks of a run."""

UNKNOWN = "unknown"
"""Outcome of a run whose end was not logged: the file was cut, or a person drove the robot."""


@dataclass(slots=True, eq=False)
class SubgoalRun:
    """One try of one subgoal, as it was logged.

    Attributes:
        number: Its place among the runs of the episode, from 0.
        subgoal: What was to be done.
        attempt: Which try in a row it is, from 1; 0 is a look that is no part of the plan.
        plan: The accepted plan that it belongs to; None where the file holds none before it.
        replans: How many new plans there were before that one.
        scene: What the agent believed at the decision point before it; None where it had not
            looked.
        before: What came of the runs before it, in order.
        ticks: Observations, chunks and actions, in order.
        said: What was said since the run before it ended, and until this one did.
        verdict: The monitor's; None where the file ends before it.
        result: What came of it; None where the file ends before that.
    """

    number: int
    subgoal: Subgoal
    attempt: int
    plan: Plan | None
    replans: int
    scene: Scene | None
    before: tuple[SubgoalResult, ...]
    ticks: list[Ticked] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    verdict: Verdict | None = None
    result: SubgoalResult | None = None

    @property
    def outcome(self) -> str:
        """How it ended, as `SubgoalOutcome` has it, or `unknown`."""
        return self.result.outcome.value if self.result else UNKNOWN

    @property
    def args(self) -> str:
        """The subgoal's arguments as JSON."""
        return json.dumps(self.subgoal.args, sort_keys=True)


def subgoal_runs(episode: Episode) -> Iterator[SubgoalRun]:
    """Yield the runs of an episode, in order, each when it is over.

    One run's images are in memory at a time. The last run of a file that was cut is yielded with
    what there is of it. What was said after the last run is in none of them.
    """
    scene: Scene | None = None
    plan, replans, number = None, 0, 0
    before: tuple[SubgoalResult, ...] = ()
    said: list[Said] = []
    run: SubgoalRun | None = None
    for event in episode.events():
        match event:
            case SceneEstimated():
                scene = event.scene
            case Planned(problems=()) if event.plan.subgoals:
                plan, replans = event.plan, event.replans
            case SubgoalStarted():
                run = SubgoalRun(
                    number, event.subgoal, event.attempt, plan, replans, scene, before, said=said
                )
                number, said = number + 1, []
        if run is None:
            if isinstance(event, Said):
                said.append(event)
        elif _taken(run, event):
            yield run
            before, run = (*before, *([run.result] if run.result else [])), None
    if run is not None:
        yield run


def _taken(run: SubgoalRun, event: Event) -> bool:
    """Write an event down with a run; return whether it ended it."""
    match event:
        case Ticked():
            run.ticks.append(event)
        case VerdictGiven():
            run.verdict = event.verdict
        case SubgoalEnded():
            run.result = event.result
        case Answered() | Corrected() | Heard() | Planned() | Stopped():
            run.said.append(event)
    return run.result is not None
