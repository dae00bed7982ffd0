"""Commands over ROS 2: real DDS, two processes, the real robot; what a stop does to the rest."""

from __future__ import annotations

import io
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.build import Agent
from agent.cli import main
from agent.commands.listen import told
from agent.config import load_config
from agent.episode.page import write_page
from agent.episode.reader import read_episode
from agent.errors import RobotError
from agent.events import Heard, MissionStarted
from agent.level_meter import LevelMeter
from agent.mission import Mission
from agent.pause import Pause
from agent.ros.bus import Bus, Qos
from agent.ros.dds import DdsBus
from agent.ros.messages import TEXT, text
from agent.ros_listening import RosListener, Topics, topics_of
from agent.sections import Ros2Config
from agent.types import Plan, Scene
from tests.parts import COMMAND, PICK, PLACE
from tests.ros.domains import OWN
from tests.waiting import wait_until

ROOT = Path(__file__).parents[1]
TOPIC = "/voice_command"
TOPICS = Topics(TOPIC, "/bosun/reply")
PATIENCE_S = 120.0


class _Speaker:
    """Tells the robot something from another participant, and waits for what it says."""

    def __init__(self, bus: Bus, topics: Topics = TOPICS) -> None:
        self._bus, self._replies = bus, queue.Queue[str]()
        assert topics.replies is not None
        bus.listen(topics.replies, TEXT, Qos(), lambda message: self._replies.put(message.data))
        self._publish = bus.advertise(topics.commands, TEXT, Qos())

    def say(self, words: str) -> None:
        self._publish(text(self._bus, words))

    def until(self, beginning: str) -> None:
        """Wait for the reply that begins so."""
        came = [""]
        while not came[-1].startswith(beginning):
            try:
                came.append(self._replies.get(timeout=PATIENCE_S))
            except queue.Empty:
                raise AssertionError(f"{beginning!r} is not among {came[1:]}.") from None

    def ask(self, words: str, beginning: str) -> None:
        """Say something until it is answered so: the robot may not be there or not yet so far."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self.say(words)
            try:
                if self._replies.get(timeout=0.2).startswith(beginning):
                    return
            except queue.Empty:
                continue
        raise AssertionError(f"{words!r} is never answered with {beginning!r}.")


def _ended(robot: subprocess.Popen[str]) -> str:
    """End a robot as a person does, while it may be closing a log; return what it has printed."""
    robot.send_signal(signal.SIGINT)
    try:
        return robot.communicate(timeout=PATIENCE_S)[1]
    finally:
        robot.kill()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Talk to a robot in another process, and return the folder of its episodes."""
    folder = tmp_path_factory.mktemp("runs")
    words = [sys.executable, "-m", "agent.cli", "listen", "--ros", "--seed", "20"]
    settings = [f"episode.directory={folder}", "memory.file=null"]
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(OWN),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }
    robot = subprocess.Popen(
        [*words, *(word for setting in settings for word in ("--set", setting))],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        # A test that runs in the background would let it ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with closing(DdsBus(OWN, loopback=True)) as bus:
        speaker = _Speaker(bus)
        try:
            speaker.ask("What are you doing?", "Nothing at the moment.")
            speaker.say("Open the drawer.")
            speaker.until("I will open the drawer.")
            speaker.until("Done.")
            # Until its log is closed, what comes is the last that came to the first mission.
            wait_until(lambda: [*folder.glob("*/summary.json")], PATIENCE_S)
            speaker.ask("Put the block in the drawer.", "Which block do you mean")
            speaker.say("Put the red block in the drawer!")
            speaker.until("I will put the red block in the drawer.")
            speaker.say("Pause.")
            speaker.say("No, the green one.")
            speaker.ask("What are you doing?", "I am paused")
            speaker.say("STOP")
            speaker.until("I hold still now.")
        finally:
            printed = _ended(robot)
    assert "Told 'open the drawer': command." in printed
    assert "Traceback" not in printed
    assert robot.returncode == 4
    return folder


def test_what_came_is_in_the_episode_of_what_came_of_it(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (read_episode(folder) for folder in sorted(runs.iterdir()))
    assert {said.text for said in first.heard} == {"what are you doing", "open the drawer"}
    [command] = [said for said in first.heard if said.became != "told"]
    assert command.became == "command"
    unsure, *meant = [said for said in second.heard if said.became not in ("remark", "told")]
    assert (unsure.text, unsure.became) == ("put the block in the drawer", "asked_back")
    # It may be asked once more before its answer has come.
    assert [(said.text, said.became) for said in meant if said.text != unsure.text] == [
        ("put the red block in the drawer", "command"),
        ("pause", "control"),
        ("no the green one", "correction"),
        ("stop", "control"),
    ]
    for said in (*first.heard, *second.heard):
        assert said.reason.startswith(f"It came as text on {TOPIC}.")
        assert said.flac == b"" and said.confidence is None
        assert abs(said.unix_s - time.time()) < 600
    assert isinstance(first.decisions[0], MissionStarted)
    outcomes = [episode.result.outcome.value for episode in (first, second) if episode.result]
    assert outcomes == ["success", "stopped"]
    for folder in runs.iterdir():
        assert main(["episodes", "verify", str(folder)]) == 0, capsys.readouterr()
    page = tmp_path / "page.html"
    write_page(first, page)
    assert "It came as text on /voice_command." in page.read_text(encoding="utf-8")


class _Room:
    """A listener on a bus, somebody who speaks, and an agent that does next to nothing."""

    def __init__(self, here: Bus, there: Bus) -> None:
        self.told, self.stops, self.thinking = list[str](), 0, threading.Event()
        self.thinking.set()
        agent = SimpleNamespace(
            pause=Pause(),
            robot=SimpleNamespace(observe=lambda: None, stop=self._stop),
            estimator=SimpleNamespace(estimate=lambda observation: Scene(0.0)),
            understand=self._understand,
        )
        self.listener = RosListener(cast(Agent, agent), here, TOPICS, self.told.append)
        self.pause = agent.pause
        self.speaker = _Speaker(there)
        self.speaker.ask("what are you doing", "Nothing at the moment.")
        self.listener.backlog.take(0.0)

    def _stop(self) -> None:
        self.stops += 1

    def _understand(self, words: str, scene: Scene) -> Plan:
        assert self.thinking.wait(10.0)
        # What is said to a mission comes after its command.
        if "block" in words.rpartition("no, ")[2]:
            return Plan(command=COMMAND, subgoals=(PICK, PLACE))
        return Plan(command=words, question=f"What is {words!r}?")

    def became(self, *texts: str) -> list[str]:
        """Return what became of texts, which are the next that are put on record."""
        taken: list[Heard] = []
        end = time.monotonic() + 10.0
        while len(taken) < len(texts) and time.monotonic() < end:
            time.sleep(0.01)
            taken += [e for e in self.listener.backlog.take(0.0) if isinstance(e, Heard)]
        by_text = {event.text: event.became for event in taken}
        return [by_text[words] for words in texts]


@pytest.fixture
def room() -> Iterator[_Room]:
    with (
        closing(DdsBus(OWN, loopback=True)) as here,
        closing(DdsBus(OWN, loopback=True)) as there,
    ):
        room = _Room(here, there)
        try:
            yield room
        finally:
            room.thinking.set()
            room.listener.close()


def _next(room: _Room) -> str | None:
    return room.listener.conversation.command(0.5)


def test_a_text_is_a_command_without_being_asked_about(room: _Room) -> None:
    room.speaker.say("  Pick up the red block, 1.5 cm!\n")
    assert room.became("pick up the red block 1.5 cm") == ["command"]
    assert room.listener.command() == "pick up the red block 1.5 cm"


def test_what_asks_for_nothing_is_answered(room: _Room) -> None:
    room.speaker.say("sing a song")
    room.speaker.until("What is 'sing a song'?")
    room.speaker.say(" ... ")
    room.speaker.until("There are no words in it.")
    assert room.became("sing a song", "") == ["asked_back", "ignored"]
    room.speaker.say("the red block")
    assert _next(room) == "the red block"
    room.speaker.say("sing a song")
    room.speaker.until("I am busy")


def test_a_stop_does_not_wait_for_who_is_thinking(room: _Room) -> None:
    room.thinking.clear()
    room.speaker.say("the first block")
    room.speaker.say("the second block")
    time.sleep(0.2)
    room.speaker.say("Stop!")
    assert room.became("stop") == ["control"]
    assert room.stops >= 1
    room.thinking.set()
    assert room.became("the first block", "the second block") == ["ignored", "ignored"]
    assert _next(room) is None
    room.speaker.say("the third block")
    assert _next(room) == "the third block"


def test_a_stop_takes_back_what_was_to_come_next(room: _Room) -> None:
    room.speaker.say("the first block")
    assert _next(room) == "the first block"
    room.speaker.say("put the block down")
    room.became("the first block", "put the block down")
    room.speaker.say("cancel")
    assert room.became("cancel") == ["control"]
    room.listener.conversation.ended()
    assert _next(room) is None


def test_pause_and_continue(room: _Room) -> None:
    room.speaker.say("Pause.")
    assert room.became("pause") == ["control"]
    assert room.pause.shut
    room.speaker.say("Go on, please.")
    assert room.became("go on please") == ["control"]
    assert not room.pause.shut


def test_a_question_is_answered(room: _Room) -> None:
    answers: list[str] = []
    asking = threading.Thread(
        target=lambda: answers.append(room.listener.conversation.answer("Which one?"))
    )
    asking.start()
    room.speaker.until("Which one?")
    room.speaker.say("The green one.")
    room.speaker.say("What are you doing?")
    asking.join(10.0)
    assert answers == ["the green one"]


def test_more_than_can_wait_is_told_missed(room: _Room) -> None:
    room.thinking.clear()
    words = [f"block {number}" for number in range(24)]
    for one in words:
        room.speaker.say(one)
        time.sleep(0.01)
    missed = _heard(room, lambda event: event.became == "missed")
    assert missed.text in words[16:]
    room.speaker.say("stop")
    room.became("stop")


def _heard(room: _Room, wanted: Callable[[Any], bool]) -> Heard:
    end = time.monotonic() + 10.0
    while time.monotonic() < end:
        for event in room.listener.backlog.take(0.0):
            if isinstance(event, Heard) and wanted(event):
                return event
        time.sleep(0.01)
    raise AssertionError("It was not heard.")


def test_a_microphone_and_a_topic_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "--ros", "--push-to-talk"]) == 2
    assert "not both" in capsys.readouterr().err


