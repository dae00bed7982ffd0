"""What the words on a command line may be; parsing them loads nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add what makes a command print one JSON object and nothing else."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add where settings come from."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML with what differs")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="one setting, for example budget.replans=3; may be repeated",
    )


def natural(text: str) -> int:
    """Return a whole number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def positive(text: str) -> int:
    """Return a whole number from 1 on."""
    number = natural(text)
    if number == 0:
        raise argparse.ArgumentTypeError("0 is too few; at least 1 is needed")
    return number
