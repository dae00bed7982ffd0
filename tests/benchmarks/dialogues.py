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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from agent.build import Agent
from agent.config import load_config
from agent.conversation import Conversation
from agent.events import Corrected, Event, MissionStarted, SceneEstimated, Ticked
from agent.facts import after, holds
from agent.protocols import Transcript
from agent.sections import MemoryConfig
from agent.speech.gate import Gate
from agent.speech.replies import Replies
from agent.spots import free_spot
from agent.types import Fact, MissionResult, Plan, Scene
from agent.workspace import BLOCK, BOWL, PLATE, kind_of
from skills.evaluate.commands import draw_command, initial_scene
from skills.evaluate.scoring import achieved

MIN_OBEYED = 0.95
SEED_BASE = 1_000_000
_TRANSCRIBERS = ("faster-whisper:tiny", "pocketsphinx")
_LONGEST_S = 14.0
"""The last moment of a correction, s of the mission; by then most missions have ended."""
_SCORES = {"avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.01, "temperature": 0}
"""Of an utterance that was heard well."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A command and what is said of it later.

    Attributes:
        seed: Of the scene.
        kind: Of the correction.
        command: What is asked for first.
        correction: What is said then.
        plainly: What is said if the robot asks what that means.
        old: The facts that the command alone asks for.
        goals: The facts that must hold in the end.
        at_s: When it is said, s of the mission, or when the mission has ended before.
        transcriber: Whose bounds the gate has.
    """

    seed: int
    kind: str
    command: str
    correction: str
    plainly: str
    old: tuple[Fact, ...]
    goals: tuple[Fact, ...]
    at_s: float
    transcriber: str


def draw(seed: int, number: int) -> Dialogue | None:
    """Draw a dialogue of a kind in a scene; None where that has no room for it."""
    command = draw_command(seed, 1)
    if command is None:
        return None
    rng = np.random.default_rng([seed, 41])
    scene = initial_scene(seed)
    thing, place = command.goals[0].args
    kind, draw_kind = list(_KINDS.items())[number % len(_KINDS)]
    drawn = draw_kind(scene, thing, place, rng)
    if drawn is None:
        return None
    correction, goals = drawn
    (goal,) = goals
    return Dialogue(
        seed=seed,
        kind=kind,
        command=command.text,
        correction=correction,
        plainly=f"no put the {goal.args[0]} {goal.predicate} the {goal.args[1]}",
        old=command.goals,
        goals=goals,
        at_s=round(float(rng.uniform(0.0, _LONGEST_S)), 1),
        transcriber=_TRANSCRIBERS[number // len(_KINDS) % 2],
    )


def dialogues(count: int, seed_base: int) -> Iterator[Dialogue]:
    """Yield so many dialogues, the kinds in turn, each in another scene."""
    number = 0
    for seed in range(seed_base, seed_base + 100 * count):
        if number == count:
            return
        if (dialogue := draw(seed, number)) is not None:
            number += 1
            yield dialogue


Drawn = tuple[str, tuple[Fact, ...]]


def _other_thing(
    says: str, scene: Scene, thing: str, place: str, rng: np.random.Generator
) -> Drawn | None:
    """Have another block put where the first one was to go."""
    filled = after(scene, _goal(thing, place))
    free = [
        name
        for name, there in scene.objects.items()
        if there.kind == BLOCK and name != thing and _can_go(scene, filled, name, place)
    ]
    if not free or kind_of(thing) != BLOCK:
        return None
    other = str(rng.choice(free))
    colours = {"old": thing.split()[0], "new": other.split()[0]}
    return says.format(**colours), (_goal(other, place),)


def _other_place(
    says: str, kinds: Sequence[str], scene: Scene, thing: str, place: str, rng: np.random.Generator
) -> Drawn | None:
    """Have the same block put somewhere else."""
    free = [
        name
        for name, there in scene.objects.items()
        if there.kind in kinds and name != place and _can_go(scene, scene, thing, name)
    ]
    if not free or kind_of(thing) != BLOCK:
        return None
    other = str(rng.choice(free))
    onto = "in" if kind_of(other) == BOWL else "on"
    return says.format(place=other, onto=onto), (_goal(thing, other),)


def _other_bowl(scene: Scene, thing: str, place: str, rng: np.random.Generator) -> Drawn | None:
    if kind_of(place) != BOWL:
        return None
    return _other_place("i mean the {place}", (BOWL,), scene, thing, place, rng)


def _side(scene: Scene, thing: str, place: str, rng: np.random.Generator) -> Drawn | None:
    sides = [s for s in ("left", "right") if _can_go(scene, scene, thing, f"{s} zone")]
    if not sides or place.endswith("zone"):
        return None
    side = str(rng.choice(sides))
    return f"actually the {side} side", (_goal(thing, f"{side} zone"),)


def _both(scene: Scene, thing: str, place: str, rng: np.random.Generator) -> Drawn | None:
    """Have another block put somewhere else, in a whole sentence."""
    others = [name for name, there in scene.objects.items() if there.kind == BLOCK]
    for other in map(str, rng.permutation([name for name in others if name != thing])):
        if (
            _free(scene, other)
            and (
                drawn := _other_place("{onto} the {place}", (BOWL, PLATE), scene, other, place, rng)
            )
            and free_spot(drawn[1][0].args[1], scene, other) is not None
        ):
            return f"no put the {other} {drawn[0]}", drawn[1]
    return None


_KINDS: dict[str, Callable[[Scene, str, str, np.random.Generator], Drawn | None]] = {
    "no, the green one": lambda *of: _other_thing("no the {new} one", *of),
    "put it on the plate instead": lambda *of: _other_place(
        "put it {onto} the {place} instead", (BOWL, PLATE), *of
    ),
    "I mean the green block": lambda *of: _other_thing("i mean the {new} block", *of),
    "I mean the blue bowl": _other_bowl,
    "not the red one, the green one": lambda *of: _other_thing(
        "not the {old} one the {new} one", *of
    ),
    "actually the left side": _side,
    "no, put the green block on the plate": _both,
    "no, in the white bowl": lambda *of: _other_place("no {onto} the {place}", (BOWL, PLATE), *of),
}
"""What a correction is like -> draws one of the command that puts a thing in a place."""


def _goal(thing: str, place: str) -> Fact:
    return Fact(predicate="in" if kind_of(place) == BOWL else "on", args=(thing, place))


def _free(scene: Scene, thing: str) -> bool:
    """Return whether a thing can be picked up as it stands."""
    return all(holds(Fact(predicate=p, args=(thing,)), scene) for p in ("reachable", "clear"))


def _can_go(scene: Scene, filled: Scene, thing: str, place: str) -> bool:
    """Return whether a thing can be brought to a place where it is not yet."""
    goal = _goal(thing, place)
    room = free_spot(place, filled, thing) is not None
    return room and _free(scene, thing) and not holds(goal, scene)


@dataclass(slots=True)
class Talk:
    """One dialogue as it goes: a person who speaks, agrees, and corrects at the moment.

    Attributes:
        heard: What the robot has said, and what became of what was said to it.
        taken_up: The world's scene when the correction was taken up, None before.
    """

    agent: Agent
    dialogue: Dialogue
    heard: list[str] = field(default_factory=list)
    taken_up: Scene | None = None
    results: list[MissionResult] = field(default_factory=list)
    corrected: bool = False

    def __post_init__(self) -> None:
        agent = self.agent
        agent.robot.reset(self.dialogue.seed)
        self.scene = agent.estimator.estimate(agent.robot.observe())
        self.before = agent.robot.world.truth()
        self._plainly = False
        self._replies = Replies(self.hear)
        self._conversation = Conversation(
            Gate(agent.config.speech.gate, self.dialogue.transcriber),
            self._understand,
            self.hear,
            self._replies.doing,
            agent.pause,
            agent.robot.stop,
            patience_s=0.0,
        )

    def run(self) -> None:
        """Carry out what is asked for until there is no more."""
        self.say(self.dialogue.command)
        seed: int | None = self.dialogue.seed
        while (command := self._conversation.command(0.0)) is not None or not self.corrected:
            if command is None:
                self._correct()
                continue
            talk, subscribers = self._conversation, [self._replies, self]
            runtime = self.agent.runtime(seed, subscribers)
            self.results.append(
                runtime.run(command, seed, approve=talk.approve, answer=talk.answer, wish=talk.wish)
            )
            talk.ended()
            seed = None

    def say(self, text: str) -> None:
        """Say something to the robot, which hears it well."""
        scores = {**_SCORES, "word_posterior": 0.95, "agreement": 1.0}
        transcript = Transcript(text, 0.95, 0.01, language="en", evidence=scores)
        became, ruled = self._conversation.hear(transcript, 2.5)
        self.heard.append(f"{text}: {became.value}{f', {ruled.cause.value}' if ruled else ''}")

    def hear(self, sentence: str) -> None:
        """Hear the robot say something; agree if it asks whether to, speak plainly if what."""
        self.heard.append(f"“{sentence}”")
        if sentence.endswith("Shall I?"):
            self.say("yes")
        elif sentence.endswith("?") and self.corrected and not self._plainly:
            self._plainly = True
            self.say(self.dialogue.plainly)

    def on_event(self, event: Event) -> None:
        """Correct the robot when the moment has come, and note when it takes that up."""
        match event:
            case SceneEstimated():
                self.scene = event.scene
            case Ticked() if event.time_s >= self.dialogue.at_s:
                self._correct()
            case Corrected():
                self.taken_up = self.agent.robot.world.truth()
            case MissionStarted() if self.results:
                self.taken_up = self.agent.robot.world.truth()

    def missed(self) -> str:
        """Return why the dialogue did not end as it should, nothing where it did."""
        world = self.agent.robot.world
        if not achieved(world, self.dialogue.goals, self.before):
            return "the corrected goal was not reached"
        if self.taken_up is None:
            return "the correction was never taken up"
        truth, then = world.truth(), self.taken_up
        old = [fact for fact in self.dialogue.old if fact not in self.dialogue.goals]
        if any(holds(fact, truth) and not holds(fact, then) for fact in old):
            return "the old goal was insisted on"
        return ""

    def _correct(self) -> None:
        if not self.corrected:
            self.corrected = True
            self.say(self.dialogue.correction)

    def _understand(self, text: str) -> Plan:
        return self.agent.understand(text, self.scene)


def hold(agent: Agent, dialogue: Dialogue) -> dict[str, Any]:
    """Return what came of a dialogue."""
    talk = Talk(agent, dialogue)
    talk.run()
    steps = [step for result in talk.results for step in result.results]
    return {
        "seed": dialogue.seed,
        "kind": dialogue.kind,
        "command": dialogue.command,
        "correction": dialogue.correction,
        "at_s": dialogue.at_s,
        "transcriber": dialogue.transcriber,
        "missions": [result.outcome.value for result in talk.results],
        "steps": [f"{step.subgoal.phrase}: {step.verdict.reason.value}" for step in steps],
        "goals": list(map(str, dialogue.goals)),
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
