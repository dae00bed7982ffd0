"""The command line: parses, dispatches, and turns errors into one sentence and an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from agent.errors import BosunError, UsageError, unknown

COMMANDS = {
    "run": "carry out one command, typed or in a file of sound",
    "listen": "carry out what is said into the microphone",
    "replay": "run a logged mission again and compare",
    "skills": "list the skills and their contracts",
    "collect": "make training data with the scripted teachers",
    "train": "train the policy or the scene network",
    "eval": "measure skills, scene, missions or monitor by the world's truth",
    "memory": "show which recovery helped after which failure",
    "doctor": "say what works on this machine and how to mend what does not",
}


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[0].upper()}{message[1:]}; see `{self.prog} --help`.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    try:
        if words and not words[0].startswith("-") and words[0] not in COMMANDS:
            raise UsageError(unknown("command", words[0], COMMANDS))
        args = _parser().parse_args([word for word in words if word != "--debug"])
        from agent.commands import VERBS

        return VERBS[args.verb](args)
    except BosunError as error:
        if debug:
            raise
        sys.stderr.write(f"bosun: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("bosun: interrupted; what was finished is kept.\n")
        return 4


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="bosun",
        description="Tell a robot what to do; it does it and checks.",
        epilog="Every command takes --debug, which shows tracebacks.",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    made = {
        name: verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        for name, text in COMMANDS.items()
    }
    _add_run(made["run"])
    _add_listen(made["listen"])
    _add_collect(made["collect"])
    _add_train(made["train"])
    _add_eval(made["eval"])
    made["replay"].add_argument("episode", type=Path, help="folder of the log, or its .mcap file")
    made["replay"].add_argument(
        "--check", action="store_true", required=True, help="compare bit by bit"
    )
    for name in ("replay", "skills", "memory", "doctor"):
        made[name].add_argument("--json", action="store_true", help="print one JSON object")
    made["memory"].add_argument("--clear", action="store_true", help="forget all of it")
    _add_config(made["memory"])
    _add_config(made["doctor"])
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML with what differs")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="one setting, for example budget.replans=3; may be repeated",
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "command", nargs="?", help='for example "put the red block in the blue bowl"'
    )
    parser.add_argument(
        "--audio", type=Path, metavar="FILE.wav", help="the command is said in this file"
    )
    parser.add_argument("--seed", type=_natural, default=0, help="of the scene")
    parser.add_argument(
        "--planner",
        metavar="grammar|PROVIDER:MODEL",
        help="the grammar, a language model such as openai:gpt-5-mini, or recorded:EPISODE",
    )
    _add_config(parser)
    parser.add_argument("--video", type=Path, metavar="FILE.mp4", help="film the mission")
    parser.add_argument("--episode", type=Path, metavar="DIR", help="folder of the log")
    parser.add_argument("--dry-run", action="store_true", help="plan and verify; nothing moves")
    parser.add_argument(
        "--confirm",
        action=argparse.BooleanOptionalAction,
        help="ask before the first motion; what is heard by pocketsphinx is asked about by default",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_listen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_natural, default=0, help="of the first scene")
    parser.add_argument(
        "--device", metavar="NAME", help="the microphone, by a part of its name; else speech.device"
    )
    parser.add_argument(
        "--push-to-talk",
        action="store_true",
        help="hear only what is said between two strokes of the space bar; stop is always heard",
    )
    _add_config(parser)
    parser.add_argument(
        "--confirm",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="ask before what pocketsphinx heard is carried out",
    )


def _add_collect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("demos", "scenes"), nargs="?", default="demos")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--count", type=_positive, default=700, help="missions, or still scenes")
    parser.add_argument("--seed-base", type=_natural, default=0, help="first seed; < 1,000,000")
    parser.add_argument(
        "--skills", nargs="+", metavar="SKILL", help="demonstrate these only; all by default"
    )
    parser.add_argument("--noise", type=float, default=0.008, help="on what is sent, m")
    parser.add_argument(
        "--policy",
        type=Path,
        metavar="CHECKPOINT",
        help="a DAgger round: this policy drives, the teacher labels",
    )
    parser.add_argument(
        "--policy-share",
        type=float,
        default=0.7,
        help="share of demonstrations that --policy drives",
    )
    parser.add_argument("--workers", type=_positive, default=2)


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("policy", "scene"), nargs="?", default="policy")
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--steps", type=_positive, default=4500)
    parser.add_argument("--batch", type=_positive, default=128)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=_natural, default=0)
    parser.add_argument("--threads", type=_positive, default=2)
    parser.add_argument(
        "--scene", type=Path, metavar="CHECKPOINT", help="whose eyes the policy sees through"
    )
    parser.add_argument(
        "--start", type=Path, metavar="CHECKPOINT", help="begin with these weights, not at random"
    )
    parser.add_argument(
        "--model", nargs="+", default=[], metavar="KEY=VALUE", help="the policy's hyperparameters"
    )


def _add_eval(parser: argparse.ArgumentParser) -> None:
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
        "--episodes", type=_positive, default=episodes, help=f"{of_what}; {episodes} by default"
    )
    parser.add_argument("--seed-base", type=_natural, default=1_000_000, help="first seed")
    parser.add_argument("--workers", type=_positive, default=2, help="processes")
    _add_config(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _positive(text: str) -> int:
    number = _natural(text)
    if number == 0:
        raise argparse.ArgumentTypeError("0 is too few; at least 1 is needed")
    return number


if __name__ == "__main__":
    sys.exit(main())
