"""Missions that are spoken: from a source of sound to what the robot does and says."""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent.account import Account
from agent.brakes import MissionBrakes
from agent.build import Agent
from agent.conversation import Became, Conversation
from agent.episode.backlog import Backlog
from agent.errors import SpeechError
from agent.events import Event, MissionEnded, SceneEstimated
from agent.speech.control import Control
from agent.speech.gate import Gate
from agent.speech.hearing import Hearing
from agent.speech.replies import Replies
from agent.speech.source import Source, sound_files
from agent.speech.spotter import spotter_for
from agent.speech.stop_word import StopWord
from agent.speech.vad import Endpointer, Utterance, VoiceEndpointer
from agent.speech.voice import Voice, voice_command
from agent.transcription import open_transcriber
from agent.types import Plan

_POLL_S = 0.2
"""How long an utterance is waited for before it is looked whether there is more to hear, s."""
_LAST_S = 1.0
"""How long a command is waited for after everything was heard, s."""


class Listener:
    """Hears a source in threads of its own, and tells missions what was said.

    It is a subscriber, so that it knows the scene that is spoken of.

    Attributes:
        backlog: What was heard, for the episode of the mission that runs or comes.
        conversation: What is asked for, answered and corrected.
        replies: A subscriber that says what a person nearby wants to know.
    """

    def __init__(
        self,
        agent: Agent,
        source: Source,
        tell: Callable[[str], None],
        endpointer: Endpointer | None = None,
        *,
        confirm: bool,
    ) -> None:
        """Load what hears and speaks, and begin to listen.

        Args:
            agent: Whose robot is spoken to; it has looked at the scene of its first mission.
            source: What is listened to.
            tell: Prints a sentence.
            endpointer: Cuts what is heard into utterances; None goes by the voice.
            confirm: Whether a transcriber that hears commands in everything is always asked about.

        Raises:
            ConfigError: Something is configured that does not exist.
            MissingDependency: A package is not installed.
            SpeechError: A model or the microphone is not there.
        """
        sound_files()
        config = agent.config.speech
        self._agent, self._tell = agent, tell
        self._scene = agent.estimator.estimate(agent.robot.observe())
        self._transcriber = open_transcriber(agent.config, agent.contracts)
        self._voice = Voice(voice_command(config.voice))
        self.replies = Replies(self._say)
        self.conversation = Conversation(
            Gate(config.gate, config.transcriber, confirm=confirm),
            self._understand,
            self._say,
            self.replies.doing,
            agent.pause,
            agent.robot.stop,
        )
        self.backlog = Backlog()
        self._brakes = MissionBrakes(
            agent.pause,
            self._voice.hush,
            lambda: self.conversation.steer(Control.STOP),
            self.backlog,
        )
        stop_word = StopWord([spotter_for(word) for word in config.stop_words], self._brakes)
        self._brakes.follow(stop_word)
        self._hearing = Hearing(
            source,
            endpointer or VoiceEndpointer(),
            stop_word,
            tell,
            self._voice.spoke_at,
            self._missed,
        )
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._thread.start()

    def command(self) -> str | None:
        """Wait for the next command; None once there is nothing more to hear."""
        while self._thread.is_alive():
            if (said := self.conversation.command(_POLL_S)) is not None:
                return said
        return self.conversation.command(_LAST_S)

    @property
    def level_dbfs(self) -> float:
        """How loud it is now, dB; silence is -120."""
        return self._hearing.level_dbfs

    def hush(self) -> None:
        """Let the robot fall silent: somebody wants to speak."""
        self._voice.hush()

    def on_event(self, event: Event) -> None:
        """Take note of the scene that is spoken of, and of a mission's end."""
        match event:
            case SceneEstimated():
                self._scene = event.scene
            case MissionEnded():
                self.conversation.ended()

    def close(self) -> None:
        """Stop listening and speaking."""
        self._hearing.close()
        self._thread.join()
        self._voice.close()

    def _listen(self) -> None:
        while not self._hearing.ended:
            utterance = self._hearing.utterance(_POLL_S)
            if utterance is not None:
                self._take(utterance)

    def _take(self, utterance: Utterance) -> None:
        """Find out what was said, let the conversation have it, and put it on record."""
        account = Account(utterance)
        with self.backlog.due():
            is_stop = self._brakes.settled(utterance)
            account.waited()
            if is_stop:
                account.became, account.reason = Became.CONTROL, "It was the stop word."
                self.backlog.expect(0.0)
            else:
                self._hear(account)
            self.backlog.put(account.event())
        self._tell(account.sentence)

    def _hear(self, account: Account) -> None:
        """Turn an utterance into words, and them into what they ask for."""
        utterance = account.utterance
        try:
            with account.stage("transcription"):
                self._transcriber.expect(self._scene)
                transcript = self._transcriber.transcribe(utterance.audio)
        except SpeechError as error:
            account.reason = str(error)
            return
        account.transcript = transcript
        seconds = utterance.ended_s - utterance.began_s
        with account.stage("understanding"):
            account.became, account.ruled = self.conversation.hear(transcript, seconds)
        account.reason = account.ruled.reason if account.ruled is not None else ""

    def _missed(self, utterance: Utterance) -> None:
        """Put on record what could not be heard for all that was said before."""
        reason = "There was no time for it."
        self.backlog.put(Account(utterance, Became.MISSED, reason).event())

    def _say(self, sentence: str) -> None:
        self._tell(f"“{sentence}”")
        self._voice.say(sentence)

    def _understand(self, text: str) -> Plan:
        return self._agent.understand(text, self._scene)
