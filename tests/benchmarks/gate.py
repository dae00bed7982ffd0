"""Measures from which scores of a transcriber the gate should accept and refuse.

`python -m tests.benchmarks.gate --transcriber pocketsphinx --plot gate.png` has synthetic voices
say commands and other sentences, adds noises, and lets a transcriber hear them all. It prints a
line of JSON: for each score the bounds that would lose one in twenty commands that were heard
right, and let one in a hundred of all else pass without a question; and what the gate as it is
configured makes of every kind of sound. The plot shows for each score how much of both is let
through.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from agent.config import Config, load_config
from agent.planner.grammar import GrammarPlanner
from agent.protocols import Transcript
from agent.speech.gate import Gate, scores
from agent.speech.reading import Reading, read
from agent.transcription import open_transcriber
from agent.types import FloatArray
from skills.evaluate.voices import VOICES, Voice
from skills.registry import load_contracts
from tests.scenes import scene
from tests.speech.noises import HZ, NOISES

COMMANDS = (
    "put the red block in the blue bowl",
    "pick up the green block",
    "put the blue block on the plate",
    "push the yellow block to the left",
    "put the yellow block in the white bowl",
    "pick up the red block and put it on the plate",
    "put the green block on the red block",
    "go home",
    "put the red block on the left and then the blue block on the right",
    "put all blocks in the blue bowl",
)
OTHER = (
    "what is the weather like today",
    "i have to call my sister this evening",
    "the train was late again this morning",
    "did you see the game last night",
    "we need more coffee for the kitchen",
    "she said the meeting is at ten",
    "how much does this phone cost",
    "my bicycle has a flat tyre",
    "please send me the report by friday",
    "that film was far too long",
)
RIGHT = "command heard right"
LOST, PASSED = 0.05, 0.01
"""Share of commands heard right that refusing may lose, and of all else that accepting may pass."""
_SIZE, _EDGE = 260, 24


@dataclass(frozen=True)
class Heard:
    """One sound, what it was and what became of it."""

    kind: str
    transcript: Transcript
    seconds: float
    reading: Reading


def listen(config: Config, voices: Sequence[Voice], each: int, cache: Path) -> list[Heard]:
    """Return everything that a transcriber made of commands, other sentences and noises.

    Args:
        config: Names the transcriber.
        voices: Say every sentence.
        each: Sentences and noises of each kind.
        cache: Folder for what was said.
    """
    planner, contracts, there = GrammarPlanner(), load_contracts(), scene()
    transcriber = open_transcriber(config, contracts)
    transcriber.expect(there)
    heard = []
    for kind, said, sound in _sounds(voices, each, cache):
        transcript = transcriber.transcribe(sound)
        reading = read(transcript, lambda text: planner.plan(text, there, contracts, ()))
        meant = planner.plan(said, there, contracts, ()).subgoals if said else ()
        if kind == "command":
            kind = RIGHT if reading.plan.subgoals == meant else "command heard wrong"
        heard.append(Heard(kind, transcript, len(sound) / HZ, reading))
    return heard


def _sounds(
    voices: Sequence[Voice], each: int, cache: Path
) -> Iterator[tuple[str, str, FloatArray]]:
    """Yield what a sound is, the words of a command, and the sound."""
    for voice in voices:
        for said in COMMANDS[:each]:
            yield "command", said, voice.say(said, cache)
        for said in OTHER[:each]:
            yield "other speech", "", voice.say(said, cache)
    rng = np.random.default_rng(0)
    for name, make in NOISES.items():
        for _ in range(each):
            yield name, "", make(rng, float(rng.uniform(0.5, 5)))


def measure(config: Config, heard: Sequence[Heard]) -> dict[str, Any]:
    """Return what `python -m tests.benchmarks.gate` prints."""
    gate = Gate(config.speech.gate, config.speech.transcriber, confirm=False)
    rulings: dict[str, Counter[str]] = {}
    for one in heard:
        decision = gate.decide(one.transcript, one.seconds, one.reading)
        rulings.setdefault(one.kind, Counter())[decision.ruling.value] += 1
    return {
        "transcriber": config.speech.transcriber,
        "rulings": rulings,
        "bounds": {name: _bound(*values) for name, values in _values(heard).items()},
    }


def _values(heard: Sequence[Heard]) -> dict[str, tuple[list[float], list[float]]]:
    """Return each score's values over commands heard right, and over all else with a plan."""
    names = dict.fromkeys(name for one in heard for name in scores(one.transcript))
    told: dict[str, tuple[list[float], list[float]]] = {}
    for name in names:
        right, wrong = told.setdefault(name, ([], []))
        for one in heard:
            # What the planner does not understand moves nothing, whatever its scores.
            if name in (values := scores(one.transcript)) and one.reading.plan.subgoals:
                (right if one.kind == RIGHT else wrong).append(values[name])
    return told


def _bound(right: Sequence[float], wrong: Sequence[float]) -> dict[str, Any]:
    """Return where one score should accept and refuse, as far as there is something to tell."""
    told: dict[str, Any] = {"right": len(right), "wrong": len(wrong)}
    if not right:
        return told
    sign = 1.0 if not wrong or np.median(right) >= np.median(wrong) else -1.0
    good, bad = sign * np.array(right), sign * np.array(wrong)
    reject = np.quantile(good, LOST)
    told["reject"] = round(float(sign * reject), 4)
    if wrong:
        accept = np.quantile(bad, 1 - PASSED)
        told["accept"] = round(float(sign * accept), 4)
        told["right_accepted"] = round(float(np.mean(good > accept)), 3)
        told["wrong_refused"] = round(float(np.mean(bad < reject)), 3)
    return told


def draw(path: Path, heard: Sequence[Heard]) -> None:
    """Draw, for each score, the share of right (green) and wrong (red) ones above a limit."""
    told = {name: both for name, both in _values(heard).items() if any(both)}
    image = Image.new(
        "RGB", (max(len(told), 1) * (_SIZE + _EDGE) + _EDGE, _SIZE + 3 * _EDGE), "white"
    )
    pen = ImageDraw.Draw(image)
    for number, (name, both) in enumerate(told.items()):
        left, top = _EDGE + number * (_SIZE + _EDGE), 2 * _EDGE
        low, high = min(both[0] + both[1]), max(both[0] + both[1])
        limits = np.linspace(low, high, _SIZE)
        pen.rectangle((left, top, left + _SIZE, top + _SIZE), outline="grey")
        pen.text((left, _EDGE // 2), f"{name}: {low:.3g} to {high:.3g}", fill="black")
        coloured = [(v, c) for v, c in zip(both, ("green", "red"), strict=True) if v]
        for values, colour in coloured:
            above = [float(np.mean(np.array(values) >= limit)) for limit in limits]
            line = [(left + x, top + _SIZE * (1 - share)) for x, share in enumerate(above)]
            pen.line(line, fill=colour, width=2)
    image.save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transcriber", default="pocketsphinx")
    parser.add_argument("--each", type=int, default=len(COMMANDS))
    parser.add_argument("--voices", type=int, default=len(VOICES))
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("runs/voices"))
    args = parser.parse_args()
    config = load_config(None, [f"speech.transcriber={args.transcriber}"])
    heard = listen(config, VOICES[: args.voices], args.each, args.cache)
    if args.plot is not None:
        draw(args.plot, heard)
    sys.stdout.write(json.dumps(measure(config, heard)) + "\n")


if __name__ == "__main__":
    main()
