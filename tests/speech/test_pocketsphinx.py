"""Pocketsphinx hears real sound: commands are heard, what is none is not believed."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from agent.errors import MissingDependency, SpeechError
from agent.planner.grammar import GrammarPlanner
from agent.sections import GateConfig
from agent.speech.gate import Gate, Ruling
from agent.speech.grammar import CommandGrammar
from agent.speech.pocketsphinx import PocketsphinxTranscriber
from agent.speech.reading import read
from agent.types import Plan
from skills.evaluate.offtopic import OFF_TOPIC, white
from skills.evaluate.voices import RATE, Engine, Voice
from skills.registry import load_contracts
from tests.scenes import scene

CONTRACTS = load_contracts()
WHERE = scene("red block", "can", "blue bowl", "plate", "button")
RMS = Voice(Engine.FLITE, "rms")


@pytest.fixture(scope="module")
def hears() -> PocketsphinxTranscriber:
    made = PocketsphinxTranscriber(CommandGrammar(CONTRACTS).network)
    made.expect(WHERE)
    return made


def understands(text: str) -> Plan:
    return GrammarPlanner().plan(text, WHERE, CONTRACTS, ())


def test_a_command_is_heard(hears: PocketsphinxTranscriber) -> None:
    heard = hears.transcribe(RMS.say("put the red block in the blue bowl"))
    assert heard.text == "put the red block in the blue bowl"
    assert 0 < heard.confidence <= 1
    assert heard.text not in heard.alternatives
    assert set(heard.evidence) == {"word_posterior", "agreement", "frame_score"}


def test_loudness_does_not_matter(hears: PocketsphinxTranscriber) -> None:
    sound = RMS.say("press the button")
    assert hears.transcribe(sound) == hears.transcribe(sound * np.float32(0.25))


def test_what_is_no_command_moves_nothing(hears: PocketsphinxTranscriber) -> None:
    sounds = [white(np.random.default_rng(0)), *(RMS.say(text) for text in OFF_TOPIC[:3])]
    for sound in sounds:
        heard, gate = hears.transcribe(sound), Gate(GateConfig(), "pocketsphinx", confirm=False)
        decision = gate.decide(heard, len(sound) / RATE, read(heard, understands))
        assert decision.ruling is not Ruling.ACCEPT


def test_silence_is_no_speech(hears: PocketsphinxTranscriber) -> None:
    heard = hears.transcribe(np.zeros(16_000, np.float32))
    assert (heard.text, heard.no_speech) == ("", 1.0)


def test_it_must_know_the_scene() -> None:
    deaf = PocketsphinxTranscriber(CommandGrammar(CONTRACTS).network)
    with pytest.raises(SpeechError, match="scene"):
        deaf.transcribe(np.zeros(16_000, np.float32))


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(MissingDependency, match="pip install"):
        PocketsphinxTranscriber(CommandGrammar(CONTRACTS).network)
