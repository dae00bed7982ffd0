"""Missions from drawn commands: how many succeed, and whether the agent knows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from agent.types import Fact, MissionOutcome, Reason
from skills.evaluate.commands import Command, draw_command, draw_stack
from skills.evaluate.ledger import Ledger
from skills.evaluate.parallel import parallel
from skills.evaluate.report import Row, report

COUNTS = (1, 2, 3)
SEEDS_PER_MISSION = 10
"""Scenes looked at for each mission wanted."""


@dataclass(frozen=True, slots=True)
class Record:
    """What came of one mission.

    Attributes:
        outcome: The agent's own.
        world_success: Whether the goals hold in truth.
        replans: New plans.
        seconds: Robot time.
        wall_s: Wall-clock time.
        reasons: Why each subgoal ended, looks from home aside.
        alarms: How many of these were broken off while they ran.
    """

    outcome: MissionOutcome
    world_success: bool
    replans: int
    seconds: float
    wall_s: float
    reasons: tuple[Reason, ...] = ()
    alarms: int = 0


Drawn = tuple[int, str, Record]
"""A mission's seed, its command and what came of it."""


class Bench(Protocol):
    """Runs a command in the scene of a seed and scores it against given goals."""

    def __call__(self, command: str, seed: int, goals: Sequence[Fact]) -> Record:
        """Run one mission."""
        ...


class MissionBench:
    """Draws the command of a seed and runs it."""

    def __init__(
        self, make_bench: Callable[[], Bench], draw: Callable[[int], Command | None]
    ) -> None:
        """Load an agent; `draw` returns the command of a seed."""
        self._bench, self._draw = make_bench(), draw

    def __call__(self, seed: int) -> Drawn | None:
        """Run one mission; None where that scene has no such command."""
        command = self._draw(seed)
        if command is None:
            return None
        return seed, command.text, self._bench(command.text, seed, command.goals)


def run_missions(
    name: str,
    make_bench: Callable[[], Bench],
    draw: Callable[[int], Command | None],
    first_seed: int,
    episodes: int,
    workers: int,
    ledger: Ledger | None = None,
) -> list[Drawn]:
    """Run the missions of one row over the first seeds that have such a command."""
    jobs = {name: range(first_seed, first_seed + SEEDS_PER_MISSION * episodes)}
    arguments = (make_bench, draw)
    return parallel(MissionBench, arguments, jobs, {name: episodes}, workers, name, ledger)[name]


def mission_row(name: str, missions: Sequence[Drawn]) -> Row:
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
            "alarms": _alarms(records),
            "realtime_factor": sum(r.seconds for r in records) / sum(r.wall_s for r in records),
            "failed": [
                {"seed": seed, "command": text, "outcome": r.outcome.value}
                for seed, text, r in missions
                if not r.world_success
            ],
        },
    )


def _alarms(records: Sequence[Record]) -> float:
    """Return the share of subgoals that the monitor broke off while they ran, 0..1."""
    subgoals = sum(len(record.reasons) for record in records)
    return sum(record.alarms for record in records) / subgoals if subgoals else 0.0


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
        start = seed_base + index * SEEDS_PER_MISSION * episodes
        name = f"{count} object{'s' if count > 1 else ''}"
        draw = partial(draw_command, objects=count)
        missions = run_missions(name, make_bench, draw, start, share, workers)
        rows.append(mission_row(name, missions))
        records += [record for _, _, record in missions]
    overall = sum(r.world_success for r in records) / len(records)
    return report("missions", seed_base, rows, overall=overall, **honesty(records))


def evaluate_disturbances(
    make_benches: Mapping[str, Callable[[], Bench]],
    episodes: int,
    seed_base: int,
    workers: int,
    ledger: Ledger | None = None,
) -> dict[str, Any]:
    """Return the report of three blocks stacked in order, a row per cell, all on the same seeds.

    The protocol is that of Zhou et al. 2024 (arXiv 2412.04455, table 1).

    Args:
        make_benches: Cell -> what loads its agent.
        episodes: Missions per cell.
        seed_base: First seed.
        workers: Processes.
        ledger: Keeps every mission.
    """
    rows, records = [], []
    for name, make_bench in make_benches.items():
        missions = run_missions(name, make_bench, draw_stack, seed_base, episodes, workers, ledger)
        rows.append(mission_row(name, missions))
        records += [record for _, _, record in missions]
    return report("disturbances", seed_base, rows, **honesty(records))
