"""What `bosun episodes` takes."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from agent.arguments import add_config, add_json, positive

_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def add_episodes(parser: argparse.ArgumentParser) -> None:
    """Add what is done with episodes, each with what it takes."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, (text, add) in _ACTIONS.items():
        add(actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + "."))


def with_action(words: Sequence[str]) -> list[str]:
    """Return the words of a command line, with `list` where `episodes` is told no action."""
    told = words[1] if len(words) > 1 else ""
    if words[:1] == ["episodes"] and told not in (*_ACTIONS, "-h", "--help"):
        return ["episodes", "list", *words[1:]]
    return list(words)


def _add_list(parser: argparse.ArgumentParser) -> None:
    _add_directory(parser)
    parser.add_argument("--outcome", help="only with this outcome, for example failed")
    parser.add_argument("--skill", help="only those in which this skill was run")
    parser.add_argument("--reason", help="only with this reason of a verdict, such as dropped")
    parser.add_argument("--command", metavar="TEXT", help="only with this in the command")
    parser.add_argument("--since", type=_day, metavar="DATE", help="from then on, as 2026-11-01")
    parser.add_argument("--limit", type=positive, metavar="N", help="at most so many, newest first")
    add_config(parser)
    add_json(parser)


def _add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("episode", type=Path, help="folder of the log, or its .mcap file")
    add_json(parser)


def _add_clean(parser: argparse.ArgumentParser) -> None:
    _add_directory(parser)
    parser.add_argument(
        "--keep",
        type=_size,
        metavar="SIZE",
        help="how much may stay, as 2GB; else episode.limit_gb",
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be removed")
    add_config(parser)
    add_json(parser)


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", type=Path, nargs="+", help="episodes, or folders with some")
    add_json(parser)


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bag", type=Path, help="folder of a ROS 2 bag, in MCAP or SQLite")
    parser.add_argument(
        "--mapping", type=Path, required=True, metavar="FILE.yaml", help="which topic is what"
    )
    parser.add_argument("--episode", type=Path, metavar="DIR", help="folder of the new episode")
    add_config(parser)
    add_json(parser)


_ACTIONS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "list": ("list logged missions, newest first", _add_list),
    "show": ("sum one up: its plan, what came of it and what is lost", _add_show),
    "clean": ("remove the oldest until the rest fits", _add_clean),
    "import": ("make an episode of a ROS 2 bag", _add_import),
    "verify": ("check every record, hash and index", _add_verify),
}


def _add_directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "directory", type=Path, nargs="?", help="where they lie; else episode.directory"
    )


def _size(text: str) -> int:
    """Return a number of bytes, written as `2GB`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?B)", text.strip().upper())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give one such as 500MB or 2GB")
    return math.floor(float(found[1]) * _UNITS[found[2]])


def _day(text: str) -> float:
    """Return a day, or a day and a time, in s since 1970."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no date; give one such as 2026-11-01 or 2026-11-01T18:30"
        ) from None
