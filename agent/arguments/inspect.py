"""What the verbs take that look at things and move none."""

from __future__ import annotations

import argparse

from agent.arguments import add_config, add_json


def add_memory(parser: argparse.ArgumentParser) -> None:
    """Add whether all of it is forgotten."""
    parser.add_argument("--clear", action="store_true", help="forget all of it")
    add_config(parser)
    add_json(parser)


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Add the settings that are tried."""
    add_config(parser)
    add_json(parser)
