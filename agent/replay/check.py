"""An episode's mission done again in the same world, and compared bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.build import Agent
from agent.config import Config
from agent.episode.reader import Episode
from agent.errors import CheckpointError
from agent.events import Event, MissionStarted, Replying
from agent.replay.difference import Change, Divergence, changes, difference
from agent.replay.recording import Recording, held_s, need_no_clock, remembered, said
from agent.replay.variation import varied
from agent.replay.world import begin, resent
from agent.robots.simulated import SimulatedRobot
from agent.skilled import policy_checkpoint
from agent.types import MissionOutcome
from skills.checkpoint import weights_hash


@dataclass(frozen=True, slots=True)
class Check:
    """What came of a replay.

    Attributes:
        ticks: How many ticks in a row the world repeats, given the recorded actions.
        events: How many events in a row the agent repeats, given the world.
        world: Where the world first goes another way; None where it does not.
        divergence: Where the agent first does; None where it does not.
        changed: What is not as it was then: versions of packages, hashes of weights and prompts.
        held_s: From when on nothing is compared, since somebody held the arm in the middle of a
            tick; None where nobody did.
    """

    ticks: int
    events: int
    world: Divergence | None
    divergence: Divergence | None
    changed: tuple[Change, ...]
    held_s: float | None

    @property
    def same(self) -> bool:
        """Whether all is as it was, but for the versions of software that did the same."""
        moved = self.world is not None or self.divergence is not None
        return not moved and all(change.of_software for change in self.changed)


def check(episode: Episode) -> Check:
    """Repeat an episode twice: its actions in the world, and then its whole mission.

    What a language model said is played back, as is what the human said and did; all else is done
    anew. An episode that was cut short is compared as far as it goes.

    Raises:
        EpisodeError: The episode is cut off before its mission began, or began in a world that is
            not on record.
    """
    until_s = held_s(episode)
    with TemporaryDirectory() as folder:
        recording = Recording(episode)
        config = varied(episode, (), Path(folder) / "memory.sqlite")
        need_no_clock(episode, config, world=True)
        agent = _agent(episode, config)
        try:
            ticks, world = _world(episode, agent.simulated, until_s)
            agent.memory.restore(remembered(episode))
            comparison = _Comparison(episode, recording, agent.robot.stop, until_s)
            seed = begin(agent.simulated, episode)
            agent.runtime(seed, [comparison]).run(
                episode.command,
                seed,
                dry_run=episode.outcome is MissionOutcome.PLANNED,
                approve=recording.approves,
                **said(episode),
            )
        finally:
            agent.close()
    divergence = comparison.end()
    return Check(ticks, comparison.events, world, divergence, comparison.changed, until_s)


def _agent(episode: Episode, config: Config) -> Agent:
    """Open an agent, or say that its weights are other ones, where that is why it does not open."""
    try:
        return Agent(config)
    except CheckpointError as error:
        then, now = episode.metadata["policy"], weights_hash(policy_checkpoint(config))
        if then == now:
            raise
        other = f"The policy's weights are not those of the episode (they were {then}, are {now})."
        raise CheckpointError(f"{other} {error}") from error


def _world(
    episode: Episode, robot: SimulatedRobot, until_s: float | None
) -> tuple[int, Divergence | None]:
    """Send the recorded actions again; return how many ticks agree, and where one does not."""
    count = 0
    for tick, found in resent(robot, episode):
        if until_s is not None and tick.time_s >= until_s:
            break
        if found is not None:
            return count, found
        count += 1
    return count, None


class _Comparison:
    """Hears a mission and holds it against a recording, up to the first difference.

    Attributes:
        events: How many agree.
        changed: What the metadata say that is not as it was.
    """

    def __init__(
        self,
        episode: Episode,
        recording: Recording,
        stop: Callable[[], None],
        until_s: float | None,
    ) -> None:
        """Take the episode, and what ends a mission of which no more needs to be known."""
        self._metadata, self._recording = episode.metadata, recording
        self._cut = not episode.complete
        self._stop, self._until_s = stop, until_s
        self._divergence: Divergence | None = None
        self._over = False
        self.events = 0
        self.changed: tuple[Change, ...] = ()

    def on_event(self, event: Event) -> None:
        """Compare one event with the next recorded one."""
        if self._over or isinstance(event, Replying):
            return
        if isinstance(event, MissionStarted):
            self.changed = changes(self._metadata, event.metadata)
            event = replace(event, metadata=self._metadata)
        ticks = self._recording.ticks
        then = self._recording.take()
        held = self._until_s is not None and event.time_s >= self._until_s
        if held or (then is None and self._cut):
            self._end()
            return
        self._divergence = difference(then, event, ticks)
        if self._divergence is not None:
            self._end()
            return
        self.events += 1
        if self._recording.stops:
            self._stop()

    def end(self) -> Divergence | None:
        """Return the first difference, once the mission has ended."""
        rest = None if self._over else self._recording.take()
        return self._divergence if rest is None else difference(rest, None, self._recording.ticks)

    def _end(self) -> None:
        self._over = True
        self._stop()
