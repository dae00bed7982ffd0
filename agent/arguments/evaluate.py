"""What `bosun eval` takes, suite by suite."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.arguments import add_config, add_json, natural, positive


def add_eval(parser: argparse.ArgumentParser) -> None:
    """Add the suites."""
    suites = parser.add_subparsers(dest="suite", metavar="SUITE", required=True)
    skills = suites.add_parser("skills", help="every learned skill, alone")
    _add_suite(skills, 50, "tries per row")
    how = skills.add_mutually_exclusive_group()
    how.add_argument(
        "--heldout", action="store_true", help="say it in words that training never sees"
    )
    how.add_argument(
        "--vary",
        nargs="+",
        metavar="AXIS",
        help="robustness, one thing at a time: light, camera, table, distractors, start, outside; "
        "or all of them",
    )
    scene = suites.add_parser("scene", help="what one look at a scene tells")
    _add_suite(scene, 1000, "scenes")
    scene.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the reliability")
    missions = suites.add_parser("missions", help="whole commands, planned and carried out")
    _add_suite(missions, 150, "missions in all")
    missions.add_argument(
        "--commands",
        choices=("written", "generated"),
        default="written",
        help="the written suite over all skills, or drawn commands that put blocks somewhere",
    )
    missions.add_argument(
        "--flat",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also give every written command whole to the bare policy",
    )
    disturbances = suites.add_parser(
        "disturbances", help="three blocks stacked while things go wrong, watched in three ways"
    )
    _add_suite(disturbances, 60, "per cell")
    disturbances.add_argument(
        "--cells", metavar="CELL,...", help="only these, such as drop=0.15/continuous; all without"
    )
    causes = suites.add_parser("causes", help="what the agent says of causes that are injected")
    _add_suite(causes, 30, "missions per cause")
    for suite in (disturbances, causes):
        suite.add_argument(
            "--keep", type=Path, metavar="FILE", help="keep every mission, to go on after a kill"
        )
    disturbances.add_argument("--csv", type=Path, metavar="FILE.csv", help="write a table")
    disturbances.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the rates")
    speech = suites.add_parser("speech", help="commands in eight voices, and what is none")
    _add_suite(speech, 60, "commands per voice")
    speech.add_argument(
        "--capture",
        action="store_true",
        help="in real time, through a virtual microphone and what cuts utterances",
    )
    _add_monitor(suites.add_parser("monitor", help="how well failures are told from successes"))


def _add_monitor(monitor: argparse.ArgumentParser) -> None:
    """Add what the suite of the monitor takes."""
    _add_suite(monitor, 100, "tries per skill")
    how = monitor.add_mutually_exclusive_group()
    how.add_argument(
        "--calibrate",
        action="store_true",
        help="learn what is usual from tries that succeed, on other seeds, and write it beside "
        "the checkpoint",
    )
    how.add_argument(
        "--vlm",
        action="store_true",
        help="also ask the model monitor.vlm at the end of every try, and hold it against the "
        "world",
    )


def _add_suite(parser: argparse.ArgumentParser, episodes: int, of_what: str) -> None:
    """Add what every suite takes."""
    parser.add_argument(
        "--episodes", type=positive, default=episodes, help=f"{of_what}; {episodes} by default"
    )
    parser.add_argument("--seed-base", type=natural, default=1_000_000, help="first seed")
    parser.add_argument("--workers", type=positive, default=2, help="processes")
    add_config(parser)
    add_json(parser)
