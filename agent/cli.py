"""The command line: parses, dispatches, and turns errors into one sentence and an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from agent.arguments import add_json
from agent.arguments.episodes import add_episodes, with_action
from agent.arguments.evaluate import add_eval
from agent.arguments.inspect import add_doctor, add_memory
from agent.arguments.learn import add_collect, add_train
from agent.arguments.mission import add_mission
from agent.arguments.replay import add_replay
from agent.arguments.run import add_listen, add_run
from agent.arguments.serve import add_serve
from agent.errors import BosunError, UsageError, unknown

COMMANDS = {
    "run": "carry out one command, typed or in a file of sound",
    "listen": "carry out what is said into the microphone",
    "mission": "run mission files as tests: commands and what must come of them",
    "replay": "run a logged mission again, decide it anew, or go on from one of its ticks",
    "episodes": "list, sum up, check or clear away logged missions",
    "skills": "list the skills and their contracts",
    "collect": "make training data with the scripted teachers",
    "train": "train the policy or the scene network",
    "eval": "measure skills, scene, missions or monitor by the world's truth",
    "serve": "offer the policy to other processes, over openpi's websocket protocol",
    "memory": "show which recovery helped after which failure",
    "doctor": "say what works on this machine and how to mend what does not",
}
_ARGUMENTS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "run": add_run,
    "listen": add_listen,
    "mission": add_mission,
    "replay": add_replay,
    "episodes": add_episodes,
    "skills": add_json,
    "collect": add_collect,
    "train": add_train,
    "eval": add_eval,
    "serve": add_serve,
    "memory": add_memory,
    "doctor": add_doctor,
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
        args = _parser().parse_args(with_action([word for word in words if word != "--debug"]))
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
    for name, add in _ARGUMENTS.items():
        add(made[name])
    return parser


if __name__ == "__main__":
    sys.exit(main())
