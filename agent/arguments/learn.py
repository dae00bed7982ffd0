"""What `bosun collect` and `bosun train` take."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.arguments import natural, positive


def add_collect(parser: argparse.ArgumentParser) -> None:
    """Add what is gathered, and where."""
    parser.add_argument("what", choices=("demos", "scenes"), nargs="?", default="demos")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--count", type=positive, default=700, help="missions, or still scenes")
    parser.add_argument("--seed-base", type=natural, default=0, help="first seed; < 1,000,000")
    parser.add_argument(
        "--skills", nargs="+", metavar="SKILL", help="demonstrate these only; all by default"
    )
    parser.add_argument("--noise", type=float, default=0.008, help="on what is sent, m")
    parser.add_argument(
        "--policy",
        type=Path,
        metavar="CHECKPOINT",
        help="a DAgger round: this policy drives, the teacher labels",
    )
    parser.add_argument(
        "--policy-share",
        type=float,
        default=0.7,
        help="share of demonstrations that --policy drives",
    )
    parser.add_argument("--workers", type=positive, default=2)


def add_train(parser: argparse.ArgumentParser) -> None:
    """Add what is trained, on what."""
    parser.add_argument("what", choices=("policy", "scene"), nargs="?", default="policy")
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="from `bosun collect`; a policy also learns from episodes and LeRobotDatasets v3.0",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--steps", type=positive, default=4500)
    parser.add_argument("--batch", type=positive, default=128)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument(
        "--scene", type=Path, metavar="CHECKPOINT", help="whose eyes the policy sees through"
    )
    parser.add_argument(
        "--start", type=Path, metavar="CHECKPOINT", help="begin with these weights, not at random"
    )
    parser.add_argument(
        "--model", nargs="+", default=[], metavar="KEY=VALUE", help="the policy's hyperparameters"
    )
