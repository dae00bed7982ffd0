"""An episode's events, looked at ahead of where its replay is, and what the human did in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import TypeAdapter

from agent.config import Config
from agent.episode.reader import Episode
from agent.errors import EpisodeError
from agent.events import (
    Answered,
    Corrected,
    Event,
    Heard,
    MissionEnded,
    Stopped,
    StopWordJudged,
    Ticked,
    VerdictGiven,
)
from agent.memory import Tally
from agent.types import MissionOutcome, Plan

BY_HAND = "latch"
"""What an episode calls a stop that came from outside of the loop."""
_TALLIES = TypeAdapter(list[Tally])
_MARGIN_S = 0.15
"""What is heard is written down up to a tick after the arm was held for it."""


class Recording:
    """Reads an episode once from its beginning, holding no more than the next few events.

    What was heard is left out: what came of it is in the other events.

    Attributes:
        ticks: How many ticks were taken.
    """

    def __init__(self, episode: Episode, without: tuple[type[Event], ...] = ()) -> None:
        """Begin at the first event.

        Raises:
            EpisodeError: The episode is cut off before its mission began, or was imported.
        """
        need_agent(episode)
        left_out = (Heard, StopWordJudged, *without)
        self._events = (event for event in episode.events() if not isinstance(event, left_out))
        self._ahead: deque[Event] = deque()
        self.ticks = 0

    def peek(self) -> Event | None:
        """Return the next event, None at the end."""
        return next(self._coming(), None)

    def take(self) -> Event | None:
        """Return the next event and go past it."""
        event = self.peek()
        if event is not None:
            self._ahead.popleft()
            self.ticks += isinstance(event, Ticked)
        return event

    def tick(self) -> Ticked | None:
        """Return the next tick, whatever stands before it; None where there is none any more."""
        return next((event for event in self._coming() if isinstance(event, Ticked)), None)

    def verdict(self) -> VerdictGiven | None:
        """Return the verdict that ended the subgoal at the next tick; None where it went on."""
        events = self._coming()
        if next((e for e in events if isinstance(e, Ticked)), None) is None:
            return None
        for event in events:
            if isinstance(event, Ticked | VerdictGiven):
                return event if isinstance(event, VerdictGiven) else None
        return None

    @property
    def stops(self) -> bool:
        """Whether the robot was stopped from outside before what comes next."""
        event = self.peek()
        if isinstance(event, Stopped):
            return event.source == BY_HAND
        if isinstance(event, MissionEnded):
            return event.result.outcome is MissionOutcome.STOPPED
        return False

    def approves(self, plan: Plan) -> bool:
        """Return whether a plan was carried out that has just been made."""
        return not isinstance(self.peek(), MissionEnded)

    def _coming(self) -> Iterator[Event]:
        """Yield the events to come, without going past them."""
        index = 0
        while True:
            if index == len(self._ahead):
                event = next(self._events, None)
                if event is None:
                    return
                self._ahead.append(event)
            yield self._ahead[index]
            index += 1


def need_agent(episode: Episode) -> None:
    """Refuse an episode that does not say what agent made it.

    Raises:
        EpisodeError: It is cut off before its mission began, or was imported.
    """
    if not episode.metadata:
        raise EpisodeError(f"{episode.path} ends before its mission began; nothing can be run.")
    if "config" not in episode.metadata:
        raise EpisodeError(
            f"{episode.path} was not recorded by Bosun, so there is no agent to run again; look at "
            "it with --view, or export it."
        )


def need_no_clock(episode: Episode, config: Config, *, world: bool) -> None:
    """Refuse a replay in which it would matter how fast this machine is.

    Args:
        episode: That is replayed.
        config: With what.
        world: Whether the world goes on anew, too.

    Raises:
        EpisodeError: The policy is asked beside the ticks, or the world is on the wall clock.
    """
    if config.policy.realtime is not None:
        mend = "" if world else "; --set policy.realtime=null asks its policy at every tick"
        raise EpisodeError(
            f"{episode.path} was made in real time, and when which answer of the policy came "
            f"depends on the clock on the wall, so nothing can be compared{mend}."
        )
    if world and config.robot.realtime:
        raise EpisodeError(
            f"{episode.path} was made in a world on the wall clock, which never goes the same way "
            "twice; --decisions needs no world."
        )


def said(episode: Episode) -> dict[str, Callable[[Any], str]]:
    """Return what the human answered, and wished at which time, as `Runtime.run` asks for it."""
    answers = iter([e.answer for e in episode.decisions if isinstance(e, Answered)])
    wishes = [e for e in reversed(episode.decisions) if isinstance(e, Corrected)]
    return {
        "answer": lambda question: next(answers, ""),
        "wish": lambda time_s: wishes.pop().wish if wishes and wishes[-1].time_s == time_s else "",
    }


def remembered(episode: Episode) -> list[Tally]:
    """Return what was known of recoveries as the mission began."""
    return _TALLIES.validate_python(episode.metadata["memory"])


def held_s(episode: Episode) -> float | None:
    """Return when the arm was first held from outside; None where it never was.

    It holds in the middle of a tick, at a moment that no episode holds, so from there on a replay
    may differ by as much as the arm moves in a tenth of a second.
    """
    times = [
        event.time_s - _MARGIN_S
        for event in episode.decisions
        if (isinstance(event, Stopped) and event.source == BY_HAND)
        or isinstance(event, StopWordJudged)
        or (isinstance(event, Heard) and event.became == "control")
    ]
    return min((time_s for time_s in times if time_s > 0), default=None)
