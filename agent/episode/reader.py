"""Reads an episode back as the events it was written from, also where it is cut or damaged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.episode.codec import Message, decode
from agent.episode.file import FILE_NAME
from agent.episode.schemas import ACTION
from agent.episode.tape import Tape
from agent.errors import EpisodeError
from agent.events import (
    Consulted,
    Event,
    Heard,
    MissionEnded,
    MissionStarted,
    Planned,
    SceneEstimated,
    SubgoalEnded,
    Ticked,
    VerdictGiven,
)
from agent.types import MissionOutcome, MissionResult, Scene, SubgoalResult

_FOREIGN = (KeyError, ValueError, TypeError, OSError)
"""What decoding raises on a whole message that Bosun did not write."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One mission as it was logged. Ticks are read from the file each time they are asked for.

    Attributes:
        path: The MCAP file.
        complete: Whether the file was closed properly and all of it can be read.
        loss: What is missing, in one sentence; empty when the file is complete.
        tick_count: How many ticks the file holds.
        decisions: Every event but the ticks, in order.
    """

    path: Path
    complete: bool
    loss: str
    tick_count: int
    decisions: tuple[Event, ...]

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Versions, config, seeds and hashes; empty when the file ends before them."""
        return next((e.metadata for e in self.decisions if isinstance(e, MissionStarted)), {})

    @property
    def command(self) -> str:
        """What the human said; empty when the file ends before it."""
        return next((e.command for e in self.decisions if isinstance(e, MissionStarted)), "")

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """Every scene estimated at a decision point."""
        return tuple(e.scene for e in self.decisions if isinstance(e, SceneEstimated))

    @property
    def plans(self) -> tuple[Planned, ...]:
        """Every answer of the planner, rejected ones included."""
        return tuple(e for e in self.decisions if isinstance(e, Planned))

    @property
    def consulted(self) -> tuple[Consulted, ...]:
        """Everything a language model was asked, and what it answered."""
        return tuple(e for e in self.decisions if isinstance(e, Consulted))

    @property
    def heard(self) -> tuple[Heard, ...]:
        """Every utterance, with its sound; those that led to the mission come first."""
        return tuple(e for e in self.decisions if isinstance(e, Heard))

    @property
    def verdicts(self) -> tuple[VerdictGiven, ...]:
        """Every verdict of the monitor, with its subgoal."""
        return tuple(e for e in self.decisions if isinstance(e, VerdictGiven))

    @property
    def results(self) -> tuple[SubgoalResult, ...]:
        """What came of every subgoal run."""
        return tuple(e.result for e in self.decisions if isinstance(e, SubgoalEnded))

    @property
    def result(self) -> MissionResult | None:
        """What came of the mission; None when the file ends before that."""
        ended = [e.result for e in self.decisions if isinstance(e, MissionEnded)]
        return ended[-1] if ended else None

    @property
    def outcome(self) -> MissionOutcome | None:
        """How the mission ended; None when the file ends before that."""
        return self.result.outcome if self.result else None

    def events(self) -> Iterator[Event]:
        """Yield everything that happened, in order."""
        tape = Tape(self.path)
        for parts in tape:
            yield _decoded(parts, tape)

    def messages(self) -> Iterator[Mapping[str, Message]]:
        """Yield the messages of each event by topic, in order, as they are in the file."""
        tape = Tape(self.path)
        for parts in tape:
            yield _parsed(parts, tape)

    def ticks(self) -> Iterator[Ticked]:
        """Yield the ticks, in order: observation, chunk, action and what was sent."""
        tape = Tape(self.path)
        for parts in tape:
            if ACTION in parts:
                event = _decoded(parts, tape)
                if isinstance(event, Ticked):
                    yield event


def read_episode(path: Path) -> Episode:
    """Read an episode, as far as it goes.

    A damaged event is left out where the index at the file's end tells where the next one begins;
    otherwise the episode ends before it.

    Args:
        path: The MCAP file, or the folder it lies in.

    Raises:
        EpisodeError: There is no such file, or Bosun did not write it.
    """
    file = path / FILE_NAME if path.is_dir() else path
    tape = Tape(file)
    decisions: list[Event] = []
    ticks = 0
    for parts in tape:
        if ACTION in parts:
            ticks += 1
        else:
            decisions.append(_decoded(parts, tape))
    return Episode(file, tape.complete, tape.loss(ticks), ticks, tuple(decisions))


def _decoded(parts: Mapping[str, bytes], tape: Tape) -> Event:
    try:
        return decode(_parsed(parts, tape), tape.attached)
    except _FOREIGN as error:
        raise foreign(tape.path, parts) from error


def _parsed(parts: Mapping[str, bytes], tape: Tape) -> dict[str, Message]:
    try:
        return {topic: json.loads(data) for topic, data in parts.items()}
    except ValueError as error:
        raise foreign(tape.path, parts) from error


def foreign(path: Path, parts: Iterable[str]) -> EpisodeError:
    """Return the error for messages, by their topics, that are not as this version writes them."""
    return EpisodeError(
        f"{path} holds a message that this version of Bosun did not write"
        f" (topics {', '.join(parts)}); give an episode of this version."
    )
