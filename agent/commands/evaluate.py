"""`bosun eval`: rates with their uncertainty, by the world's truth."""

from __future__ import annotations

import argparse
import json
import resource
import sys
from functools import partial
from typing import Any

from rich.console import Console as Terminal

from agent.config import Config, load_config
from agent.errors import UsageError, unknown

_ALL = "all"
_DROP_PER_S = 0.15


def evaluate(args: argparse.Namespace) -> int:
    """Run one suite and print its report."""
    config = load_config(args.config, args.overrides)
    report = _SUITES[args.suite](args, config)
    # Kilobytes on Linux; workers are children, and the largest counts.
    peak = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    report["peak_memory_mb"] = round(peak / 1024)
    if args.json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        _print(report)
    return 0


def _skills(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    from agent.build import policy_checkpoint
    from skills.evaluate.rates import AXES, evaluate_axes, evaluate_skills
    from skills.policy.policy import VLAPolicy

    make_policy = partial(VLAPolicy.from_checkpoint, policy_checkpoint(config))
    if args.vary:
        for name in args.vary:
            if name not in (*AXES, _ALL):
                raise UsageError(unknown("axis", name, (*AXES, _ALL)))
        axes = tuple(AXES) if _ALL in args.vary else tuple(dict.fromkeys(args.vary))
        return evaluate_axes(make_policy, axes, args.episodes, args.seed_base, args.workers)
    return evaluate_skills(
        make_policy, args.episodes, args.seed_base, args.workers, heldout=args.heldout
    )


def _scene(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    from agent.build import scene_checkpoint
    from skills.evaluate.scene import evaluate_scene
    from skills.perception.estimator import NetworkEstimator

    if args.plot is not None and not args.plot.parent.is_dir():
        raise UsageError(f"There is no folder {args.plot.parent} for {args.plot.name}; make it.")
    return evaluate_scene(
        partial(NetworkEstimator.from_checkpoint, scene_checkpoint(config)),
        args.episodes,
        args.seed_base,
        args.workers,
        threshold=config.monitor.presence_threshold,
        plot=args.plot,
    )


def _missions(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    from agent.build import planner, verifier
    from agent.mission import TruthBench
    from skills.evaluate.missions import evaluate_generated
    from skills.evaluate.written import evaluate_written, find_cases, load_suite

    make_bench = partial(TruthBench, config)
    if args.commands == "generated":
        return evaluate_generated(make_bench, args.episodes, args.seed_base, args.workers)
    suite = load_suite()
    each = max(1, round(args.episodes / sum(map(len, suite.values()))))
    cases = find_cases(suite, planner(config), verifier(config), args.seed_base, each)
    return evaluate_written(make_bench, cases, args.seed_base, args.workers, flat=args.flat)


def _disturbances(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    """Compare replanning with carrying on without, where the hand drops things."""
    from agent.mission import TruthBench
    from skills.evaluate.missions import evaluate_disturbances

    drops = config.robot.disturbances.model_copy(update={"drop_per_s": _DROP_PER_S})
    robot = config.robot.model_copy(update={"disturbances": drops})
    once = config.budget.model_copy(update={"replans": 0, "attempts": 1})
    replanning = config.model_copy(update={"robot": robot})
    without = replanning.model_copy(update={"budget": once})
    cells = {
        f"drop={_DROP_PER_S}/without_replanning": partial(TruthBench, without),
        f"drop={_DROP_PER_S}/replanning": partial(TruthBench, replanning),
    }
    return evaluate_disturbances(cells, args.episodes, args.seed_base, args.workers)


def _monitor(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    from agent.rehearsal.calibrate import calibrate
    from agent.rehearsal.detection import evaluate_monitor

    if args.calibrate:
        return calibrate(config, args.episodes, args.seed_base, args.workers)
    alpha = config.monitor.alpha
    if alpha is None:
        raise UsageError("Nothing is called unusual while monitor.alpha is none; set it, say 0.05.")
    return evaluate_monitor(config, alpha, args.episodes, args.seed_base, args.workers)


_SUITES = {
    "skills": _skills,
    "scene": _scene,
    "missions": _missions,
    "disturbances": _disturbances,
    "monitor": _monitor,
}


def _print(report: dict[str, Any]) -> None:
    terminal = Terminal(highlight=False, soft_wrap=True)
    for row in report["rows"]:
        terminal.print(
            f"{row['name']:32} {row['successes']:4}/{row['episodes']:<4} "
            f"{row['rate']:6.1%}  [{row['low']:.1%}, {row['high']:.1%}]"
        )
    for key, value in report.items():
        if isinstance(value, float | int) and key != "seed_base":
            terminal.print(f"{key}: {value:.4g}")
