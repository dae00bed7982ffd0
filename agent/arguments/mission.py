"""What `bosun mission` takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.arguments import add_config, add_json, positive


def add_mission(parser: argparse.ArgumentParser) -> None:
    """Add which missions are run, how often, and what is told of them."""
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE.yaml", help="mission files")
    parser.add_argument(
        "--repeat", type=positive, default=1, metavar="N", help="tries of each; 1 by default"
    )
    parser.add_argument(
        "--workers", type=positive, default=1, metavar="N", help="processes; 1 by default"
    )
    parser.add_argument(
        "--tag",
        nargs="+",
        action="extend",
        default=[],
        dest="tags",
        metavar="TAG",
        help="only missions that have one of these",
    )
    parser.add_argument("--junit", type=Path, metavar="FILE.xml", help="write JUnit XML")
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="write a page")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the logs; runs/missions-TIME by default"
    )
    parser.add_argument("--film", action="store_true", help="film every command, beside its log")
    parser.add_argument(
        "--schema", action="store_true", help="print the JSON schema of a mission file"
    )
    add_config(parser)
    add_json(parser)
