"""Missions from drawn commands: how many succeed, and whether the agent knows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from agent.types import Fact, MissionOutcome
from skills.evaluate.commands import draw_command
from skills.evaluate.parallel import parallel
from skills.evaluate.report import Row, report

COUNTS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Record:
    """What came of one mission.

    Attributes:
        outcome: The agent's own.
        world_success: Whether the goals hold in truth.
        replans: New plans.
        seconds: Robot time.
        wall_s: Wall-clock time.
    """

    outcome: MissionOutcome
    world_success: bool
    replans: int
    seconds: float
    wall_s: float


class Bench(Protocol):
    """Runs a command in the scene of a seed and scores it against given goals."""

    def __call__(self, command: str, seed: int, goals: Sequence[Fact]) -> Record:
        """Run one mission."""
        ...


class MissionBench:
    """Draws the command of a job and runs it."""

    def __init__(self, make_bench: Callable[[], Bench]) -> None:
        """Load an agent."""
        self._bench = make_bench()

    def __call__(self, job: tuple[int, int]) -> tuple[int, str, Record] | None:
        """Run one job, (seed, objects); None where that scene has no such command."""
        seed, objects = job
        command = draw_command(seed, objects)
        if command is None:
            return None
        return seed, command.text, self._bench(command.text, seed, command.goals)


def run_row(
    name: str,
    make_bench: Callable[[], Bench],
    seeds: range,
    objects: int,
    episodes: int,
    workers: int,
) -> tuple[Row, list[Record]]:
    """Run the missions of one row over the first seeds that have such a command."""
    jobs = {name: [(seed, objects) for seed in seeds]}
    results = parallel(MissionBench, (make_bench,), jobs, {name: episodes}, workers, name)[name]
    return mission_row(name, results), [record for _, _, record in results]


def mission_row(name: str, missions: Sequence[tuple[int, str, Record]]) -> Row:
    """Return the row of some missions, each the seed, the command and what came of it."""
    records = [record for _, _, record in missions]
    return Row(
        name,
        len(records),
        sum(r.world_success for r in records),
        {
            "outcomes": {
                o.value: sum(r.outcome is o for r in records)
                for o in MissionOutcome
                if any(r.outcome is o for r in records)
            },
            "replans_mean": float(np.mean([r.replans for r in records])),
            "seconds_mean": float(np.mean([r.seconds for r in records])),
            "realtime_factor": sum(r.seconds for r in records) / sum(r.wall_s for r in records),
            "failed": [
                {"seed": seed, "command": text, "outcome": r.outcome.value}
                for seed, text, r in missions
                if not r.world_success
            ],
        },
    )


def honesty(records: Sequence[Record]) -> dict[str, Any]:
    """Return how often the agent's word and the world's truth agree, and false claims, 0..1."""
    claims = [(r.outcome is MissionOutcome.SUCCESS, r.world_success) for r in records]
    return {
        "agreement": sum(said == true for said, true in claims) / len(claims),
        "false_success": sum(said and not true for said, true in claims) / len(claims),
    }


def evaluate_generated(
    make_bench: Callable[[], Bench], episodes: int, seed_base: int, workers: int
) -> dict[str, Any]:
    """Return the report over commands of one to three objects, `episodes` in all."""
    rows, records = [], []
    for index, count in enumerate(COUNTS):
        share = episodes // len(COUNTS) + (index < episodes % len(COUNTS))
        if share == 0:
            continue
        start = seed_base + index * 10 * episodes
        name = f"{count} object{'s' if count > 1 else ''}"
        row, of_row = run_row(
            name, make_bench, range(start, start + 10 * episodes), count, share, workers
        )
        rows.append(row)
        records += of_row
    overall = sum(r.world_success for r in records) / len(records)
    return report("missions", seed_base, rows, overall=overall, **honesty(records))


def evaluate_disturbances(
    make_benches: Mapping[str, Callable[[], Bench]], episodes: int, seed_base: int, workers: int
) -> dict[str, Any]:
    """Return the report of missions of two objects, one row per cell, all on the same seeds."""
    rows, records = [], []
    for name, make_bench in make_benches.items():
        row, of_row = run_row(
            name, make_bench, range(seed_base, seed_base + 10 * episodes), 2, episodes, workers
        )
        rows.append(row)
        records += of_row
    return report("disturbances", seed_base, rows, **honesty(records))
