"""What `bosun run` and `bosun listen` take."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.arguments import add_config, add_json, natural


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add what a command is and how it is carried out."""
    parser.add_argument(
        "command", nargs="?", help='for example "put the red block in the blue bowl"'
    )
    parser.add_argument(
        "--audio", type=Path, metavar="FILE.wav", help="the command is said in this file"
    )
    parser.add_argument("--seed", type=natural, default=0, help="of the scene")
    parser.add_argument(
        "--planner",
        metavar="grammar|PROVIDER:MODEL",
        help="the grammar, a language model such as openai:gpt-5-mini, or recorded:EPISODE",
    )
    add_config(parser)
    parser.add_argument("--video", type=Path, metavar="FILE.mp4", help="film the mission")
    parser.add_argument("--episode", type=Path, metavar="DIR", help="folder of the log")
    parser.add_argument("--dry-run", action="store_true", help="plan and verify; nothing moves")
    parser.add_argument(
        "--confirm",
        action=argparse.BooleanOptionalAction,
        help="ask before the first motion; what is heard by pocketsphinx is asked about by default",
    )
    add_json(parser)


def add_listen(parser: argparse.ArgumentParser) -> None:
    """Add where is listened and how."""
    parser.add_argument("--seed", type=natural, default=0, help="of the first scene")
    parser.add_argument(
        "--device", metavar="NAME", help="the microphone, by a part of its name; else speech.device"
    )
    parser.add_argument(
        "--push-to-talk",
        action="store_true",
        help="hear only what is said between two strokes of the space bar; stop is always heard",
    )
    parser.add_argument(
        "--ros",
        nargs="?",
        const=True,
        metavar="TOPIC",
        help="take what is told as text on a topic of ROS 2, else on robot.ros2.voice_command; "
        "no microphone is listened to",
    )
    add_config(parser)
    parser.add_argument(
        "--confirm",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="ask before what pocketsphinx heard is carried out",
    )
