"""The rates of hearing: commands in eight voices, and what is no command at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Protocol

import numpy as np

from agent.protocols import Planner, Verifier
from agent.types import FloatArray, Scene, Subgoal
from skills.dataset import in_sight
from skills.evaluate.commands import Command, draw_command, draw_stack, initial_scene
from skills.evaluate.offtopic import OFF_TOPIC, SOUNDS
from skills.evaluate.parallel import parallel
from skills.evaluate.report import Row, report
from skills.evaluate.voices import VOICES, Voice
from skills.evaluate.written import find_cases, load_suite
from skills.registry import load_contracts

_RIGHT, _REFUSED = ("right", "asked_right"), ("rejected",)
_OUTCOMES = (*_RIGHT, "wrong", "asked_wrong", *_REFUSED)
"""What would be done at once, or is asked about first, is what was meant or something else."""
_SEEDS = 3_000
"""Scenes looked at for commands."""
_DRAWS: tuple[Callable[[int], Command | None], ...] = (
    *(partial(draw_command, objects=objects) for objects in (1, 2, 3)),
    draw_stack,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A command, and the seed of the scene it is said in."""

    text: str
    seed: int


@dataclass(frozen=True, slots=True)
class Passed:
    """What was made of a sound: the plan, none of what is refused, and whether a yes is needed."""

    subgoals: tuple[Subgoal, ...]
    asks: bool


class Bench(Protocol):
    """Hears one sound in a scene."""

    def __call__(self, sound: FloatArray, scene: Scene) -> Passed:
        """Return what would be carried out or asked about."""
        ...


def find_commands(
    planner: Planner, verifier: Verifier, seed_base: int, count: int
) -> tuple[Said, ...]:
    """Return commands, drawn ones and written ones half and half; each has a plan in its scene."""
    suite = find_cases(load_suite(), planner, verifier, seed_base, 1)
    written = (Said(case.command, case.seed) for case in suite)
    drawn = islice(_drawn(planner, seed_base), count - min(count // 2, len(suite)))
    return (*islice(written, count // 2), *drawn)


def _drawn(planner: Planner, seed_base: int) -> Iterator[Said]:
    for seed in range(seed_base, seed_base + _SEEDS):
        command = _DRAWS[seed % len(_DRAWS)](seed)
        if command is None:
            continue
        plan = planner.plan(command.text, in_sight(initial_scene(seed)), load_contracts(), ())
        if plan.question is None:
            yield Said(command.text, seed)


class HearingBench:
    """Says a command in one voice, or makes a sound, and tells what came of it."""

    def __init__(self, make_bench: Callable[[], Bench], planner: Planner) -> None:
        """Load what hears; `planner` tells what was meant."""
        self._bench, self._planner = make_bench(), planner

    def __call__(self, job: tuple[Voice | str, Said]) -> str:
        """Run one job: (voice or kind of sound, what is said and where)."""
        how, said = job
        scene = in_sight(initial_scene(said.seed))
        if isinstance(how, str):
            passed = self._bench(SOUNDS[how](np.random.default_rng(said.seed)), scene)
            meant: tuple[Subgoal, ...] = ()
        else:
            passed = self._bench(how.say(said.text), scene)
            meant = self._planner.plan(said.text, scene, load_contracts(), ()).subgoals
        if not passed.subgoals:
            return "rejected"
        right = "right" if passed.subgoals == meant else "wrong"
        return f"asked_{right}" if passed.asks else right


def evaluate_hearing(
    make_bench: Callable[[], Bench],
    planner: Planner,
    commands: Sequence[Said],
    seed_base: int,
    workers: int,
) -> dict[str, Any]:
    """Return the report: commands by voice and engine, then what should all be rejected.

    Args:
        make_bench: Loads what hears; called once in each worker.
        planner: Tells what a command means where it is heard well.
        commands: From `find_commands`.
        seed_base: Where they were looked for.
        workers: Processes.
    """
    jobs: dict[str, list[tuple[Voice | str, Said]]] = {
        voice.label: [(voice, said) for said in commands] for voice in VOICES
    }
    topics = OFF_TOPIC[: len(commands)]
    jobs["off_topic"] = [
        (VOICES[at % len(VOICES)], Said(text, commands[at % len(commands)].seed))
        for at, text in enumerate(topics)
    ]
    for sound in SOUNDS:
        jobs[sound] = [(sound, said) for said in commands[:20]]
    wanted = {name: len(of_row) for name, of_row in jobs.items()}
    found = parallel(HearingBench, (make_bench, planner), jobs, wanted, workers, "speech")
    voices = [_row(voice.label, found[voice.label], _RIGHT) for voice in VOICES]
    engines = {
        str(engine): [r for v in VOICES if v.engine == engine for r in found[v.label]]
        for engine in dict.fromkeys(voice.engine for voice in VOICES)
    }
    engines["flite and festival"] = engines["flite"] + engines["festival"]
    engines["all"] = [result for voice in VOICES for result in found[voice.label]]
    together = [_row(name, results, _RIGHT) for name, results in engines.items()]
    refused = [_row(name, found[name], _REFUSED) for name in ("off_topic", *SOUNDS)]
    return report(
        "speech",
        seed_base,
        voices,
        together=[*together, *refused],
        wrong_rate=engines["all"].count("wrong") / len(engines["all"]),
        misheard=_misheard(jobs, found),
    )


def _row(name: str, results: Sequence[str], wanted: Sequence[str]) -> Row:
    counts = Counter(results)
    codes = {outcome: counts[outcome] for outcome in _OUTCOMES}
    return Row(name, len(results), sum(counts[w] for w in wanted), {"codes": codes})


def _misheard(
    jobs: Mapping[str, Sequence[tuple[Voice | str, Said]]], found: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Return what was said where a wrong plan was passed on, be it with a question."""
    return [
        {"row": name, "command": said.text, "seed": said.seed, "asked": result != "wrong"}
        for name, of_row in jobs.items()
        for (_, said), result in zip(of_row, found[name], strict=True)
        if result in ("wrong", "asked_wrong")
    ]
