"""`bosun collect` and `bosun train`: from teachers to checkpoints."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from agent.errors import UsageError, unknown

EVALUATION_SEEDS = 1_000_000
"""Seeds from here on are kept for evaluation."""


def collect(args: argparse.Namespace) -> int:
    """Fill a data folder."""
    if args.seed_base + args.count > EVALUATION_SEEDS:
        raise UsageError(
            f"Seeds from {EVALUATION_SEEDS:,} on are kept for evaluation; choose a smaller "
            "--seed-base or --count."
        )
    if args.what == "scenes":
        from skills.perception.snapshots import SnapshotSpec, snapshots

        snapshots(args.out, SnapshotSpec(args.count, args.seed_base), args.workers)
        return 0
    from skills.collect import CollectSpec, collect
    from skills.dataset import SKILLS
    from skills.policy.policy import VLAPolicy

    strange = [name for name in args.skills or () if name not in SKILLS]
    if strange:
        raise UsageError(unknown("learned skill", strange[0], SKILLS))
    share = args.policy_share if args.policy else 0.0
    spec = CollectSpec(args.count, args.seed_base, args.noise, share, tuple(args.skills or SKILLS))
    make_policy = partial(VLAPolicy.from_checkpoint, args.policy) if args.policy else None
    collect(args.out, spec, args.workers, make_policy)
    return 0


def train(args: argparse.Namespace) -> int:
    """Train from data folders; taken up where it stopped when run again."""
    from skills.training import TrainSpec

    spec = TrainSpec(
        steps=args.steps,
        batch=args.batch,
        learning_rate=args.learning_rate,
        seed=args.seed,
        threads=args.threads,
    )
    if args.what == "scene":
        from skills.perception.train import SceneTrainer

        _need_truth(args.data)
        SceneTrainer(args.data, args.out, spec, args.start).train()
    else:
        from agent.lessons import training_folder
        from agent.perceiving import SCENE_CHECKPOINT
        from agent.resources import resource
        from skills.train import PolicyTrainer

        eyes = args.scene or resource(SCENE_CHECKPOINT)
        shape = _hyperparameters(args.model)
        data = [training_folder(folder, args.out) for folder in args.data]
        PolicyTrainer(data, args.out, spec, eyes, args.start, shape).train()
    return 0


def _need_truth(folders: list[Path]) -> None:
    """Refuse logged missions where labels must be true.

    Raises:
        UsageError: A folder holds some.
    """
    from agent.lessons import logged_files

    for folder in folders:
        if logged_files(folder):
            raise UsageError(
                f"{folder} holds logged missions, in which where things are is only what the agent"
                " believed; the scene network learns from `bosun collect scenes` and `demos`."
            )


def _hyperparameters(pairs: list[str]) -> dict[str, Any]:
    """Return `KEY=VALUE` pairs as the policy's hyperparameters.

    Raises:
        UsageError: A pair is none, or names no hyperparameter that may be chosen.
    """
    from skills.policy.configuration import CHOSEN

    shape = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--model takes KEY=VALUE, not {pair!r}.")
        if key not in CHOSEN:
            raise UsageError(f"--model: {unknown('hyperparameter', key, CHOSEN)}")
        shape[key] = yaml.safe_load(value)
    return shape