def test_a_robot_on_a_bus_is_spoken_to_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object) -> Bus:
        raise AssertionError("One process has a domain once.")

    monkeypatch.setattr("agent.ros.opening.open_bus", opened)
    with (
        closing(DdsBus(OWN, loopback=True)) as here,
        closing(DdsBus(OWN, loopback=True)) as there,
    ):
        idle = SimpleNamespace(reset=lambda seed: None, observe=lambda: None, stop=lambda: None)
        agent = SimpleNamespace(
            bus=here,
            caveat=None,
            close=lambda: None,
            estimator=SimpleNamespace(estimate=lambda observation: Scene(0.0)),
            pause=Pause(),
            robot=idle,
        )
        monkeypatch.setattr("agent.build.Agent", lambda config: agent)
        screen, config = LevelMeter(io.StringIO()), load_config(None)
        robot = told(config, Topics("/arm/say", "/arm/reply"), Mission("", 0), screen)
        # It asks for its next mission for ever, or until its thread is interrupted.
        monkeypatch.setattr(RosListener, "command", _until_told)
        listening = threading.Thread(target=lambda: list(robot))
        listening.start()
        speaker = _Speaker(there, Topics("/arm/say", "/arm/reply"))
        speaker.ask("what are you doing", "Nothing at the moment.")
        listening.join(10.0)
        # Who came last leaves first, and the bus goes with the robot alone.
        assert not listening.is_alive()
        here.topics()


