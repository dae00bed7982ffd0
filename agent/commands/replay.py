"""`bosun replay`: logged missions done again, decided anew, taken up live, or in other forms."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console as Terminal
from rich.table import Table

from agent.commands import forms
from agent.errors import EpisodeError, UsageError

if TYPE_CHECKING:
    from agent.episode.page import Mark
    from agent.episode.reader import Episode
    from agent.replay.check import Check
    from agent.replay.decisions import Decisions
    from agent.replay.difference import Divergence

_Found = TypeVar("_Found")
_MOST_ROWS = 20
"""Differences that are listed of one episode."""


def replay(args: argparse.Namespace) -> int:
    """Do what is asked with one episode, or with each of a folder; 1 means that it differs."""
    from agent.episode.reader import read_episode

    ways = [way for flag, way in _WAYS.items() if getattr(args, flag) not in (None, False)]
    if not ways and not forms.wanted(args):
        raise UsageError(
            "Say what to do with the episode: --check, --decisions, --from TICK, --view or an "
            "--export-... of it."
        )
    paths = _episodes(args.episode)
    if args.tick is not None and len(paths) > 1:
        raise UsageError(f"--from goes on from one episode; {args.episode} holds {len(paths)}.")
    forms.check(args, len(paths))
    episodes = [read_episode(path) for path in paths]
    came = ways[0](args, episodes) if ways else _Outcome(0)
    files = forms.written(args, episodes, came.marks)
    if args.json:
        told = came.told or [{"episode": str(episode.path.parent)} for episode in episodes]
        whole = told[0] if len(told) == 1 else {"episodes": told}
        sys.stdout.write(json.dumps({**whole, "files": list(map(str, files))}) + "\n")
    else:
        for file in files:
            sys.stdout.write(f"Written: {file}\n")
    return came.code


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a replay.

    Attributes:
        code: The exit code.
        told: What is printed as JSON, of each episode.
        marks: Path of an episode -> where its replay differs.
    """

    code: int
    told: Sequence[dict[str, Any]] = ()
    marks: Mapping[Path, Sequence[Mark]] = field(default_factory=dict)


def _episodes(path: Path) -> list[Path]:
    """Return the episode at a path, or all that lie below it, oldest first."""
    from agent.episode.file import FILE_NAME
    from agent.episode.library import shelves

    if path.is_file() or (path / FILE_NAME).is_file():
        return [path]
    found = [shelf.folder for shelf in reversed(shelves(path))]
    if not found:
        raise EpisodeError(f"There is no episode in {path}; give its folder, or the one above it.")
    return found


def _check(args: argparse.Namespace, episodes: Sequence[Episode]) -> _Outcome:
    from agent.episode.page import Mark
    from agent.replay.check import check

    terminal, same = Terminal(highlight=False, soft_wrap=True), 0
    told: list[dict[str, Any]] = []
    marks: dict[Path, list[Mark]] = {}
    for episode in episodes:
        if (found := _unless_unfit(check, episode, episodes, told)) is None:
            continue
        same += found.same
        told.append({"episode": str(episode.path.parent), **asdict(found), "same": found.same})
        marks[episode.path] = [
            Mark(where.time_s, f"{where.topic} {where.field}", where.then, where.now, "")
            for where in (found.world, found.divergence)
            if where is not None
        ]
        if not args.json:
            _tell_which(terminal, episode, episodes)
            _tell_check(terminal, found)
    if len(episodes) > 1 and not args.json:
        terminal.print(f"{same} of {len(marks)} episodes are the same, bit by bit.")
    return _Outcome(int(same < len(marks) or not marks), told, marks)


def _unless_unfit(
    replayed: Callable[[Episode], _Found],
    episode: Episode,
    episodes: Sequence[Episode],
    told: list[dict[str, Any]],
) -> _Found | None:
    """Return what came of a replay; of many, one that cannot be replayed is told and passed over.

    Raises:
        EpisodeError: The only one cannot be replayed.
    """
    try:
        return replayed(episode)
    except EpisodeError as error:
        if len(episodes) == 1:
            raise
        sys.stderr.write(f"bosun: {error}\n")
        told.append({"episode": str(episode.path.parent), "error": str(error)})
        return None


def _tell_which(terminal: Terminal, episode: Episode, episodes: Sequence[Episode]) -> None:
    if len(episodes) > 1:
        terminal.print(f"{episode.path.parent}:", markup=False)


def _tell_check(terminal: Terminal, found: Check) -> None:
    for change in found.changed:
        terminal.print(f"Not as it was then: {change}.", style="yellow", markup=False)
    if found.held_s is not None:
        terminal.print(
            f"Compared up to {found.held_s:.1f} s, when somebody held the arm in the middle of a "
            "tick; at which moment is not recorded."
        )
    if found.world is None and found.divergence is None:
        terminal.print(
            f"The same, bit by bit: {found.ticks} ticks of the world, {found.events} events of the "
            "agent."
        )
    if found.world is not None:
        _tell(terminal, f"The world repeats {found.ticks} ticks", found.world)
    if found.divergence is not None:
        _tell(terminal, f"The agent repeats {found.events} events", found.divergence)


