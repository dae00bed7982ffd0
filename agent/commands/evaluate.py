"""`bosun eval`: rates with their uncertainty, by the world's truth."""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console as Terminal

from agent.config import Config, load_config
from agent.errors import UsageError, unknown
from agent.sections.source import BOSUN

if TYPE_CHECKING:
    from skills.evaluate.hearing import Bench
    from skills.evaluate.ledger import Ledger

_ALL = "all"
_DISTURBED: dict[str, dict[str, float]] = {
    "drop=0": {},
    "drop=0.15": {"drop_per_s": 0.15},
    "drop=0.3": {"drop_per_s": 0.3},
    "shift=1": {"shift_cm": 1.0},
    "shift=2": {"shift_cm": 2.0},
    "shift=3": {"shift_cm": 3.0},
}
"""What goes wrong in a cell: drops per second of carrying, or cm that things slip when let go."""


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
    from agent.skilled import policy_checkpoint
    from skills.evaluate.rates import AXES, evaluate_axes, evaluate_skills
    from skills.policy.policy import VLAPolicy

    _needs_ours(config)
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


def _needs_ours(config: Config) -> None:
    """Refuse to measure our own weights where another policy is configured."""
    if config.policy.source != BOSUN:
        raise UsageError(
            f"This measures Bosun's own weights, but policy.source is {config.policy.source}; "
            f"--set policy.source={BOSUN}, or measure it with `bosun eval missions`."
        )


