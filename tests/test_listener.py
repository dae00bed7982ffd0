"""What the listener makes of utterances: on record in full, and a stop only once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from agent import listening
from agent.build import Agent
from agent.config import Config
from agent.errors import SpeechError
from agent.events import Heard, StopWordJudged
from agent.listening import Listener
from agent.pause import Pause
from agent.protocols import Transcript
from agent.speech.source import Playback
from agent.types import FloatArray, Plan, Scene
from tests.parts import COMMAND, PICK, PLACE
from tests.speech.sounds import needs_voices, say, silence

SHOWN = Plan(command=COMMAND, subgoals=(PICK, PLACE))
EVIDENCE = {"avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.01}


class _Transcriber:
    """Hears the same in everything, or cannot tell."""

    def __init__(self, fault: str = "") -> None:
        self.asked, self._fault = 0, fault

    def expect(self, scene: Scene) -> None:
        pass

    def transcribe(self, audio: FloatArray) -> Transcript:
        self.asked += 1
        if self._fault:
            raise SpeechError(self._fault)
        return Transcript(COMMAND, 0.9, 0.01, ("put it there",), "en", EVIDENCE)


class _Room:
    """A listener, and an agent of which it needs little."""

    def __init__(self, patch: pytest.MonkeyPatch, *sound: FloatArray, fault: str = "") -> None:
        self.transcriber, self.told = _Transcriber(fault), list[str]()
        self.stops = 0
        patch.setattr(listening, "open_transcriber", lambda *about: self.transcriber)
        speech = {"voice": "none", "transcriber": "whisper:tiny"}
        agent = SimpleNamespace(
            config=Config.model_validate({"speech": speech}),
            contracts={},
            pause=Pause(),
            robot=SimpleNamespace(observe=lambda: None, stop=self._stop),
            estimator=SimpleNamespace(estimate=lambda observation: Scene(0.0)),
            understand=lambda text, scene: SHOWN,
        )
        self.sound = np.concatenate([silence(0.5), *sound, silence(1.5)])
        source = Playback([self.sound])
        self.listener = Listener(cast(Agent, agent), source, self.told.append, confirm=False)

    def _stop(self) -> None:
        self.stops += 1

    def heard(self) -> tuple[list[str], list[Heard], list[StopWordJudged]]:
        """Return the commands that were taken, and what is on record of the whole sound."""
        commands = []
        while (said := self.listener.command()) is not None:
            commands.append(said)
        self.listener.close()
        events = self.listener.backlog.take(0.0)
        return (
            commands,
            [event for event in events if isinstance(event, Heard)],
            [event for event in events if isinstance(event, StopWordJudged)],
        )


@needs_voices
def test_a_command_is_on_record_with_all_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    commands, [said], _ = _Room(monkeypatch, say("flite/rms", COMMAND)).heard()
    assert commands == [COMMAND]
    assert (said.became, said.text, said.ruling, said.cause) == (
        "command",
        COMMAND,
        "accept",
        "clear",
    )
    assert (said.confidence, said.no_speech, said.language) == (0.9, 0.01, "en")
    assert said.alternatives == ("put it there",) and said.scores == EVIDENCE
    assert said.evidence["words"] == len(COMMAND.split())
    assert list(said.seconds) == ["endpointing", "waiting", "transcription", "understanding"]


@needs_voices
def test_a_stop_is_not_transcribed_after_the_stop_word_has_heard_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = _Room(monkeypatch, say("flite/rms", "stop"))
    commands, [said], [judged] = room.heard()
    assert (commands, room.transcriber.asked, room.stops) == ([], 0, 1)
    assert (said.became, said.text, said.confidence, said.ruling) == ("control", "", None, None)
    assert said.flac and judged.confirmed
    assert said.began_s < judged.suspected_s < said.ended_s
    assert "It was the stop word." in room.told


@needs_voices
def test_what_the_decoder_cannot_tell_is_on_record_too(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = "The server is down."
    _, [said], _ = _Room(monkeypatch, say("flite/rms", COMMAND), fault=fault).heard()
    assert (said.became, said.text, said.reason) == ("ignored", "", fault)
    assert list(said.seconds) == ["endpointing", "waiting", "transcription"] and said.flac
