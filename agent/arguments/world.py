"""What `bosun world` takes."""

from __future__ import annotations

import argparse

from agent.arguments import add_config, natural


def add_world(parser: argparse.ArgumentParser) -> None:
    """Add where the world is put, and how it begins."""
    parser.add_argument("--ros", action="store_true", required=True, help="on a ROS 2 bus")
    parser.add_argument("--seed", type=natural, default=0, help="of the first scene")
    add_config(parser)