def _tell(terminal: Terminal, what: str, where: Divergence) -> None:
    terminal.print(f"{what}; then, at tick {where.tick} ({where.time_s:.1f} s):")
    terminal.print(f"  {where.topic} {where.field}", markup=False)
    terminal.print(f"  then: {where.then or 'nothing'}", markup=False)
    terminal.print(f"  now:  {where.now or 'nothing'}", markup=False)


def _decisions(args: argparse.Namespace, episodes: Sequence[Episode]) -> _Outcome:
    from agent.episode.page import Mark
    from agent.replay.decisions import Reviewer

    terminal = Terminal(highlight=False, soft_wrap=True)
    told: list[dict[str, Any]] = []
    marks: dict[Path, list[Mark]] = {}
    reviewer = Reviewer(_overrides(args), args.tolerance)
    try:
        for episode in episodes:
            if (found := _unless_unfit(reviewer, episode, episodes, told)) is None:
                continue
            told.append({"episode": str(episode.path.parent), **asdict(found)})
            marks[episode.path] = [
                Mark(one.time_s, one.kind.value, one.then, one.now, one.cause)
                for one in found.differences
            ]
            if not args.json:
                _tell_which(terminal, episode, episodes)
                _tell_decisions(terminal, found)
    finally:
        reviewer.close()
    differing = sum(map(bool, marks.values()))
    if len(episodes) > 1 and not args.json:
        ticks = sum(one.get("ticks", 0) for one in told)
        terminal.print(f"{differing} of {len(marks)} episodes differ ({ticks} ticks).")
    return _Outcome(int(differing > 0 or not marks), told, marks)


def _tell_decisions(terminal: Terminal, found: Decisions) -> None:
    for change in found.changed:
        terminal.print(f"Not as it was then: {change}.", style="yellow", markup=False)
    if not found.differences:
        terminal.print(f"Nothing would be decided otherwise: {found.ticks} ticks.")
        return
    first = found.differences[0]
    why = f" since {first.cause}" if first.cause else "; nothing on record explains it"
    terminal.print(
        f"First at tick {first.tick} ({first.time_s:.1f} s): {first.kind.value}, "
        f"{first.then} then, {first.now} now{why}.",
        markup=False,
    )
    table = Table("ticks", "time", "subgoal", "kind", "then", "now", box=None)
    for row in found.differences[:_MOST_ROWS]:
        ticks = str(row.tick) if row.last == row.tick else f"{row.tick}-{row.last}"
        table.add_row(ticks, f"{row.time_s:.1f}", row.subgoal, row.kind.value, row.then, row.now)
    terminal.print(table, markup=False)
    if (more := len(found.differences) - _MOST_ROWS) > 0:
        terminal.print(f"... and {more} more.")


def _from(args: argparse.Namespace, episodes: Sequence[Episode]) -> _Outcome:
    """Go on live from a tick; the exit code is that of the mission."""
    from agent.build import Agent
    from agent.commands.run import answered, report
    from agent.console import Console
    from agent.mission import EXIT_CODES, Mission, fresh_folder, run_mission
    from agent.replay.resume import bring_to
    from agent.replay.variation import varied
    from agent.types import MissionOutcome

    [episode] = episodes
    config = varied(episode, _overrides(args), None)
    agent = Agent(config)
    try:
        where = bring_to(agent, episode, args.tick)
        if where is not None:
            _tell(Terminal(stderr=True, highlight=False), "The world repeats less", where)
        folder = args.log or fresh_folder(config.episode.directory)
        mission = Mission(args.command or episode.command, None, folder, args.video)
        console = Console(sys.stderr if args.json else sys.stdout)
        summary = run_mission(agent, mission, [console], answer=answered)
    finally:
        agent.close()
    if not args.json:
        report(summary, args.video)
    return _Outcome(EXIT_CODES[MissionOutcome(summary["outcome"])], [summary])


def _overrides(args: argparse.Namespace) -> list[str]:
    """Return everything that is otherwise than then, as settings."""
    named = {
        "planner.kind": args.planner,
        "planner.prompts": args.prompt,
        "policy.checkpoint": args.checkpoint,
    }
    return [*(f"{key}={value}" for key, value in named.items() if value), *args.overrides]


_WAYS: dict[str, Callable[[argparse.Namespace, Sequence[Episode]], _Outcome]] = {
    "check": _check,
    "decisions": _decisions,
    "tick": _from,
}
"""Argument -> what is done with the episodes."""
