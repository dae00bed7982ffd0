"""`bosun run`: one command, typed or in a file of sound, carried out."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console as Terminal

from agent.commands.listen import from_file
from agent.config import Config, load_config
from agent.errors import ConfigError, UsageError
from agent.types import MissionOutcome, Plan


def run(args: argparse.Namespace) -> int:
    """Carry out one command; print what happens, or one JSON object."""
    if args.audio is not None and args.command:
        raise UsageError("Give a command or --audio, not both.")
    if args.audio is None and not (args.command or "").strip():
        raise UsageError('The command is empty; say for example "pick up the red block".')
    overrides = [*args.overrides, *([f"planner.kind={args.planner}"] if args.planner else [])]
    config = load_config(args.config, overrides)
    with _stdout_kept(args.json):
        summary = _carry_out(args, config)
    if args.json:
        sys.stdout.write(json.dumps(summary) + "\n")
    else:
        report(summary, args.video)
    from agent.mission import EXIT_CODES

    return EXIT_CODES[MissionOutcome(summary["outcome"])]


def _carry_out(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    from agent.build import Agent
    from agent.console import Console
    from agent.mission import Mission, fresh_folder, run_mission

    folder = args.episode or fresh_folder(config.episode.directory)
    mission = Mission(args.command or "", args.seed, folder, args.video, args.dry_run)
    if args.audio is not None:
        return from_file(args, config, mission)
    agent = Agent(config)
    if agent.caveat is not None:
        sys.stderr.write(f"bosun: {agent.caveat}\n")
    try:
        console = Console(sys.stderr if args.json else sys.stdout)
        approve = _approved if args.confirm else lambda plan: True
        return run_mission(agent, mission, [console], approve, answered)
    finally:
        if agent.memory.fault is not None:
            sys.stderr.write(f"bosun: {agent.memory.fault}\n")
        agent.close()


def answered(question: str) -> str:
    """Ask the person at the terminal; where nobody is, nothing is answered."""
    if not sys.stdin.isatty():
        return ""
    sys.stderr.write(f"{question}\n> ")
    sys.stderr.flush()
    return sys.stdin.readline()


def _approved(plan: Plan) -> bool:
    """Ask the person at the terminal; only an explicit yes counts."""
    if not sys.stdin.isatty():
        raise ConfigError("--confirm needs a terminal to ask at; run without it or use --dry-run.")
    sys.stderr.write("Shall I? [yes/no] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def report(summary: dict[str, Any], video: Path | None) -> None:
    """Print what the world says, and where the log and the film are."""
    terminal = Terminal(highlight=False, soft_wrap=True)
    truth = summary["world_success"]
    if truth is not None:
        terminal.print(f"World's own verdict: {'success' if truth else 'failure'}")
    terminal.print(f"Episode: {summary['episode']}")
    if video is not None and video.exists():
        terminal.print(f"Video: {video}")


@contextmanager
def _stdout_kept(keep: bool) -> Iterator[None]:
    """Send whatever libraries print to stderr while one JSON object is owed to stdout."""
    if not keep:
        yield
        return
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)
