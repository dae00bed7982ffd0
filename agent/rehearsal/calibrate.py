"""Learns what is usual of every skill from tries that succeed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from agent.config import Config
from agent.errors import UsageError
from agent.monitor.calibration import FILE, Calibration, Readings, calibrated
from agent.monitor.signals import LEAST
from agent.rehearsal.bench import RehearsalBench, Run
from agent.skilled import policy_checkpoint
from skills.checkpoint import weights_hash
from skills.dataset import SKILLS
from skills.evaluate.parallel import parallel
from skills.evaluate.report import Row, report

SEEDS_APART = 1_000_000
"""How far the seeds of calibration lie above those of measurement."""
SEEDS_PER_TRY = 40
_LEAST = 8
"""Successes of a skill without which nothing can be said to be usual of it."""


def calibrate(config: Config, episodes: int, seed_base: int, workers: int) -> dict[str, Any]:
    """Try every skill, write what is usual beside the checkpoint, and return the report.

    Args:
        config: Of the agent; its disturbances should be none.
        episodes: Tries per skill.
        seed_base: First seed of measurement, from which those of calibration keep apart.
        workers: Processes.

    Raises:
        UsageError: The file cannot be written, or a skill hardly ever succeeds.
    """
    first = seed_base + SEEDS_APART
    seeds = range(first, first + SEEDS_PER_TRY * episodes)
    jobs = {skill: [(skill, seed, 0) for seed in seeds] for skill in SKILLS}
    runs: dict[str, list[Run]] = parallel(
        RehearsalBench, (config,), jobs, dict.fromkeys(SKILLS, episodes), workers, "calibrate"
    )
    usual = {skill: [r.readings for r in runs[skill] if r.success] for skill in SKILLS}
    folder = policy_checkpoint(config)
    _write(folder / FILE, learned(usual, weights_hash(folder)))
    rows = [Row(s, len(runs[s]), sum(r.success for r in runs[s])) for s in SKILLS]
    return report("monitor", first, rows, file=str(folder / FILE))


def learned(usual: Mapping[str, Sequence[Readings]], weights: str) -> Calibration:
    """Return what is usual, of every skill and of all the others taken together.

    Args:
        usual: Skill -> (ticks, signals) readings of its successes.
        weights: Hash of the policy's.

    Raises:
        UsageError: A skill hardly ever succeeds.
    """
    for skill, runs in usual.items():
        if len(runs) < _LEAST:
            raise UsageError(
                f"There are {len(runs)} successes of {skill!r}, too few to say what is usual of "
                f"it; {_LEAST} are needed, and a low rate of false alarms needs more --episodes."
            )
    fit = partial(calibrated, LEAST)
    digest = hashlib.sha256()
    for skill in usual:
        for run in usual[skill]:
            digest.update(run.tobytes())
    return Calibration(
        checkpoint=weights,
        data=digest.hexdigest()[:16],
        skills={skill: fit(runs, np.random.default_rng(0)) for skill, runs in usual.items()},
        others={
            skill: fit(
                [run for other, runs in usual.items() if other != skill for run in runs],
                np.random.default_rng(0),
            )
            for skill in usual
        },
    )


def _write(path: Path, made: Calibration) -> None:
    try:
        path.write_text(made.model_dump_json() + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
