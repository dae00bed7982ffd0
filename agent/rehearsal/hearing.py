"""What hears a command in `bosun eval speech`: the transcriber, and the planner's sense of it."""

from __future__ import annotations

from agent.build import grammar
from agent.config import Config
from agent.speech.grammar import CommandGrammar
from agent.speech.pocketsphinx import PocketsphinxTranscriber
from agent.speech.reading import Heard, read
from agent.types import FloatArray, Plan, Scene, Subgoal
from skills.registry import load_contracts


class PocketsphinxBench:
    """Hears offline, in scenes that are known in truth."""

    def __init__(self, config: Config) -> None:
        """Load what hears and what plans."""
        self._contracts = load_contracts()
        self._planner = grammar(config)
        self._transcriber = PocketsphinxTranscriber(CommandGrammar(self._contracts).network)

    def __call__(self, sound: FloatArray, scene: Scene) -> str | tuple[Subgoal, ...]:
        """Return the subgoals that would be passed on, or `asked` or `rejected`."""
        self._transcriber.expect(scene)

        def understands(text: str) -> Plan:
            return self._planner.plan(text, scene, self._contracts, ())

        reading = read(self._transcriber.transcribe(sound), understands)
        match reading.heard:
            case Heard.PLAN if reading.plan is not None:
                return reading.plan.subgoals
            case Heard.REJECT:
                return "rejected"
            case _:
                return "asked"
