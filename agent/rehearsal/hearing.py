"""What hears in `bosun eval speech`: what `bosun listen --no-confirm` would make of a command."""

from __future__ import annotations

from agent.build import grammar
from agent.config import Config
from agent.speech.gate import Gate, Ruling
from agent.speech.reading import read
from agent.transcription import open_transcriber
from agent.types import FloatArray, Plan, Scene
from skills.evaluate.hearing import Passed
from skills.evaluate.voices import RATE
from skills.registry import load_contracts


class TranscriberBench:
    """Hears one utterance after another, in scenes that are known in truth."""

    def __init__(self, config: Config) -> None:
        """Load what hears and what plans."""
        self._contracts = load_contracts()
        self._planner = grammar(config)
        self._transcriber = open_transcriber(config, self._contracts)
        # A question that is always asked would hide what is passed on wrongly without one.
        self._gate = Gate(config.speech.gate, config.speech.transcriber, confirm=False)

    def __call__(self, sound: FloatArray, scene: Scene) -> Passed:
        """Return the subgoals that would be carried out or asked about; none of what is refused."""
        self._transcriber.expect(scene)

        def understand(text: str) -> Plan:
            return self._planner.plan(text, scene, self._contracts, ())

        transcript, seconds = self._transcriber.transcribe(sound), sound.size / RATE
        if self._gate.decide(transcript, seconds).ruling is Ruling.REJECT:
            return Passed((), asks=False)
        reading = read(transcript, understand)
        ruling = self._gate.decide(transcript, seconds, reading).ruling
        if ruling is Ruling.REJECT:
            return Passed((), asks=False)
        return Passed(reading.plan.subgoals, asks=ruling is Ruling.CONFIRM)
