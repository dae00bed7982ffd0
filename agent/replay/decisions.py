"""An episode decided anew over what was recorded: what would planner, policy and monitor do now?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agent.build import Agent
from agent.config import Config
from agent.episode.reader import Episode
from agent.events import (
    Consulted,
    Event,
    MissionEnded,
    MissionStarted,
    Replying,
    SubgoalEnded,
    SubgoalStarted,
    Ticked,
    VerdictGiven,
)
from agent.parts import Parts
from agent.provenance import action_spec
from agent.replay.difference import Change, Divergence, changes, difference
from agent.replay.forced import (
    ForcedEstimator,
    ForcedMonitor,
    ForcedPlanner,
    ForcedPolicy,
    ForcedVerifier,
    Kind,
    RecordedRobot,
)
from agent.replay.recording import Recording, need_no_clock, remembered, said
from agent.replay.variation import varied
from agent.runtime import Runtime
from agent.types import MissionOutcome

TOLERANCE = 1e-3
"""By how much an action may differ in each of its numbers: m, rad and share of the opening."""
_BEARS_ON: Mapping[Kind, tuple[str, ...]] = {
    Kind.ACTION: ("policy", "config.policy", "contracts"),
    Kind.VERDICT: (
        "config.monitor",
        "calibration",
        "policy",
        "config.policy",
        "scene",
        "contracts",
    ),
    Kind.PLAN: ("prompts", "config.planner", "contracts", "config.monitor", "scene"),
    Kind.PROBLEMS: ("contracts", "config.planner", "config.budget", "config.monitor"),
    Kind.SCENE: ("scene", "config.scene"),
    Kind.LOOP: ("config.budget", "config.monitor", "contracts"),
}
"""Kind of difference -> what it may come from, nearest first."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch of ticks on which something else would be decided now.

    Attributes:
        kind: action, verdict, plan, problems, scene or loop.
        tick: The first of them, counted from 0.
        last: The last of them.
        time_s: Of the mission, at the first.
        subgoal: The phrase of the subgoal that ran; empty between subgoals.
        then: What was decided at the first.
        now: What would be.
        cause: What has changed that bears on it; empty where nothing has that is on record.
    """

    kind: Kind
    tick: int
    last: int
    time_s: float
    subgoal: str
    then: str
    now: str
    cause: str


@dataclass(frozen=True, slots=True)
class Decisions:
    """What came of deciding anew.

    Attributes:
        ticks: How many ticks were gone through.
        seconds: How long the mission was, s of the robot's clock.
        differences: Where something else would be decided, the first one first.
        changed: What is not as it was then.
    """

    ticks: int
    seconds: float
    differences: tuple[Difference, ...]
    changed: tuple[Change, ...]


class Reviewer:
    """Decides episodes anew, one after another; parts that they share are loaded once."""

    def __init__(self, overrides: Sequence[str] = (), tolerance: float = TOLERANCE) -> None:
        """Take what is otherwise than in the episodes.

        Args:
            overrides: Settings such as `"monitor.alpha=0.1"`.
            tolerance: By how much an action may differ.
        """
        self._overrides, self._tolerance = overrides, tolerance
        self._open = ExitStack()
        self._memory = Path(self._open.enter_context(TemporaryDirectory())) / "memory.sqlite"
        self._agent: Agent | None = None

    def __call__(self, episode: Episode) -> Decisions:
        """Go through an episode.

        Raises:
            EpisodeError: It is cut off before its mission began.
            ConfigError: A setting is wrong.
        """
        recording = Recording(episode, without=(Consulted,))
        config = varied(episode, self._overrides, self._memory)
        need_no_clock(episode, config, world=False)
        agent = self._agent_for(config)
        unchanged = varied(episode, (), self._memory).model_dump(mode="json")
        agent.memory.clear()
        agent.memory.restore(remembered(episode))
        robot = RecordedRobot(recording, action_spec(episode.metadata))
        follower = _Follower({**episode.metadata, "config": unchanged}, recording, robot)
        start = {key: episode.metadata[key] for key in ("seed", "world")}
        parts = agent.parts(robot, start, [follower])
        Runtime(_forced(parts, recording, follower, self._tolerance)).run(
            episode.command,
            None,
            dry_run=episode.outcome is MissionOutcome.PLANNED,
            approve=recording.approves,
            **said(episode),
        )
        return follower.decisions()

    def close(self) -> None:
        """Release what is loaded."""
        if self._agent is not None:
            self._agent.close()
            self._agent = None
        self._open.close()

    def _agent_for(self, config: Config) -> Agent:
        if self._agent is not None and self._agent.config == config:
            return self._agent
        if self._agent is not None:
            self._agent.close()
        self._agent = Agent(config)
        return self._agent


def _forced(parts: Parts, recording: Recording, follower: _Follower, tolerance: float) -> Parts:
    """Return parts that do as was done, and note what the given ones would do."""
    note, names = follower.note, parts.robot.spec.names
    policies = {
        name: ForcedPolicy(policy, recording, note, tolerance, names)
        for name, policy in parts.policies.items()
    }
    planners = [parts.planner, *parts.fallbacks]
    first, *others = (
        ForcedPlanner(planner, recording, note, last=planner is planners[-1])
        for planner in planners
    )
    return replace(
        parts,
        planner=first,
        fallbacks=others,
        verifier=ForcedVerifier(parts.verifier, recording, note),
        policies=policies,
        estimator=ForcedEstimator(parts.estimator, recording, note),
        monitor=ForcedMonitor(parts.monitor, recording, note, policies),
    )


class _Follower:
    """Goes through the recording as the mission does, and takes down what differs."""

    def __init__(
        self, metadata: Mapping[str, Any], recording: Recording, robot: RecordedRobot
    ) -> None:
        """Begin before the first event; the metadata say what the mission was made with."""
        self._metadata, self._recording, self._robot = metadata, recording, robot
        self._differences: list[Difference] = []
        self._changed: tuple[Change, ...] = ()
        self._subgoal, self._time_s, self._lost = "", 0.0, False

    def note(self, kind: Kind, then: str, now: str) -> None:
        """Take down a difference at the present tick, with the one before if it goes on."""
        if self._lost:
            return
        tick = self._recording.ticks
        same = [d for d in self._differences if d.kind == kind and d.subgoal == self._subgoal]
        if same and same[-1].last == tick - 1 and kind in (Kind.ACTION, Kind.VERDICT):
            self._differences[self._differences.index(same[-1])] = replace(same[-1], last=tick)
            return
        time_s = self._robot.observe().time_s
        cause = _cause(kind, self._changed)
        found = Difference(kind, tick, tick, time_s, self._subgoal, then, now, cause)
        self._differences.append(found)

    def on_event(self, event: Event) -> None:
        """Go past the recorded event that this one repeats."""
        if self._lost or isinstance(event, Consulted | Replying):
            return
        if isinstance(event, MissionStarted):
            self._changed = changes(self._metadata, event.metadata, settings=True)
            self._recording.take()
            return
        then = self._recording.peek()
        found = None
        if not (isinstance(event, Ticked) and isinstance(then, Ticked)):
            found = difference(then, event, self._recording.ticks)
        if found is not None:
            self.note(Kind.LOOP, *_parted(then, event, found))
            # From here on the mission would go where nothing is recorded.
            self._lost = True
            self._robot.stop()
            return
        self._recording.take()
        self._time_s = event.time_s
        if isinstance(event, SubgoalStarted):
            self._subgoal = event.subgoal.phrase
        elif isinstance(event, SubgoalEnded):
            self._subgoal = ""

    def decisions(self) -> Decisions:
        """Return what was found, once the mission has ended."""
        return Decisions(
            self._recording.ticks, self._time_s, tuple(self._differences), self._changed
        )


def _parted(then: Event | None, now: Event, found: Divergence) -> tuple[str, str]:
    """Return in words what came then and what would come now."""
    words = _happening(then), _happening(now)
    if words[0] != words[1]:
        return words
    return f"{found.topic} {found.field} {found.then}", f"{found.topic} {found.field} {found.now}"


def _happening(event: Event | None) -> str:
    match event:
        case None:
            return "nothing more"
        case SubgoalStarted():
            return f"begins to {event.subgoal.phrase}"
        case VerdictGiven():
            return f"{event.verdict.value.value}: {event.verdict.reason.value}"
        case MissionEnded():
            return f"ends with {event.result.outcome.value}"
        case _:
            return type(event).__name__


def _cause(kind: Kind, changed: Sequence[Change]) -> str:
    """Return what has changed that bears on a kind of difference, the nearest first."""
    bearing = [
        change
        for name in _BEARS_ON[kind]
        for change in changed
        if change.name == name or change.name.startswith((f"{name}.", f"{name}["))
    ]
    software = [change for change in changed if change.of_software]
    return "; ".join(map(str, dict.fromkeys(bearing or software)))
