"""How often a correction in mid-mission is obeyed: `python -m tests.benchmarks.dialogues`.

In each of forty scenes the real agent begins a command, and at some moment, from before the first
motion to after the last one, it hears that something else was meant. The world's truth then tells
whether the corrected goal was reached, and whether the old one was still brought about after the
correction had been taken up. Half of the dialogues are heard by a transcriber whose commands are
always asked about. Exit code 1 below the bar.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.build import Agent
from agent.config import load_config
from agent.conversation import Conversation
from agent.events import Corrected, Event, MissionStarted, SceneEstimated, Ticked
from agent.facts import holds
from agent.protocols import Transcript
from agent.sections import MemoryConfig
from agent.speech.gate import Gate
from agent.speech.replies import Replies
from agent.types import MissionResult, Plan, Scene
from skills.evaluate.corrections import Correction, find_corrections
from skills.evaluate.scoring import achieved

MIN_OBEYED = 0.95
SEED_BASE = 1_000_000
_TRANSCRIBERS = ("faster-whisper:tiny", "pocketsphinx")
_LONGEST_S = 6.0
"""The last moment of a correction, s of the mission; by then some missions have ended."""
_SCORES = {"avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.01, "temperature": 0}
"""Of an utterance that was heard well."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A command and its correction.

    Attributes:
        correction: What is asked for, and what then.
        at_s: When it is said, s of the mission, or when the mission has ended before.
        transcriber: Whose bounds the gate has.
    """

    correction: Correction
    at_s: float
    transcriber: str


def dialogues(count: int, seed_base: int) -> Iterator[Dialogue]:
    """Yield so many dialogues, each at a moment of its own."""
    rng = np.random.default_rng(seed_base)
    for correction in find_corrections(count, seed_base):
        at_s = round(float(rng.uniform(0.0, _LONGEST_S)), 1)
        yield Dialogue(correction, at_s, str(rng.choice(_TRANSCRIBERS)))


class Talk:
    """One dialogue as it goes: a person who speaks, agrees, and corrects at the moment.

    Attributes:
        heard: What the robot has said, and what became of what was said to it.
        results: Of the missions, one as a rule, two where the correction came too late for it.
    """

    def __init__(self, agent: Agent, dialogue: Dialogue) -> None:
        self._agent, self._asked, self._at_s = agent, dialogue.correction, dialogue.at_s
        self.heard: list[str] = []
        self.results: list[MissionResult] = []
        self._corrected = self._spoke_plainly = False
        self._taken_up: Scene | None = None
        agent.robot.reset(self._asked.seed)
        self._scene = agent.estimator.estimate(agent.robot.observe())
        self._before = agent.tabletop.world.truth()
        self._replies = Replies(self.hear)
        self._conversation = Conversation(
            Gate(agent.config.speech.gate, dialogue.transcriber),
            self._understand,
            self.hear,
            self._replies.doing,
            agent.pause,
            agent.robot.stop,
            patience_s=1.0,
        )

    def run(self) -> None:
        """Carry out what is asked for until there is no more."""
        self.say(self._asked.command)
        seed: int | None = self._asked.seed
        while (command := self._conversation.command(0.0)) is not None or not self._corrected:
            if command is None:
                self._correct()
                continue
            talk = self._conversation
            runtime = self._agent.runtime(seed, [self._replies, self])
            self.results.append(
                runtime.run(command, seed, approve=talk.approve, answer=talk.answer, wish=talk.wish)
            )
            talk.ended()
            seed = None

    def say(self, text: str) -> None:
        """Say something to the robot, which hears it well."""
        scores = {**_SCORES, "word_posterior": 0.95, "agreement": 1.0}
        transcript = Transcript(text, 0.95, 0.01, language="en", evidence=scores)
        became, ruled = self._conversation.hear(transcript, 1.0 + 0.3 * len(text.split()))
        self.heard.append(f"{text}: {became.value}{f', {ruled.cause.value}' if ruled else ''}")

    def hear(self, sentence: str) -> None:
        """Hear the robot say something; agree if it asks whether to, speak plainly if what."""
        self.heard.append(f"“{sentence}”")
        if sentence.endswith("Shall I?"):
            self.say("yes")
        elif sentence.endswith("?") and self._corrected and not self._spoke_plainly:
            self._spoke_plainly = True
            self.say(self._asked.plainly)

    def on_event(self, event: Event) -> None:
        """Correct the robot when the moment has come, and note when it takes that up."""
        match event:
            case SceneEstimated():
                self._scene = event.scene
            case Ticked() if event.time_s >= self._at_s:
                self._correct()
            case Corrected():
                self._taken_up = self._agent.tabletop.world.truth()
            case MissionStarted() if self.results:
                self._taken_up = self._agent.tabletop.world.truth()

    def missed(self) -> str:
        """Return why the dialogue did not end as it should, nothing where it did."""
        world = self._agent.tabletop.world
        if not achieved(world, self._asked.goals, self._before):
            return "the corrected goal was not reached"
        if self._taken_up is None:
            return "the correction was never taken up"
        truth, then = world.truth(), self._taken_up
        old = [fact for fact in self._asked.old if fact not in self._asked.goals]
        if any(holds(fact, truth) and not holds(fact, then) for fact in old):
            return "the old goal was insisted on"
        return ""

    def _correct(self) -> None:
        if not self._corrected:
            self._corrected = True
            self.say(self._asked.said)

    def _understand(self, text: str) -> Plan:
        return self._agent.understand(text, self._scene)


def hold(agent: Agent, dialogue: Dialogue) -> dict[str, Any]:
    """Return what came of a dialogue."""
    talk, correction = Talk(agent, dialogue), dialogue.correction
    talk.run()
    steps = [step for result in talk.results for step in result.results]
    return {
        "seed": correction.seed,
        "kind": correction.kind,
        "command": correction.command,
        "correction": correction.said,
        "at_s": dialogue.at_s,
        "transcriber": dialogue.transcriber,
        "missions": [result.outcome.value for result in talk.results],
        "steps": [f"{step.subgoal.phrase}: {step.verdict.reason.value}" for step in steps],
        "goals": list(map(str, correction.goals)),
        "heard": talk.heard,
        "missed": talk.missed(),
    }


def main() -> int:
    """Hold the dialogues, print one JSON object, and say by the exit code whether it is enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dialogues", type=int, default=40)
    parser.add_argument("--seed-base", type=int, default=SEED_BASE, help="of the scenes")
    asked = parser.parse_args()
    config = load_config(None).model_copy(update={"memory": MemoryConfig(file=None)})
    agent = Agent(config)
    held = []
    try:
        for dialogue in dialogues(asked.dialogues, asked.seed_base):
            held.append(hold(agent, dialogue))
            sys.stderr.write(f"{len(held)}: {held[-1]['kind']}: {held[-1]['missed'] or 'obeyed'}\n")
    finally:
        agent.close()
    missed = [result for result in held if result["missed"]]
    obeyed = 1 - len(missed) / max(len(held), 1)
    told = {
        "dialogues": len(held),
        "obeyed": obeyed,
        "by_outcome": Counter(" then ".join(result["missions"]) for result in held),
        "missed": missed,
    }
    sys.stdout.write(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    return obeyed < MIN_OBEYED


if __name__ == "__main__":
    raise SystemExit(main())
