"""What the verbs take that look at things and move none."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.arguments import add_config, add_json


def add_replay(parser: argparse.ArgumentParser) -> None:
    """Add which episode is looked at, and how."""
    parser.add_argument("episode", type=Path, help="folder of the log, or its .mcap file")
    parser.add_argument("--check", action="store_true", required=True, help="compare bit by bit")
    add_json(parser)


def add_memory(parser: argparse.ArgumentParser) -> None:
    """Add whether all of it is forgotten."""
    parser.add_argument("--clear", action="store_true", help="forget all of it")
    add_config(parser)
    add_json(parser)


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Add the settings that are tried."""
    add_config(parser)
    add_json(parser)
