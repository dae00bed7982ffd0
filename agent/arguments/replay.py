"""What `bosun replay` takes: what is done with which episode, and what is otherwise than then."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.arguments import add_json, natural


def add_replay(parser: argparse.ArgumentParser) -> None:
    """Add which episode is looked at, and how."""
    parser.add_argument(
        "episode", type=Path, help="folder of the log, its .mcap file, or a folder of many"
    )
    again = parser.add_argument_group("run it again, in one of three ways")
    how = again.add_mutually_exclusive_group()
    how.add_argument(
        "--check", action="store_true", help="do it again in the world, and compare bit by bit"
    )
    how.add_argument(
        "--decisions",
        action="store_true",
        help="decide anew over what was recorded, without a world; the exit code says whether "
        "anything would be decided otherwise",
    )
    how.add_argument(
        "--from",
        type=natural,
        metavar="TICK",
        dest="tick",
        help="put the world where it was at this tick, and go on live",
    )
    _add_forms(parser)
    _add_variation(parser)
    live = parser.add_argument_group("with --from")
    live.add_argument("--command", help="what is to be done from there; the same by default")
    live.add_argument("--episode", type=Path, metavar="DIR", dest="log", help="folder of its log")
    live.add_argument("--video", type=Path, metavar="FILE.mp4", help="film it")
    add_json(parser)


def _add_forms(parser: argparse.ArgumentParser) -> None:
    """Add the forms in which an episode can be had."""
    forms = parser.add_argument_group("have it in another form")
    forms.add_argument(
        "--view",
        type=Path,
        nargs="?",
        const=Path(),
        metavar="FILE.html",
        help="as a page for the browser, with what --check or --decisions finds; timeline.html in "
        "its folder by default",
    )
    forms.add_argument(
        "--export-lerobot", type=Path, metavar="DIR", help="as a LeRobotDataset v3.0; many as one"
    )
    forms.add_argument(
        "--language",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="with LeRobot's language columns, which its versions before 0.6 cannot read",
    )
    forms.add_argument("--export-rerun", type=Path, metavar="FILE.rrd", help="for Rerun's viewer")
    forms.add_argument("--export-video", type=Path, metavar="FILE.mp4", help="as a film")
    forms.add_argument("--export-csv", type=Path, metavar="FILE.csv", help="a row for every tick")


def _add_variation(parser: argparse.ArgumentParser) -> None:
    """Add what may be otherwise than it was."""
    otherwise = parser.add_argument_group("otherwise than then, with --decisions or --from")
    otherwise.add_argument(
        "--planner", metavar="grammar|PROVIDER:MODEL", help="what plans; as recorded by default"
    )
    otherwise.add_argument(
        "--prompt", type=Path, metavar="DIR", help="templates in the place of some of prompts/"
    )
    otherwise.add_argument(
        "--checkpoint",
        type=Path,
        metavar="DIR",
        help="weights of the policy, and their calibration",
    )
    otherwise.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="one setting, for example monitor.alpha=0.1; may be repeated",
    )
    otherwise.add_argument(
        "--tolerance",
        type=float,
        default=1e-3,
        help="by how much an action may differ in each of its numbers: m, rad or 0..1",
    )
