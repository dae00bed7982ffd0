"""One mission from the outside: run it, log it, score it, sum it up."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Any, Self

from agent.build import Agent
from agent.chunks.meter import ChunkMeter
from agent.config import Config
from agent.episode.backlog import Backlog, Handover
from agent.episode.summary import summarise, write_summary
from agent.errors import RobotError, UsageError
from agent.events import Event, MissionEnded, MissionStarted
from agent.facts import expected
from agent.monitor.monitor import broken_off
from agent.monitor.open_loop import OpenLoop
from agent.protocols import Monitor, Robot, Subscriber
from agent.sections import EpisodeConfig, MemoryConfig
from agent.types import Fact, MissionOutcome, Plan, Scene
from skills.evaluate.flat import reaches
from skills.evaluate.missions import Record
from skills.evaluate.scoring import World, achieved

EXIT_CODES = {
    MissionOutcome.SUCCESS: 0,
    MissionOutcome.PLANNED: 0,
    MissionOutcome.FAILED: 1,
    MissionOutcome.NEEDS_HELP: 3,
    MissionOutcome.STOPPED: 4,
}


_LEARNED = "pick"
"""A skill of the learned policy, which serves all of them."""


@dataclass(frozen=True, slots=True)
class Mission:
    """What to run and what to keep of it.

    Attributes:
        command: What the human said.
        seed: Of the scene; None goes on in the world as it is.
        episode: Folder for the log; None keeps none.
        video: File for the film; None makes none.
        dry_run: Plan and verify only.
    """

    command: str
    seed: int | None
    episode: Path | None = None
    video: Path | None = None
    dry_run: bool = False


def run_mission(
    agent: Agent,
    mission: Mission,
    subscribers: Sequence[Subscriber] = (),
    approve: Callable[[Plan], bool] = lambda plan: True,
    answer: Callable[[str], str] = lambda question: "",
    wish: Callable[[float], str] = lambda time_s: "",
    heard: Backlog | None = None,
) -> dict[str, Any]:
    """Run one mission and return its summary, as `bosun run --json` prints it.

    What is in `heard` meanwhile, and was before, goes into the episode. Ctrl-C stops a mission that
    is under way; once it is over, its log is finished first.

    The summary's `world_success` is privileged: the simulator is asked, after the end, whether
    what the first plan was for has come about. The agent never sees it.
    """
    # It outlives the recorders: an interrupt while they close must not leave a log unfinished.
    with ExitStack() as guarded:
        with ExitStack() as stack:
            before = _TruthAtStart(agent)
            if mission.episode is not None:
                _make_room(agent.config.episode, mission.episode)
            recorders: list[Subscriber] = [*_recorders(stack, mission)]
            if heard is not None:
                recorders = [Handover(heard, recorders)]
            meter, interrupts = ChunkMeter(), guarded.enter_context(_Interrupts(agent.robot))
            listeners: list[Subscriber] = [interrupts, before, meter, *subscribers, *recorders]
            result = agent.runtime(mission.seed, listeners).run(
                mission.command,
                mission.seed,
                dry_run=mission.dry_run,
                # A stop before the first motion may come before the reset that clears the latch.
                approve=lambda plan: approve(plan) and not interrupts.came,
                answer=answer,
                wish=wish,
            )
        goals = expected(result.plan, before.scene, agent.contracts)
        success = None
        if goals and not mission.dry_run and agent.truth is not None:
            # A world that has gone meanwhile gives no score, and the mission ended all the same.
            with suppress(RobotError):
                success = achieved(agent.truth, goals, before.scene)
        summary = summarise(result, success, mission.episode, meter.summary())
        if mission.episode is not None:
            write_summary(mission.episode, summary)
    return summary


def fresh_folder(runs: Path) -> Path:
    """Return a folder for a new episode, named by the time."""
    stamp = datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    names = [stamp, *(f"{stamp}-{i}" for i in range(2, 100))]
    return next(runs / name for name in names if not (runs / name).exists())


def _make_room(config: EpisodeConfig, folder: Path) -> None:
    """Let the oldest episodes give way to one that begins in the same place."""
    within = folder.resolve().is_relative_to(config.directory.resolve())
    if config.limit_gb is not None and within and config.directory.is_dir():
        from agent.episode.library import clean

        clean(config.directory, int(config.limit_gb * 1e9))


def _recorders(stack: ExitStack, mission: Mission) -> Iterator[Subscriber]:
    from agent.episode.video import VideoRecorder
    from agent.episode.writer import EpisodeWriter

    if mission.episode is not None:
        yield stack.enter_context(EpisodeWriter(mission.episode))
    if mission.video is not None:
        yield stack.enter_context(VideoRecorder(mission.video))


class _Interrupts:
    """Lets Ctrl-C set the stop latch while a mission is under way, and wait once it is over.

    The latch is set from another thread: where the mission's own is interrupted, it may hold what
    the robot needs in order to stop. It is a subscriber, so that it knows when the mission is over.

    Attributes:
        came: Whether there was one while the mission was under way.
    """

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._stopping: list[threading.Thread] = []
        self.came = self._over = self._late = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *error: object) -> None:
        """Give interrupts back to whom they went to before, with the one that waits."""
        signal.signal(signal.SIGINT, self._before)
        for thread in self._stopping:
            thread.join()
        if self._late:
            signal.raise_signal(signal.SIGINT)

    def on_event(self, event: Event) -> None:
        """Take note of the mission's end."""
        self._over |= isinstance(event, MissionEnded)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._over:
            self._late = True
            return
        self.came = True
        thread = threading.Thread(target=self._robot.stop, name="interrupt")
        self._stopping.append(thread)
        thread.start()


