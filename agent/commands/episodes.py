"""`bosun episodes`: what was logged, listed, summed up, checked and cleared away."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console as Terminal
from rich.markup import escape
from rich.table import Table

from agent.config import load_config
from agent.episode.library import Entry, Shelf, clean, entry, is_running, shelves
from agent.episode.reader import Episode, read_episode
from agent.episode.summary import summarise
from agent.episode.verify import verify
from agent.errors import EpisodeError, UsageError, unknown
from agent.types import MissionOutcome, Reason

_GB = 1e9
_WIDE = 200
"""Columns of a table that goes to a file or another program."""


def episodes(args: argparse.Namespace) -> int:
    """Do with episodes what was asked for."""
    actions = {
        "list": _list,
        "show": _show,
        "clean": _clean,
        "import": _import,
        "verify": _verify,
    }
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    _refuse_unknown(args)
    directory = _directory(args)
    unreadable: list[str] = []
    entries = []
    for found in _wanted(args, directory, unreadable):
        entries.append(found)
        if len(entries) == args.limit:
            break
    if args.json:
        listed = {"episodes": [_plain(found) for found in entries], "unreadable": unreadable}
        sys.stdout.write(json.dumps(listed) + "\n")
        return 0
    for sentence in unreadable:
        sys.stderr.write(f"bosun: {sentence}\n")
    if not entries:
        sys.stdout.write(f"There is no such episode in {directory}.\n")
        return 0
    terminal = Terminal(highlight=False)
    if not terminal.is_terminal:
        # Whoever reads this has no width; the terminal's own guess would cut names off.
        terminal.width = _WIDE
    table = Table(box=None)
    for column in ("episode", "when", "command", "outcome"):
        table.add_column(column, no_wrap=column != "command")
    for column in ("subgoals", "replans", "ticks", "s", "MB"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("file", no_wrap=True)
    for found in entries:
        table.add_row(
            escape(found.shelf.name),
            f"{datetime.fromtimestamp(found.shelf.unix_s):%Y-%m-%d %H:%M}",
            escape(found.command),
            found.outcome or "-",
            str(len(found.skills)),
            str(found.replans),
            str(found.ticks),
            f"{found.seconds:.1f}",
            f"{found.shelf.size / 1e6:.1f}",
            _state(found),
        )
    terminal.print(table)
    return 0


def _refuse_unknown(args: argparse.Namespace) -> None:
    """Name the nearest where a filter asks for what no episode can have."""
    from skills.registry import load_contracts

    for kind, asked, known in (
        ("outcome", args.outcome, [outcome.value for outcome in MissionOutcome]),
        ("reason", args.reason, [reason.value for reason in Reason]),
        ("skill", args.skill, list(load_contracts()) if args.skill else []),
    ):
        if asked is not None and asked not in known:
            raise UsageError(unknown(kind, asked, known))


def _wanted(args: argparse.Namespace, directory: Path, unreadable: list[str]) -> Iterator[Entry]:
    """Yield what passes the filters, newest first; what cannot be read is said."""
    for shelf in shelves(directory):
        if args.since is not None and shelf.unix_s < args.since:
            return
        try:
            found = entry(shelf)
        except EpisodeError as error:
            unreadable.append(str(error))
            continue
        if (
            args.outcome in (None, found.outcome)
            and (args.skill is None or args.skill in found.skills)
            and (args.reason is None or args.reason in found.reasons)
            and (args.command or "").casefold() in found.command.casefold()
        ):
            yield found


def _directory(args: argparse.Namespace) -> Path:
    """Return the folder that was named, or else the one that missions are logged in."""
    if args.directory is None:
        directory: Path = load_config(args.config, args.overrides).episode.directory
        return directory
    if not args.directory.exists():
        words = ("list", "show", "clean", "import", "verify")
        raise UsageError(unknown("folder or action", str(args.directory), words))
    return Path(args.directory)


def _state(found: Entry) -> str:
    if found.running:
        return "running"
    return "complete" if found.complete else "cut"


def _plain(found: Entry) -> dict[str, Any]:
    shelf = found.shelf
    when = datetime.fromtimestamp(shelf.unix_s).isoformat(timespec="seconds")
    rest = {key: value for key, value in asdict(found).items() if key != "shelf"}
    place = {"name": shelf.name, "episode": str(shelf.folder), "time": when, "bytes": shelf.size}
    return {**place, **rest}


def _show(args: argparse.Namespace) -> int:
    episode = read_episode(args.episode)
    told = _told(episode)
    if args.json:
        sys.stdout.write(json.dumps(told) + "\n")
        return 0
    terminal = Terminal(highlight=False, soft_wrap=True)
    terminal.print(f"{told['command']!r}: {told['outcome'] or 'no outcome'}", markup=False)
    size = f"{told['ticks']} ticks, {told['replans']} replans, {told['seconds']:.1f} s"
    terminal.print(f"{size}; seed {told['seed']}, Bosun {told['bosun']}", markup=False)
    for number, subgoal in enumerate(told["plan"], 1):
        terminal.print(f"  plan {number}: {subgoal['phrase']}", markup=False)
    for result in told["subgoals"]:
        line = f"  {result['phrase']}: {result['outcome']} ({result['reason']}"
        line += f", try {result['attempts']}, {result['ticks']} ticks)"
        terminal.print(line, markup=False)
    if told["question"]:
        terminal.print(f"  asks: {told['question']}", markup=False)
    for words in told["heard"]:
        terminal.print(f"  heard {words['text']!r}: {words['became']}", markup=False)
    for model, asked in told["models"].items():
        tokens = f"{asked['tokens_in']} tokens read and {asked['tokens_out']} written"
        terminal.print(f"  {model} was asked {asked['calls']} times: {tokens}", markup=False)
    if told["running"]:
        terminal.print("Its mission runs just now.")
    if told["loss"]:
        terminal.print(told["loss"], style="yellow", markup=False)
    return 0


def _told(episode: Episode) -> dict[str, Any]:
    """Return what an episode comes to, as plain data."""
    models: dict[str, Counter[str]] = {}
    for asked in episode.consulted:
        spent = models.setdefault(asked.model, Counter())
        spent.update(calls=1, tokens_in=asked.tokens_in, tokens_out=asked.tokens_out)
    if episode.result is not None:
        summary = summarise(episode.result, None, episode.path.parent)
        del summary["world_success"], summary["chunks"]
    else:
        plans = [p for p in episode.plans if not p.problems]
        last = max((event.time_s for event in episode.decisions), default=0.0)
        summary = {
            "outcome": None,
            "plan": [s.model_dump() for s in plans[0].plan.subgoals] if plans else [],
            "subgoals": [],
            "replans": plans[-1].replans if plans else 0,
            "question": None,
            "seconds": last,
            "episode": str(episode.path.parent),
        }
    subgoals = [
        {
            "skill": r.subgoal.skill,
            "phrase": r.subgoal.phrase,
            "outcome": r.outcome.value,
            "reason": r.verdict.reason.value,
            "confidence": r.verdict.confidence,
            "attempts": r.attempts,
            "ticks": r.ticks,
        }
        for r in episode.results
        if r.attempts
    ]
    return {
        **summary,
        "command": episode.command,
        "subgoals": subgoals,
        "ticks": episode.tick_count,
        "seed": episode.metadata.get("seed"),
        "bosun": episode.metadata.get("bosun"),
        "heard": [{"text": h.text, "became": h.became} for h in episode.heard],
        "models": {model: dict(spent) for model, spent in models.items()},
        "complete": episode.complete,
        "running": is_running(episode.path),
        "loss": episode.loss,
    }


def _clean(args: argparse.Namespace) -> int:
    directory = _directory(args)
    keep = args.keep
    if keep is None:
        limit = load_config(args.config, args.overrides).episode.limit_gb
        if limit is None:
            raise UsageError("There is no limit: give --keep, or set episode.limit_gb.")
        keep = int(limit * _GB)
    removed = clean(directory, keep, dry_run=args.dry_run)
    size = sum(shelf.size for shelf in removed)
    if args.json:
        told = {"removed": [str(s.folder) for s in removed], "bytes": size, "dry_run": args.dry_run}
        sys.stdout.write(json.dumps(told) + "\n")
        return 0
    what = "Would remove" if args.dry_run else "Removed"
    for shelf in removed:
        sys.stdout.write(f"{what} {shelf.folder} ({shelf.size / 1e6:.1f} MB).\n")
    count = f"{len(removed)} {'episode' if len(removed) == 1 else 'episodes'}"
    sys.stdout.write(f"{what} {count}, {size / 1e6:.1f} MB.\n")
    return 0


def _import(args: argparse.Namespace) -> int:
    from agent.episode.bag import import_bag
    from agent.mission import fresh_folder

    config = load_config(args.config, args.overrides)
    folder = args.episode or fresh_folder(config.episode.directory)
    file = import_bag(args.bag, args.mapping, folder)
    told = json.dumps({"episode": str(folder)}) if args.json else f"Episode: {file.parent}"
    sys.stdout.write(f"{told}\n")
    return 0


def _verify(args: argparse.Namespace) -> int:
    """Check episodes; the exit code is 1 when something is found."""
    paths, running, findings = _chosen(args.paths), [], []
    for path in paths:
        if is_running(path):
            running.append(str(path))
            continue
        findings += verify(path)
    if args.json:
        found = [{**asdict(f), "path": str(f.path), "sentence": str(f)} for f in findings]
        told = {"episodes": len(paths), "running": running, "findings": found}
        sys.stdout.write(json.dumps(told) + "\n")
        return int(bool(findings))
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    for name in running:
        sys.stdout.write(f"{name} is not checked: its mission runs just now.\n")
    whole = len(paths) - len(running) - len({finding.path for finding in findings})
    sys.stdout.write(f"{whole} of {len(paths)} episodes are as they were written.\n")
    return int(bool(findings))


def _chosen(paths: list[Path]) -> list[Path]:
    """Return the MCAP files that paths mean: themselves, or all episodes below a folder."""
    chosen: list[Path] = []
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise UsageError(f"There is no episode {path}.")
            chosen.append(path)
            continue
        below: list[Shelf] = shelves(path)
        if not below:
            raise UsageError(f"There is no episode in {path}.")
        chosen += [shelf.file for shelf in below]
    return chosen
