"""How well failures are told from successes, by all signals together and by each alone."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import mannwhitneyu

from agent.config import Config
from agent.monitor.calibration import Calibration, SkillCalibration, fused_scores
from agent.monitor.conformal import reach
from agent.monitor.signals import NAMES
from agent.rehearsal.agreement import agreement, over_all
from agent.rehearsal.bench import RehearsalBench, Run
from agent.rehearsal.calibrate import SEEDS_PER_TRY
from agent.skilled import policy_checkpoint
from agent.types import Reason
from skills.checkpoint import weights_hash
from skills.dataset import SKILLS
from skills.evaluate.parallel import parallel
from skills.evaluate.report import Row, report

BASELINES = {
    "timeout": "lateness",
    "spread": "spread",
    "reversals": "reversals",
    "inconsistency": "inconsistency",
}
"""Detector that looks at one signal only -> that signal."""
_TROUBLE = {"drop_per_s": 0.2, "nudge_per_s": 0.2, "jam": 0.5, "delay_ticks": 4}
"""What goes wrong in every second run, for failures are rare without."""


def evaluate_monitor(
    config: Config,
    alpha: float,
    episodes: int,
    seed_base: int,
    workers: int,
    *,
    vlm: bool = False,
) -> dict[str, Any]:
    """Return the report of every skill: half of its runs in a calm world, half in a troubled one.

    Args:
        config: Of the agent, whose policy has been calibrated.
        alpha: Rate of false alarms, 0..1, for which the threshold is set.
        episodes: Runs per skill.
        seed_base: First seed.
        workers: Processes.
        vlm: Whether the model `monitor.vlm` is asked at each run's end, and held against the world.

    Raises:
        CheckpointError: The policy has not been calibrated.
    """
    folder = policy_checkpoint(config)
    calibration = Calibration.beside(folder, weights_hash(folder))
    disturbances = config.robot.disturbances.model_copy(update=_TROUBLE)
    robot = config.robot.model_copy(update={"disturbances": disturbances})
    configs = (config, config.model_copy(update={"robot": robot}))
    seeds = range(seed_base, seed_base + SEEDS_PER_TRY * episodes)
    jobs = {skill: [(skill, seed, seed % 2) for seed in seeds] for skill in SKILLS}
    runs: dict[str, list[Run]] = parallel(
        partial(RehearsalBench, vlm=vlm),
        configs,
        jobs,
        dict.fromkeys(SKILLS, episodes),
        workers,
        "monitor",
    )
    rows = [skill_row(skill, runs[skill], calibration, alpha) for skill in SKILLS]
    ms = np.concatenate([run.read_ms for of_skill in runs.values() for run in of_skill])
    return report(
        "monitor",
        seed_base,
        rows,
        alpha=alpha,
        **_macro(rows),
        **over_all([agreement(of_skill) for of_skill in runs.values()]),
        watch_ms_p99=float(np.percentile(ms, 99)) + _fusing_ms(runs, calibration),
    )


def skill_row(name: str, runs: Sequence[Run], calibration: Calibration, alpha: float) -> Row:
    """Return the row of one skill; its successes are runs that were told right.

    A run's score is the largest that the fused one took; what the rules of the monitor say besides,
    of empty hands and scenes that do not agree, has no part in it.

    Args:
        name: Of the skill.
        runs: Of it.
        calibration: What is usual.
        alpha: Rate of false alarms, 0..1.
    """
    failed = np.array([not run.success for run in runs])
    troubled = np.array([run.troubled for run in runs])
    usual = calibration.skills[name]
    limit = reach(usual.worst, alpha)
    curves = [strays(run, usual) for run in runs]
    scores = np.array([curve.max() for curve in curves])
    alarms = scores > limit
    others = np.array([strays(run, calibration.others[name]).max() for run in runs])
    found = [
        float(run.elapsed_s[np.argmax(curve > limit)])
        for run, curve, alarm, bad in zip(runs, curves, alarms, failed, strict=True)
        if alarm and bad
    ]
    return Row(
        name,
        len(runs),
        int((alarms == failed).sum()),
        {
            "failures": int(failed.sum()),
            "auc": auc(scores, failed),
            "auc_left_out": auc(others, failed),
            "balanced_accuracy": balanced(alarms, failed),
            # Conformal prediction promises this of runs like those it was calibrated on.
            "coverage": share(~alarms[~failed & ~troubled]),
            "coverage_troubled": share(~alarms[~failed & troubled]),
            "detected": share(alarms[failed]),
            "failed_for_s": float(np.mean([r.elapsed_s[-1] for r in runs if not r.success]))
            if failed.any()
            else None,
            "detected_after_s": float(np.mean(found)) if found else None,
            "false_success": share(np.array([r.reason is Reason.DONE for r in runs])[failed]),
            "baselines": {
                baseline: auc(np.array([_most(run, signal) for run in runs]), failed)
                for baseline, signal in BASELINES.items()
            },
            **agreement(runs),
        },
    )


def strays(run: Run, usual: SkillCalibration) -> np.ndarray:
    """Return (ticks,) how many widths the fused score lies above its usual course."""
    band = usual.fused.band
    fused = fused_scores(NAMES, run.readings, usual.signals)
    return np.array([band.strays(tick, score) for tick, score in enumerate(fused)])


def auc(scores: np.ndarray, failed: np.ndarray) -> float | None:
    """Return the area under the ROC curve: how likely a failure scores above a success.

    It is that share of all pairs, ties counting half (Mann and Whitney 1947); None where there are
    only successes, or only failures.
    """
    if failed.all() or not failed.any():
        return None
    bad, good = scores[failed], scores[~failed]
    return float(mannwhitneyu(bad, good).statistic) / (len(bad) * len(good))


def balanced(alarms: np.ndarray, failed: np.ndarray) -> float | None:
    """Return the mean of how many failures are found and how many successes are let pass, 0..1."""
    parts = share(alarms[failed]), share(~alarms[~failed])
    return None if None in parts else sum(p for p in parts if p is not None) / 2


def share(hits: np.ndarray) -> float | None:
    """Return the share of what is true, 0..1; None of nothing."""
    return float(hits.mean()) if len(hits) else None


def _most(run: Run, signal: str) -> float:
    said = run.readings[:, NAMES.index(signal)]
    said = said[np.isfinite(said)]
    return float(said.max()) if len(said) else -math.inf


def _macro(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the means over skills, each counting alike however often it fails."""
    keys = (
        *("auc", "auc_left_out", "balanced_accuracy"),
        *("coverage", "coverage_troubled", "detected_after_s"),
    )
    means = {key: _mean([row.more[key] for row in rows]) for key in keys}
    baselines = {name: _mean([row.more["baselines"][name] for row in rows]) for name in BASELINES}
    return {**means, **{f"auc_{name}_alone": value for name, value in baselines.items()}}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _fusing_ms(runs: Mapping[str, Sequence[Run]], calibration: Calibration) -> float:
    """Return how long fusing takes per tick, ms."""
    began, ticks = time.perf_counter(), 0
    for skill, of_skill in runs.items():
        for run in of_skill[:5]:
            strays(run, calibration.skills[skill])
            ticks += len(run.readings)
    return (time.perf_counter() - began) * 1000 / max(1, ticks)
