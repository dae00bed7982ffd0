"""Missions that are spoken: from a source of sound to what the robot does and says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from agent.build import Agent
from agent.conversation import Conversation
from agent.errors import SpeechError
from agent.events import Event, SceneEstimated
from agent.speech.control import Control
from agent.speech.gate import Gate
from agent.speech.hearing import Hearing
from agent.speech.replies import Replies
from agent.speech.source import Source
from agent.speech.spotter import spotter_for
from agent.speech.stop_word import StopWord
from agent.speech.vad import Utterance, VoiceEndpointer
from agent.speech.voice import Voice, voice_command
from agent.transcription import open_transcriber
from agent.types import Plan

_POLL_S = 0.2
"""How long an utterance is waited for before it is looked whether there is more to hear, s."""
_LAST_S = 1.0
"""How long a command is waited for after everything was heard, s."""


class Listener:
    """Hears a source in threads of its own, and tells missions what was said.

    It is a subscriber, so that it knows the scene that is spoken of, and the stop word's brakes.

    Attributes:
        conversation: What is asked for, answered and corrected.
        replies: A subscriber that says what a person nearby wants to know.
    """

    def __init__(
        self, agent: Agent, source: Source, tell: Callable[[str], None], *, confirm: bool
    ) -> None:
        """Load what hears and speaks, and begin to listen.

        Args:
            agent: Whose robot is spoken to; it has looked at the scene of its first mission.
            source: What is listened to.
            tell: Prints a sentence.
            confirm: Whether a transcriber that hears commands in everything is always asked about.

        Raises:
            ConfigError: Something is configured that does not exist.
            MissingDependency: A package is not installed.
            SpeechError: A model or the microphone is not there.
        """
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
        self._held = self._suspects = False
        stop_word = StopWord([spotter_for(word) for word in config.stop_words], self)
        endpointer = VoiceEndpointer()
        self._hearing = Hearing(source, endpointer, stop_word, tell, lambda: self._voice.speaking)
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._thread.start()

    def command(self) -> str | None:
        """Wait for the next command; None once there is nothing more to hear."""
        while self._thread.is_alive():
            if (said := self.conversation.command(_POLL_S)) is not None:
                return said
        return self.conversation.command(_LAST_S)

    def on_event(self, event: Event) -> None:
        """Take note of the scene that is spoken of."""
        if isinstance(event, SceneEstimated):
            self._scene = event.scene

    def pause(self) -> None:
        """Hold still and fall silent: the stop word may have been said."""
        if not self._suspects:
            # A second suspicion finds the pause of the first one.
            self._held, self._suspects = self._agent.pause.shut, True
        self._agent.pause.pause()
        self._voice.hush()

    def confirm_stop(self) -> None:
        """Stop: the stop word was said."""
        self._suspects = False
        self.conversation.steer(Control.STOP)

    def resume(self) -> None:
        """Go on, unless it was paused before: something else was said."""
        self._suspects = False
        if not self._held:
            self._agent.pause.resume()

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
        """Turn one utterance into words and let the conversation have them."""
        began = time.monotonic()
        try:
            self._transcriber.expect(self._scene)
            transcript = self._transcriber.transcribe(utterance.audio)
        except SpeechError as error:
            self._tell(str(error))
            return
        seconds = utterance.ended_s - utterance.began_s
        became, ruled = self.conversation.hear(transcript, seconds)
        why = f" {ruled.reason}" if ruled is not None else ""
        took_s = time.monotonic() - began
        said = transcript.text or "nothing"
        self._tell(
            f"Heard {said!r} ({transcript.confidence:.0%}, {took_s:.1f} s): {became.value}.{why}"
        )

    def _say(self, sentence: str) -> None:
        self._tell(f"“{sentence}”")
        self._voice.say(sentence)

    def _understand(self, text: str) -> Plan:
        return self._agent.understand(text, self._scene)
