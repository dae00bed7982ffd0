"""The rates of learned skills: as taught, in other words, and with one thing unlike training."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from agent.protocols import Policy
from agent.robots.tabletop.layout import TableLook, Variation
from skills.evaluate.parallel import parallel
from skills.evaluate.report import Row, report
from skills.evaluate.skills import HELDOUT, SUITE, SWAP, SkillBench, Trial

AXES: dict[str, Variation] = {
    "light": Variation(light=2.0),
    "camera": Variation(camera_m=0.03, camera_rad=math.radians(3), camera_exact=True),
    "table": Variation(table=TableLook.UNSEEN),
    "distractors": Variation(distractors=1.0),
    "start": Variation(start=3.0),
    "outside": Variation(outside_m=0.03),
}
"""What robustness is measured against, each alone; `Variation` says what the numbers mean."""
_SEEDS_PER_TRY = 40
"""Scenes looked at for each try wanted; the rarest task needs far fewer."""


def evaluate_skills(
    make_policy: Callable[[], Policy],
    episodes: int,
    seed_base: int,
    workers: int,
    *,
    heldout: bool = False,
) -> dict[str, Any]:
    """Return the report of every learned skill, and of the instruction swap.

    Each row walks the scenes from `seed_base` on and passes over those without its task, so that
    every row has as many episodes as asked for.

    Args:
        make_policy: Loads the policy; called once in each worker.
        episodes: Tries per row.
        seed_base: First seed.
        workers: Processes.
        heldout: Give the policy sentences it was never trained on, turn by turn, instead of the
            canonical ones; the same calls in the same scenes.
    """
    names = tuple(skill + HELDOUT for skill in SUITE) if heldout else (*SUITE, SWAP)
    jobs = _jobs(names, seed_base, episodes)
    found: dict[str, list[Trial]] = parallel(
        SkillBench, (make_policy,), jobs, dict.fromkeys(names, episodes), workers, "skills"
    )
    rows = [_row(name, found[name]) for name in names]
    return report("skills", seed_base, rows, **_times(list(found.values())))


def evaluate_axes(
    make_policy: Callable[[], Policy],
    axes: Sequence[str],
    episodes: int,
    seed_base: int,
    workers: int,
) -> dict[str, Any]:
    """Return the report of robustness: a row `axis/<name>` for each of some of `AXES`.

    Args:
        make_policy: Loads the policy; called once in each worker.
        axes: Names of `AXES`.
        episodes: Tries per axis, spread evenly over the skills.
        seed_base: First seed.
        workers: Processes.
    """
    wanted = {
        skill: episodes // len(SUITE) + (index < episodes % len(SUITE))
        for index, skill in enumerate(SUITE)
    }
    rows, trials = [], []
    for axis in axes:
        jobs = _jobs(SUITE, seed_base, max(wanted.values()))
        found: dict[str, list[Trial]] = parallel(
            SkillBench, (make_policy, AXES[axis]), jobs, wanted, workers, axis
        )
        of_axis = [trial for of_skill in found.values() for trial in of_skill]
        skills = {skill: _share(of_skill) for skill, of_skill in found.items()}
        rows.append(_row(f"axis/{axis}", of_axis, {"skills": skills}))
        trials.append(of_axis)
    return report("skills", seed_base, rows, **_times(trials))


def _jobs(names: Sequence[str], seed_base: int, episodes: int) -> dict[str, list[tuple[str, int]]]:
    seeds = range(seed_base, seed_base + _SEEDS_PER_TRY * episodes)
    return {name: [(name, seed) for seed in seeds] for name in names}


def _row(name: str, trials: Sequence[Trial], more: Mapping[str, Any] | None = None) -> Row:
    """Return a row with what a person asks next: which ones failed, on what, told how."""
    failed = [trial for trial in trials if not trial.success]
    return Row(
        name,
        len(trials),
        len(trials) - len(failed),
        {
            "claimed": sum(t.claimed for t in trials),
            "claimed_falsely": sum(t.claimed for t in failed),
            "another_held": sum(t.instead is not None for t in failed),
            "ticks_mean": float(np.mean([t.ticks for t in trials])) if trials else 0.0,
            "failed_seeds": [t.seed for t in failed],
            "failed": [
                {"seed": t.seed, "phrase": t.phrase, "claimed": t.claimed, "ticks": t.ticks}
                for t in failed
            ],
            "by_object": _by(trials, lambda t: t.args["object"]),
            "by_target": _by(trials, lambda t: t.args.get("target") or t.args.get("direction")),
            **(more or {}),
        },
    )


def _by(trials: Sequence[Trial], key: Callable[[Trial], str | None]) -> dict[str, dict[str, float]]:
    """Return the share of each value of a key; trials without one are left out."""
    groups: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        if (value := key(trial)) is not None:
            groups[value].append(trial)
    return {value: _share(groups[value]) for value in sorted(groups)}


def _share(trials: Sequence[Trial]) -> dict[str, float]:
    """Return how many of some tries succeeded."""
    successes = sum(trial.success for trial in trials)
    rate = successes / len(trials) if trials else 0.0
    return {"episodes": len(trials), "successes": successes, "rate": rate}


def _times(trials: Sequence[Sequence[Trial]]) -> dict[str, Any]:
    """Return how long one inference takes, ms; None when there was none."""
    times = [ms for of_row in trials for trial in of_row for ms in trial.infer_ms]
    return {
        "infer_ms_median": float(np.median(times)) if times else None,
        "infer_ms_p99": float(np.percentile(times, 99)) if times else None,
    }
