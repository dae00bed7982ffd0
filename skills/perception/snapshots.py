"""Still scenes for training perception: more arrangements than demonstrations pass through."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np
from tqdm import tqdm

from agent.robots.tabletop.layout import WIDE
from agent.robots.tabletop.robot import TabletopRobot
from agent.workspace import BLOCK, BOWL, OBJECTS, PLATE_RADIUS
from skills.dataset import ShardWriter, scene_labels, state_of, write_manifest

SCENES_PER_SHARD = 500
_SETTLE_STEPS = 60
_ELSEWHERE = 0.25
_ON_SOMETHING = 0.4
_TOGETHER = 0.3
_HELD = 0.25
_LOWEST_HELD_Z = 0.024


@dataclass(frozen=True, slots=True)
class SnapshotSpec:
    """How many still scenes, from which seed on; below 1,000,000."""

    scenes: int
    seed_base: int


def snapshots(root: Path, spec: SnapshotSpec, workers: int) -> None:
    """Fill a data folder; shards that are there already are kept, so a killed run resumes."""
    write_manifest(root, {"scenes": spec.scenes, "seed_base": spec.seed_base})
    starts = range(spec.seed_base, spec.seed_base + spec.scenes, SCENES_PER_SHARD)
    jobs = [
        (root / f"shard-{s:07d}", range(s, min(s + SCENES_PER_SHARD, spec.seed_base + spec.scenes)))
        for s in starts
    ]
    missing = [job for job in jobs if not job[0].exists()]
    bar = tqdm(total=len(jobs), initial=len(jobs) - len(missing), desc="scenes", unit="shard")
    with bar, multiprocessing.get_context("spawn").Pool(workers) as pool:
        for _ in pool.imap_unordered(_snapshot_shard, missing):
            bar.update()


def _snapshot_shard(job: tuple[Path, range]) -> None:
    folder, seeds = job
    robot, writer = TabletopRobot(variation=WIDE), ShardWriter()
    for seed in seeds:
        robot.reset(seed)
        rearrange(robot, np.random.default_rng([seed, 11]))
        observation = robot.observe()
        writer.add(
            {
                **observation.images,
                "state": state_of(observation),
                "mount": robot.world.mount,
                **scene_labels(robot.world.truth()),
            }
        )
    robot.close()
    writer.save(folder)


def rearrange(robot: TabletopRobot, rng: np.random.Generator, *, arm: bool = True) -> None:
    """Move blocks onto and into things, and the arm about, as missions and mishaps do."""
    world = robot.world
    carriers = [n for n in world.layout.poses if OBJECTS[n] != BLOCK]
    if rng.random() < _TOGETHER:
        # Several blocks in one bowl hide each other.
        carriers = [str(rng.choice(carriers))]
    for name in (n for n in world.layout.poses if OBJECTS[n] == BLOCK):
        draw, yaw = rng.random(), float(rng.uniform(-np.pi, np.pi))
        if draw < _ON_SOMETHING and carriers:
            target = str(rng.choice(carriers))
            reach = 0.03 if OBJECTS[target] == BOWL else PLATE_RADIUS - 0.02
            radius, angle = reach * np.sqrt(rng.random()), rng.uniform(-np.pi, np.pi)
            offset = np.array(
                [radius * np.cos(angle), radius * np.sin(angle), float(rng.uniform(0.035, 0.075))]
            )
            world.put(name, world.position(target) + offset, yaw)
            mujoco.mj_forward(world.model, world.data)
        elif draw < _ON_SOMETHING + _ELSEWHERE:
            world.put(name, np.array([*rng.uniform((0.30, -0.37), (0.76, 0.37)), 0.022]), yaw)
    if arm:
        _move_arm(robot, rng)
    for _ in range(_SETTLE_STEPS):
        mujoco.mj_step(world.model, world.data)
    mujoco.mj_forward(world.model, world.data)


def _move_arm(robot: TabletopRobot, rng: np.random.Generator) -> None:
    """Leave the arm near home, or put it anywhere above the table, or give it a block to hold."""
    draw = rng.random()
    if draw < 0.5 - _HELD / 2:
        return
    world, yaw = robot.world, rng.uniform(-0.8, 0.8)
    position = rng.uniform((0.33, -0.32, 0.10), (0.70, 0.32, 0.34))
    turn = np.array([0.0, np.cos(yaw / 2), np.sin(yaw / 2), 0.0])
    if draw < 1 - _HELD:
        world.pose_arm(np.array([*position, *turn]), opening=float(rng.random() < 0.6))
        return
    # Near the table a block that is held looks most like one that stands there.
    position[2] = _LOWEST_HELD_Z + 0.2 * rng.random() ** 2
    block = str(rng.choice([n for n in world.layout.poses if OBJECTS[n] == BLOCK]))
    world.pose_arm(np.array([*position, *turn]), opening=0.55)
    world.put(block, position + rng.uniform(-0.004, 0.004, 3), -yaw)
    world.close_fingers()