class _TruthAtStart:
    """Keeps the world's own scene as the mission begins, for scoring; privileged."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.scene = Scene(0.0)

    def on_event(self, event: Event) -> None:
        if isinstance(event, MissionStarted):
            truth = self._agent.truth
            self.scene = truth.truth() if truth else self.scene


class Watching(StrEnum):
    """When the subgoals of a mission are judged; all but the last are there to compare with."""

    OPEN_LOOP = "open_loop"
    AT_END = "at_end"
    CONTINUOUS = "continuous"


class TruthBench:
    """Runs commands without logs and scores them against goals from outside the agent."""

    def __init__(self, config: Config, watching: Watching = Watching.CONTINUOUS) -> None:
        """Load an agent, which remembers nothing: every mission is measured by itself."""
        changed: dict[str, Any] = {"memory": MemoryConfig(file=None)}
        if watching is Watching.OPEN_LOOP:
            changed["budget"] = config.budget.model_copy(update={"replans": 0, "attempts": 1})
        self._agent = Agent(config.model_copy(update=changed))
        self._truth = _known(self._agent.truth)
        limits, contracts = config.monitor, self._agent.contracts
        self._continuous = watching is Watching.CONTINUOUS
        self._open_loop: Monitor | None = (
            OpenLoop(contracts, limits.success_threshold, limits.confirm_ticks)
            if watching is Watching.OPEN_LOOP
            else None
        )

    def __call__(self, command: str, seed: int, goals: Sequence[Fact]) -> Record:
        """Run one mission."""
        before = _TruthAtStart(self._agent)
        began = time.perf_counter()
        runtime = self._agent.runtime(
            seed, [before], monitor=self._open_loop, continuous=self._continuous
        )
        result = runtime.run(command, seed)
        return Record(
            outcome=result.outcome,
            world_success=achieved(self._truth, goals, before.scene),
            replans=result.replans,
            seconds=result.seconds,
            wall_s=time.perf_counter() - began,
            reasons=tuple(subgoal.verdict.reason for subgoal in result.results),
            alarms=sum(broken_off(subgoal.verdict) for subgoal in result.results),
        )

    def flat(self, command: str, seed: int, goals: Sequence[Fact], seconds: float) -> bool:
        """Return whether the bare policy, told the whole command, reaches the goals in time."""
        policy = self._agent.policies[_LEARNED]
        return reaches(self._agent.tabletop, policy, command, seed, goals, seconds)


def _known(truth: World | None) -> World:
    """Return what missions are scored by.

    Raises:
        UsageError: Nobody knows what is really there.
    """
    if truth is None:
        raise UsageError("This robot's world cannot be asked what is really there, so no score.")
    return truth
