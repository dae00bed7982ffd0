"""`bosun listen`, and `bosun run --audio`: commands that are spoken."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent.config import Config, load_config
from agent.errors import UsageError

if TYPE_CHECKING:
    from agent.mission import Mission
    from agent.protocols import Subscriber
    from agent.speech.source import Source


def listen(args: argparse.Namespace) -> int:
    """Carry out what is said into the microphone, one command after another, until Ctrl-C."""
    from agent.mission import Mission, fresh_folder
    from agent.speech.microphone import Microphone

    config = load_config(args.config, args.overrides)
    source = Microphone(config.speech.device, _tell)
    _tell("I am listening. Say what I should do, and stop to stop me; Ctrl-C ends it.")
    first = Mission("", args.seed, fresh_folder(config.episode.directory))
    for _ in spoken(config, source, first, confirm=args.confirm):
        continue
    return 0


def from_file(args: argparse.Namespace, config: Config, first: Mission) -> dict[str, Any]:
    """Carry out what is said in a file, and return the summary of the last mission.

    Raises:
        UsageError: Nothing in it may be carried out.
    """
    from agent.speech.source import open_file

    # Where a yes is asked for, the file may hold it.
    confirm = args.confirm is not False
    missions = list(spoken(config, open_file(args.audio), first, confirm=confirm))
    if not missions:
        raise UsageError(f"I heard nothing in {args.audio} that I may carry out.")
    return missions[-1]


def spoken(
    config: Config, source: Source, first: Mission, *, confirm: bool
) -> Iterator[dict[str, Any]]:
    """Yield the summaries of all missions that are asked for until there is no more to hear.

    Args:
        config: Of the agent.
        source: What is listened to.
        first: The first mission, but for its command; those that follow go on in its world.
        confirm: Whether what may have been misheard needs a yes.
    """
    from agent.build import Agent
    from agent.console import Console
    from agent.listening import Listener
    from agent.mission import fresh_folder, run_mission

    agent = Agent(config)
    try:
        agent.robot.reset(first.seed)
        listener, mission = Listener(agent, source, _tell, confirm=confirm), first
        talk = listener.conversation
        hears: list[Subscriber] = [Console(sys.stderr), listener.replies, listener]
        try:
            while (command := listener.command()) is not None:
                asked = replace(mission, command=command)
                yield run_mission(
                    agent, asked, hears, talk.approve, talk.answer, talk.wish, listener.backlog
                )
                talk.ended()
                folder = fresh_folder(config.episode.directory)
                mission = replace(first, seed=None, episode=folder, video=None)
        finally:
            listener.close()
    finally:
        agent.close()


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
