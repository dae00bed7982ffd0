"""Missions that are asked for over ROS 2: from texts on a topic to what the robot does and says."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.build import Agent
from agent.conversation import Became, Conversation
from agent.episode.backlog import Backlog
from agent.errors import UsageError
from agent.events import Event, Heard, MissionEnded, SceneEstimated
from agent.protocols import Transcript
from agent.ros.bus import Bus, Qos
from agent.ros.messages import TEXT, text
from agent.sections import Ros2Config
from agent.speech.certain import CertainGate
from agent.speech.control import Control, control_of
from agent.speech.gate import GateDecision
from agent.speech.replies import Replies
from agent.types import Plan

_AT_ONCE = (Control.STOP, Control.CANCEL, Control.PAUSE)
_POLL_S = 0.2
"""How long texts and commands are waited for before it is looked whether it was closed, s."""
_MOST_WAITING = 16
_LONGEST = 4_000
"""Characters that are kept of a text."""
_MARKS = re.compile(r"[!?;:\"“”]|(?<!\d)[.,]|[.,](?!\d)")
"""What separates words; a decimal point does not."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Where a robot is spoken to, and answers, as `std_msgs/String`.

    Attributes:
        commands: Where commands, answers and corrections come.
        replies: Where the robot says what it would say aloud; None where it says nothing.
    """

    commands: str
    replies: str | None


def topics_of(config: Ros2Config, commands: str | None) -> Topics:
    """Return a robot's topics, commands coming on the configured one where None is named.

    Raises:
        UsageError: None is configured either.
    """
    if (commands := commands or config.voice_command) is None:
        raise UsageError("robot.ros2.voice_command names no topic; set it, or give --ros TOPIC.")
    return Topics(commands, None if config.prefix is None else f"{config.prefix}/reply")


@dataclass(frozen=True, slots=True)
class _Text:
    """Something that came: its words, when, and how many stops had come before it."""

    words: str
    came_s: float
    stops: int


class RosListener:
    """Takes what comes on a topic for what somebody says, and nobody can have misheard.

    What holds the robot still is done in the thread of the bus, however long the planner takes
    over a command; the rest waits its turn. It is a subscriber, so that it knows the scene that is
    spoken of.

    Attributes:
        backlog: What came, for the episode of the mission that runs or comes.
        conversation: What is asked for, answered and corrected.
        replies: A subscriber that says what a person wants to know.
    """

    def __init__(self, agent: Agent, bus: Bus, topics: Topics, tell: Callable[[str], None]) -> None:
        """Begin to listen.

        Args:
            agent: Whose robot is told what to do; it stands in the world of its first mission.
            bus: Where the topics are; whoever opened it closes it, after this.
            topics: Where texts come and go.
            tell: Prints a sentence.

        Raises:
            ConfigError: There can be no such topics.
        """
        self._agent, self._bus, self._topics, self._tell = agent, bus, topics, tell
        self._scene = agent.estimator.estimate(agent.robot.observe())
        self._publish = topics.replies and bus.advertise(topics.replies, TEXT, Qos())
        self.backlog = Backlog()
        self.replies = Replies(self._say)
        self.conversation = Conversation(
            CertainGate(),
            self._understand,
            self._say,
            self.replies.doing,
            agent.pause,
            agent.robot.stop,
        )
        self._opened_s = time.monotonic()
        self._stops, self._closed = 0, False
        self._texts: queue.Queue[_Text] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._listen, name="ros-listener", daemon=True)
        self._thread.start()
        bus.listen(topics.commands, TEXT, Qos(), self._receive)

    def command(self) -> str | None:
        """Wait for the next command; None once it is closed."""
        while self._thread.is_alive():
            if (said := self.conversation.command(_POLL_S)) is not None:
                return said
        return None

    def on_event(self, event: Event) -> None:
        """Take note of the scene that is spoken of, and of a mission's end."""
        match event:
            case SceneEstimated():
                self._scene = event.scene
            case MissionEnded():
                self.conversation.ended()

    def close(self) -> None:
        """Take no more of what comes; idempotent."""
        self._closed = True
        self._thread.join()

    def _receive(self, message: Any) -> None:
        """Do what cannot wait, from the thread of the bus, and let the rest wait."""
        if self._closed:
            return
        came = _Text(_words(message.data), time.monotonic(), self._stops)
        control = control_of(came.words)
        if control in _AT_ONCE:
            with self.backlog.due():
                self._stops += control is not Control.PAUSE
                self.conversation.steer(control)
                self._record(came, Became.CONTROL)
            return
        try:
            self._texts.put_nowait(came)
        except queue.Full:
            self._record(came, Became.MISSED, "There was no time for it.")

    def _listen(self) -> None:
        while not self._closed:
            try:
                came = self._texts.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            with self.backlog.due():
                self._take(came)

    def _take(self, came: _Text) -> None:
        """Let the conversation have a text, and put it on record."""
        waited_s = time.monotonic() - came.came_s
        if came.stops != self._stops:
            self._record(came, Became.IGNORED, "The robot was stopped after it.")
            return
        said = Transcript(came.words, confidence=1.0, no_speech=0.0)
        became, ruled = self.conversation.hear(said, seconds=0.0)
        reason = ruled.reason if ruled is not None else ""
        if came.stops != self._stops and became in (Became.COMMAND, Became.CORRECTION):
            # A planner may have taken seconds for it, and the stop was not to be waited for.
            self.conversation.steer(Control.STOP)
            became, reason = Became.IGNORED, "The robot was stopped after it."
        elif became is Became.IGNORED:
            self._say(reason)
        elif became is Became.REMARK:
            self._say("I am busy, and that asks for nothing else.")
        seconds = {"waiting": waited_s, "understanding": time.monotonic() - came.came_s - waited_s}
        self._record(came, became, reason, ruled, seconds)

    def _record(
        self,
        came: _Text,
        became: Became,
        reason: str = "",
        ruled: GateDecision | None = None,
        seconds: dict[str, float] | None = None,
    ) -> None:
        at_s = came.came_s - self._opened_s
        heard = Heard(
            time_s=0.0,
            unix_s=time.time() - (time.monotonic() - came.came_s),
            began_s=at_s,
            ended_s=at_s,
            became=became.value,
            text=came.words,
            ruling=ruled.ruling.value if ruled else None,
            cause=ruled.cause.value if ruled else None,
            reason=f"It came as text on {self._topics.commands}. {reason}".strip(),
            evidence=ruled.evidence if ruled else {},
            seconds=seconds or {},
        )
        self.backlog.put(heard)
        self._tell(f"Told {came.words!r}: {became.value}. {reason}".strip())

    def _say(self, sentence: str) -> None:
        self._tell(f"“{sentence}”")
        if self._publish:
            self._publish(text(self._bus, sentence))

    def _understand(self, words: str) -> Plan:
        return self._agent.understand(words, self._scene)


def _words(data: str) -> str:
    """Return a text as a transcriber would write it: lower case, and no marks between words."""
    return " ".join(_MARKS.sub(" ", data[:_LONGEST]).lower().split())
