"""`bosun listen`, and `bosun run --audio`: commands that are spoken, or told over ROS 2."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, cast

from agent.config import Config, load_config
from agent.errors import UsageError
from agent.level_meter import LevelMeter
from agent.ros.names import check_topic
from agent.talk_key import TalkKey, require_terminal

if TYPE_CHECKING:
    from agent.build import Agent
    from agent.listening import Listener
    from agent.mission import Mission
    from agent.protocols import Subscriber
    from agent.ros_listening import RosListener, Topics
    from agent.speech.source import Source
    from agent.speech.vad import PushToTalk


def warn(agent: Agent) -> None:
    """Say what a human should know before anything moves."""
    if agent.caveat is not None:
        sys.stderr.write(f"bosun: {agent.caveat}\n")


def listen(args: argparse.Namespace) -> int:
    """Carry out what is said into the microphone, one command after another, until Ctrl-C."""
    if args.ros is not None:
        if args.device or args.push_to_talk:
            raise UsageError("Take the microphone (--device, --push-to-talk) or --ros, not both.")
        if args.ros is not True:
            check_topic(args.ros)
    from agent.mission import Mission, fresh_folder
    from agent.speech.microphone import Microphone

    config = load_config(args.config, args.overrides)
    first = Mission("", args.seed, fresh_folder(config.episode.directory))
    if args.ros is not None:
        from agent.ros_listening import topics_of

        topics = topics_of(config.robot.ros2, None if args.ros is True else args.ros)
        for _ in told(config, topics, first, LevelMeter(sys.stderr)):
            continue
        return 0
    if args.push_to_talk:
        require_terminal()
    screen = LevelMeter(sys.stderr)
    tell = _teller(screen)
    source = Microphone(args.device or config.speech.device, tell)
    how = "Say what I should do"
    if args.push_to_talk:
        how = "Press space, say what I should do, and press space again"
    tell(f"In a moment I listen. {how}; the word {_listed(config)} stops me, Ctrl-C ends it.")
    missions = spoken(
        config,
        source,
        first,
        screen,
        confirm=args.confirm,
        live=True,
        push_to_talk=args.push_to_talk,
    )
    for _ in missions:
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
    source = open_file(args.audio)
    missions = list(spoken(config, source, first, LevelMeter(sys.stderr), confirm=confirm))
    if not missions:
        raise UsageError(f"I heard nothing in {args.audio} that I may carry out.")
    return missions[-1]


def spoken(
    config: Config,
    source: Source,
    first: Mission,
    screen: LevelMeter,
    *,
    confirm: bool,
    tell: Callable[[str], None] | None = None,
    live: bool = False,
    push_to_talk: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield the summaries of all missions that are asked for until there is no more to hear.

    Args:
        config: Of the agent.
        source: What is listened to.
        first: The first mission, but for its command; those that follow go on in its world.
        screen: Where to write what is heard, said and done.
        confirm: Whether what may have been misheard needs a yes.
        tell: Is told what was heard, and what the robot says in quotation marks; None writes it.
        live: Whether somebody sits there who wants to see how loud it is.
        push_to_talk: Whether a key says what is said to the robot, instead of the voice.
    """
    from agent.build import Agent
    from agent.listening import Listener
    from agent.speech.vad import PushToTalk

    with ExitStack() as stack:
        agent = Agent(config)
        stack.callback(agent.close)
        warn(agent)
        agent.robot.reset(first.seed)
        talker = PushToTalk() if push_to_talk else None
        listener = Listener(agent, source, tell or _teller(screen), talker, confirm=confirm)
        stack.callback(listener.close)
        if talker is not None:
            stack.enter_context(TalkKey(lambda: _press(listener, talker), talker.release))
        if live:
            stack.enter_context(screen).show(lambda: listener.level_dbfs)
        yield from _carried_out(agent, listener, first, screen)


def told(
    config: Config, topics: Topics, first: Mission, screen: LevelMeter
) -> Iterator[dict[str, Any]]:
    """Yield the summaries of all missions that are asked for as text on a topic of ROS 2.

    A robot that is on a bus is spoken to there; for another one a bus is joined as configured.

    Args:
        config: Of the agent.
        topics: Where texts come and go.
        first: The first mission, but for its command; those that follow go on in its world.
        screen: Where to write what comes, is said and done.
    """
    from agent.build import Agent
    from agent.ros.opening import open_bus
    from agent.ros_listening import RosListener

    tell = _teller(screen)
    with ExitStack() as stack:
        agent = Agent(config)
        stack.callback(agent.close)
        warn(agent)
        bus = agent.bus
        if bus is None:
            ros = config.robot.ros2
            bus = open_bus(ros.transport, ros.domain, ros.loopback)
            stack.callback(bus.close)
        agent.robot.reset(first.seed)
        listener = RosListener(agent, bus, topics, tell)
        stack.callback(listener.close)
        answer = f" and answer on {topics.replies}" if topics.replies else ""
        tell(
            f"I do what comes on {topics.commands}{answer}; "
            "the text 'stop' stops me, Ctrl-C ends it."
        )
        yield from _carried_out(agent, listener, first, screen)


def _carried_out(
    agent: Agent, listener: Listener | RosListener, first: Mission, screen: LevelMeter
) -> Iterator[dict[str, Any]]:
    """Run one mission after another as they are asked for, and yield their summaries."""
    from agent.console import Console
    from agent.mission import fresh_folder, run_mission

    talk, mission = listener.conversation, first
    # Who is told of an end by the replies may ask for the next mission at once.
    hears: list[Subscriber] = [Console(cast(IO[str], screen)), listener, listener.replies]
    while (command := listener.command()) is not None:
        asked = replace(mission, command=command)
        yield run_mission(
            agent, asked, hears, talk.approve, talk.answer, talk.wish, listener.backlog
        )
        folder = fresh_folder(agent.config.episode.directory)
        mission = replace(first, seed=None, episode=folder, video=None)


def _press(listener: Listener, talker: PushToTalk) -> None:
    """Begin to talk; while the robot speaks it is deaf, so it falls silent first."""
    listener.hush()
    talker.press()


def _teller(screen: LevelMeter) -> Callable[[str], None]:
    def tell(sentence: str) -> None:
        screen.write(f"{sentence}\n")
        screen.flush()

    return tell


def _listed(config: Config) -> str:
    return " or ".join(repr(word) for word in config.speech.stop_words)