def _scene(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    from agent.build import scene_checkpoint
    from skills.evaluate.scene import evaluate_scene
    from skills.perception.estimator import NetworkEstimator

    _need_folders(args.plot)
    return evaluate_scene(
        partial(NetworkEstimator.from_checkpoint, scene_checkpoint(config)),
        args.episodes,
        args.seed_base,
        args.workers,
        threshold=config.monitor.presence_threshold,
        plot=args.plot,
    )


def _need_folders(*paths: Path | None) -> None:
    """Refuse files that cannot be written in the end, before anything is measured."""
    for path in paths:
        if path is not None and not path.parent.is_dir():
            raise UsageError(f"There is no folder {path.parent} for {path.name}; make it.")


def _missions(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    from agent.build import grammar, verifier
    from agent.mission import TruthBench
    from skills.evaluate.missions import evaluate_generated
    from skills.evaluate.written import evaluate_written, find_cases, load_suite

    make_bench = partial(TruthBench, config)
    if args.commands == "generated":
        return evaluate_generated(make_bench, args.episodes, args.seed_base, args.workers)
    suite = load_suite()
    each = max(1, round(args.episodes / sum(map(len, suite.values()))))
    cases = find_cases(suite, grammar(config), verifier(config), args.seed_base, each)
    return evaluate_written(make_bench, cases, args.seed_base, args.workers, flat=args.flat)


def _disturbances(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    """Compare ways to watch, where the hand drops things or they do not stay where they are put."""
    from agent.mission import TruthBench, Watching
    from skills.evaluate.missions import evaluate_disturbances
    from skills.evaluate.table import plot_cells, write_cells

    cells = {f"{d}/{w}": (d, w) for d in _DISTURBED for w in Watching}
    chosen = cells if args.cells is None else [cell.strip() for cell in args.cells.split(",")]
    for cell in chosen:
        if cell not in cells:
            raise UsageError(unknown("cell", cell, cells))
    _need_folders(args.keep, args.csv, args.plot)
    benches = {}
    for cell in dict.fromkeys(chosen):
        disturbed, watching = cells[cell]
        disturbances = config.robot.disturbances.model_copy(update=_DISTURBED[disturbed])
        robot = config.robot.model_copy(update={"disturbances": disturbances})
        changed = config.model_copy(update={"robot": robot})
        benches[cell] = partial(TruthBench, changed, watching)
    report = evaluate_disturbances(
        benches, args.episodes, args.seed_base, args.workers, _ledger(args, config)
    )
    if args.csv is not None:
        write_cells(args.csv, report["rows"])
    if args.plot is not None:
        plot_cells(args.plot, report["rows"])
    return report


def _causes(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    """Hold what the agent says of a failure against what was done to it."""
    from agent.mission import TruthBench
    from skills.evaluate.causes import CAUSES, ONCE, evaluate_causes

    _need_folders(args.keep)
    benches = {
        name: partial(
            TruthBench, load_config(args.config, [*args.overrides, *ONCE, *cause.settings])
        )
        for name, cause in CAUSES.items()
    }
    return evaluate_causes(
        benches, args.episodes, args.seed_base, args.workers, _ledger(args, config)
    )


def _ledger(args: argparse.Namespace, config: Config) -> Ledger | None:
    """Return where missions are kept: a file about these networks and these settings."""
    from agent.build import scene_checkpoint
    from agent.skilled import policy_checkpoint
    from skills.checkpoint import weights_hash
    from skills.evaluate.ledger import Ledger
    from skills.evaluate.missions import Drawn

    if args.keep is None:
        return None
    settings = hashlib.sha256(config.model_dump_json().encode()).hexdigest()[:16]
    weights = [weights_hash(f(config)) for f in (policy_checkpoint, scene_checkpoint)]
    about = f"{args.suite}, weights {' and '.join(weights)}, settings {settings}"
    return Ledger(args.keep, about, Drawn | None)


def _monitor(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    from agent.rehearsal.calibrate import calibrate
    from agent.rehearsal.detection import evaluate_monitor

    _needs_ours(config)
    if args.vlm and config.monitor.vlm is None:
        raise UsageError(
            "No model is configured that --vlm could ask; --set monitor.vlm=PROVIDER:MODEL."
        )
    if args.calibrate:
        return calibrate(config, args.episodes, args.seed_base, args.workers)
    alpha = config.monitor.alpha
    if alpha is None:
        raise UsageError("monitor.alpha is none, so nothing is unusual; --set monitor.alpha=0.05.")
    return evaluate_monitor(
        config, alpha, args.episodes, args.seed_base, args.workers, vlm=args.vlm
    )


def _speech(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    from agent.build import grammar, verifier
    from agent.rehearsal.hearing import TranscriberBench
    from skills.evaluate.hearing import evaluate_hearing, find_commands

    planner = grammar(config)
    commands = find_commands(planner, verifier(config), args.seed_base, args.episodes)
    make_bench: Callable[[], Bench] = partial(TranscriberBench, config)
    if args.capture:
        from agent.rehearsal.capture import CapturedBench

        make_bench = partial(CapturedBench, make_bench)
    return evaluate_hearing(make_bench, planner, commands, args.seed_base, args.workers)


_SUITES = {
    "skills": _skills,
    "scene": _scene,
    "missions": _missions,
    "disturbances": _disturbances,
    "causes": _causes,
    "monitor": _monitor,
    "speech": _speech,
}


def _print(report: dict[str, Any]) -> None:
    terminal = Terminal(highlight=False, soft_wrap=True)
    for row in report["rows"]:
        codes = "  ".join(f"{code} {count}" for code, count in row.get("codes", {}).items())
        terminal.print(
            f"{row['name']:32} {row['successes']:4}/{row['episodes']:<4} "
            f"{row['rate']:6.1%}  [{row['low']:.1%}, {row['high']:.1%}]  {codes}".rstrip()
        )
        seen = {key: value for key, value in row.items() if key.startswith("vlm_")}
        if seen:
            told = "  ".join(f"{key[4:]} {_short(value)}" for key, value in seen.items())
            terminal.print(f"{'  vlm':32} {told}")
    for key, value in report.items():
        if isinstance(value, float | int) and key != "seed_base":
            terminal.print(f"{key}: {value:.4g}")


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
