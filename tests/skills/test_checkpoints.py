"""The shipped checkpoints still do what their cards say, on a few scenes nobody has tuned for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from agent.perceiving import SCENE_CHECKPOINT
from agent.resources import resource
from agent.robots.tabletop.robot import TabletopRobot
from agent.skilled import POLICY_CHECKPOINT
from skills.evaluate.skills import SUITE, SkillBench, Trial
from skills.perception.estimator import NetworkEstimator
from skills.perception.snapshots import rearrange
from skills.policy.policy import VLAPolicy

FRESH_SEED = 3_000_000
EPISODES, LEAST_SUCCESSES = 24, 20
SCENES = 40
UNLIKELY = 0.01
"""Probability of fewer successes, had the card's rate been right, from which it is not believed."""


def least_successes(row: str) -> int:
    """Return how many of `EPISODES` must succeed for the card's rate of a row to be believed.

    The rate is Laplace's, as no finite number of tries shows that a skill never fails.
    """
    results = json.loads((resource(POLICY_CHECKPOINT) / "results.json").read_text())
    measured = next(r for r in results["skills"]["rows"] if r["name"] == row)
    rate = (measured["successes"] + 1) / (measured["episodes"] + 2)
    return int(binom.ppf(UNLIKELY, EPISODES, rate))


@pytest.fixture(scope="module")
def bench() -> Iterator[SkillBench]:
    made = SkillBench(partial(VLAPolicy.from_checkpoint, resource(POLICY_CHECKPOINT)))
    yield made
    made.close()


@pytest.mark.parametrize("skill", SUITE)
def test_skill_still_succeeds(skill: str, bench: SkillBench) -> None:
    """By the world's truth; a skill at 95 % has fewer in one of 170 choices of seeds."""
    trials: list[Trial] = []
    seed = FRESH_SEED
    while len(trials) < EPISODES:
        trial = bench((skill, seed))
        seed += 1
        if trial is not None:
            trials.append(trial)
    successes = sum(trial.success for trial in trials)
    assert successes >= max(LEAST_SUCCESSES, least_successes(skill)), trials


def test_scene_estimate_is_still_accurate() -> None:
    estimator = NetworkEstimator.from_checkpoint(resource(SCENE_CHECKPOINT))
    robot = TabletopRobot()
    errors, presence, support = [], [], []
    try:
        for seed in range(FRESH_SEED, FRESH_SEED + SCENES):
            robot.reset(seed)
            rearrange(robot, np.random.default_rng(seed), arm=False)
            believed = estimator.estimate(robot.observe())
            truth = robot.world.truth()
            for name, thing in believed.objects.items():
                presence.append((thing.presence > 0.5) == (name in truth.objects))
            for name, real in truth.objects.items():
                found = believed.objects[name]
                errors.append(float(np.linalg.norm(found.position - real.position)))
                support.append(found.support == real.support)
    finally:
        robot.close()
    assert np.mean(presence) >= 0.97
    assert np.mean(support) >= 0.95
    assert np.median(errors) < 0.015


@pytest.mark.parametrize("folder", [POLICY_CHECKPOINT, SCENE_CHECKPOINT])
def test_checkpoint_says_what_made_it(folder: str) -> None:
    path: Path = resource(folder)
    made = json.loads((path / "training.json").read_text())
    assert (path / "results.json").exists()
    assert {"spec", "step", "validation", "data", "data_hash"} <= set(made)
    assert (path / "model.safetensors").stat().st_size < 20 * 2**20
