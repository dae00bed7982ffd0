"""An episode run again: the same command, world and replies, compared event by event."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import TypeAdapter

from agent.build import Agent
from agent.config import Config
from agent.episode.codec import encode
from agent.episode.reader import Episode
from agent.errors import EpisodeError
from agent.events import (
    Answered,
    Corrected,
    Event,
    Heard,
    MissionStarted,
    Replying,
    StopWordJudged,
    SubgoalStarted,
)
from agent.language import RECORDED
from agent.memory import Tally
from agent.planner.checker import CHECK
from agent.sections import MemoryConfig
from agent.types import MissionOutcome

_TALLIES = TypeAdapter(list[Tally])
_LONGEST = 200
"""Characters that are shown of what differs."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where a replay first differs from its episode.

    Attributes:
        time_s: Of the mission.
        topic: Which message of the episode, such as `/action`.
        field: Which part of it.
        then: What the episode holds there, as JSON; empty where the replay goes on after its end.
        now: What the replay says there; empty where it ends before the episode does.
    """

    time_s: float
    topic: str
    field: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Check:
    """What came of a replay.

    Attributes:
        events: How many events agree.
        divergence: The first that does not; None where all do.
        changed: What is not as it was then: versions of packages, hashes of weights and prompts.
    """

    events: int
    divergence: Divergence | None
    changed: tuple[str, ...]


def check(episode: Episode) -> Check:
    """Run an episode's mission again, in the same world, and compare it bit by bit.

    What a language model said is played back, as is what the human answered; all else is done anew.

    Raises:
        EpisodeError: The episode is cut off before the mission began, or began in the world that
            another mission had left.
    """
    with TemporaryDirectory() as folder:
        agent = Agent(_config(episode, Path(folder) / "memory.sqlite"))
        try:
            agent.memory.restore(_TALLIES.validate_python(episode.metadata["memory"]))
            comparison = _Comparison(episode, agent.robot.stop)
            seed, answers = int(episode.metadata["seed"]), _answers(episode)
            agent.runtime(seed, [comparison]).run(
                episode.command,
                seed,
                dry_run=episode.outcome is MissionOutcome.PLANNED,
                approve=lambda plan: any(isinstance(e, SubgoalStarted) for e in episode.decisions),
                answer=lambda question: next(answers, ""),
                wish=_wishes(episode),
            )
        finally:
            agent.close()
    return comparison.result()


def _config(episode: Episode, memory: Path) -> Config:
    """Return the configuration of an episode, its language model's replies played back."""
    if "config" not in episode.metadata:
        raise EpisodeError(f"{episode.path} ends before its mission began; nothing can be run.")
    if episode.metadata["seed"] is None:
        raise EpisodeError(
            f"{episode.path} goes on in the world of another mission; it cannot be run again."
        )
    then = Config.model_validate(episode.metadata["config"])
    changed: dict[str, Any] = {"memory": MemoryConfig(file=memory)}
    kind = f"{RECORDED}:{episode.path}"
    if then.monitor.vlm is not None:
        changed["monitor"] = then.monitor.model_copy(update={"vlm": kind})
    if any(asked.decision != CHECK for asked in episode.consulted):
        changed["planner"] = then.planner.model_copy(update={"kind": kind})
    return then.model_copy(update=changed)


def _answers(episode: Episode) -> Iterator[str]:
    """Yield what the human answered, in order."""
    return (event.answer for event in episode.decisions if isinstance(event, Answered))


def _wishes(episode: Episode) -> Callable[[float], str]:
    """Return what tells the human's corrections, each at the time at which it was told."""
    left = [event for event in reversed(episode.decisions) if isinstance(event, Corrected)]
    return lambda time_s: left.pop().wish if left and left[-1].time_s == time_s else ""


class _Comparison:
    """Hears a mission and holds it against the events of an episode, up to the first difference."""

    def __init__(self, episode: Episode, stop: Callable[[], None]) -> None:
        """Take the episode, and what ends a mission of which no more needs to be known."""
        # What was heard is not heard again: what came of it is played back.
        self._recorded = (
            event for event in episode.events() if not isinstance(event, Heard | StopWordJudged)
        )
        self._metadata, self._stop = episode.metadata, stop
        self._events, self._time_s = 0, 0.0
        self._divergence: Divergence | None = None
        self._changed: tuple[str, ...] = ()

    def on_event(self, event: Event) -> None:
        """Compare one event with the next recorded one."""
        if self._divergence is not None or isinstance(event, Replying):
            return
        if isinstance(event, MissionStarted):
            self._changed = _changes(self._metadata, event.metadata)
            event = replace(event, metadata=self._metadata)
        then = next(self._recorded, None)
        self._divergence = _difference(then, event)
        if self._divergence is None:
            self._events += 1
            self._time_s = event.time_s
        else:
            self._stop()

    def result(self) -> Check:
        """Return what was found, once the mission has ended."""
        rest = None if self._divergence else next(self._recorded, None)
        return Check(
            self._events,
            _difference(rest, None) if rest is not None else self._divergence,
            self._changed,
        )


def _difference(then: Event | None, now: Event | None) -> Divergence | None:
    """Return where two events differ; one of them may be missing."""
    time_s = next(event.time_s for event in (now, then) if event is not None)
    messages = [list(encode(event)) if event else [] for event in (then, now)]
    for old, new in zip_longest(*messages, fillvalue=("", {})):
        topic = old[0] or new[0]
        if old[0] != new[0]:
            return Divergence(time_s, topic, "", _short(old[1]), _short(new[1]))
        for key in {**old[1], **new[1]}:
            if old[1].get(key) != new[1].get(key):
                return Divergence(
                    time_s, topic, key, _short(old[1].get(key)), _short(new[1].get(key))
                )
    return None


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what metadata say of the program itself that is not as it was."""
    names = ("bosun", "python", "machine", "packages", "contracts", "prompts", "policy", "scene")
    return tuple(name for name in names if then.get(name) != now.get(name))


def _short(value: Any) -> str:
    text = json.dumps(value) if value not in (None, {}) else ""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