def _until_told(listener: RosListener) -> str | None:
    """Return that there is no command, once something was answered."""
    wait_until(lambda: listener.backlog.take(0.0), PATIENCE_S)
    return None


def test_a_robot_has_its_own_topics() -> None:
    assert topics_of(Ros2Config(), None) == TOPICS
    own = Ros2Config(voice_command="/arm/say", prefix="/arm")
    assert topics_of(own, None) == Topics("/arm/say", "/arm/reply")
    assert topics_of(own, "/say") == Topics("/say", "/arm/reply")
    assert topics_of(Ros2Config(prefix=None), None) == Topics(TOPIC, None)


def test_a_robot_without_a_topic_asks_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "--ros", "--set", "robot.ros2.voice_command=null"]) == 2
    assert "give --ros TOPIC" in capsys.readouterr().err


def test_a_topic_that_can_be_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "--ros", "voice command"]) == 2
    assert "'voice command' is not" in capsys.readouterr().err


def test_topic_and_domain_are_those_of_the_configuration(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["listen", "--ros", "--set", "robot.ros2.voice_command=null"]) == 2
    assert "voice_command names no topic" in capsys.readouterr().err

    def refuse(*asked: object) -> Bus:
        raise RobotError(f"Asked for {asked}.")

    monkeypatch.setattr("agent.ros.opening.open_bus", refuse)
    words = ["listen", "--ros", "--set", "robot.ros2.domain=7", "--set", "robot.ros2.loopback=true"]
    assert main(words) == 1
    assert "Asked for ('auto', 7, True)." in capsys.readouterr().err
