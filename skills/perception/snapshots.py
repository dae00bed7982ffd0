"""Still scenes for training perception: more arrangements than demonstrations pass through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from tqdm import tqdm

from agent.facts import holds
from agent.process import ended, job_processes
from agent.robots.tabletop.arrangement import touches_nothing
from agent.robots.tabletop.layout import WIDE
from agent.robots.tabletop.robot import TabletopRobot
from agent.robots.tabletop.world import TabletopWorld
from agent.spots import TRAY_OFFSET
from agent.types import TABLE, Fact, Scene, SceneObject
from agent.workspace import (
    BLOCK,
    BLOCK_HALF,
    BOWL,
    DRAWER,
    DRAWER_TRAVEL,
    MOVABLE,
    OBJECTS,
    PLATE,
    PLATE_RADIUS,
    TRAY_BEHIND_HANDLE,
    half_height,
)
from skills.dataset import ShardWriter, on_the_table, scene_labels, state_of, write_manifest

SCENES_PER_SHARD = 500
SETTLE_STEPS = 60
"""Steps of physics after which what was let fall is at rest."""
_ELSEWHERE = 0.25
_ON_SOMETHING = 0.4
_TOGETHER = 0.3
_BESIDE = 0.5
"""Share of what is put elsewhere that stands close to a block, as what has fallen off one does."""
_BESIDE_M = (0.048, 0.08)
"""How far from the block's middle it stands, m."""
_TOWERED, _LEAST_TOWER = 0.3, 3
"""Share of scenes in which at least so many blocks are stacked, where there are as many."""
_HELD = 0.25
_SLID = 0.6
_SPOTS = 8
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
    with bar, job_processes(_photographer, workers) as processes:
        for _, process in ended(processes, missing):
            process.result()
            bar.update()


def _photographer() -> Callable[[tuple[Path, range]], None]:
    return _snapshot_shard


def _snapshot_shard(job: tuple[Path, range]) -> None:
    folder, seeds = job
    robot, writer = TabletopRobot(variation=WIDE), ShardWriter()
    for seed in seeds:
        robot.reset(seed)
        rearrange(robot, np.random.default_rng([seed, 11]))
        truth = robot.world.truth()
        if not on_the_table(truth):
            # Now and then something that was put into something else is flung off.
            continue
        observation = robot.observe()
        writer.add(
            {
                **observation.images,
                "state": state_of(observation),
                "mount": robot.world.mount,
                **scene_labels(truth),
            }
        )
    robot.close()
    writer.save(folder)


def rearrange(robot: TabletopRobot, rng: np.random.Generator, *, arm: bool = True) -> None:
    """Move things onto and into others, the drawer and the arm about, as missions do."""
    world = robot.world
    scene = world.truth()
    _slide_drawers(world, scene, rng)
    tower = build_tower(world, rng, _LEAST_TOWER) if rng.random() < _TOWERED else []
    movable = [
        name for name, thing in scene.objects.items() if thing.kind in MOVABLE and name not in tower
    ]
    carriers = [n for n, o in scene.objects.items() if o.kind in (BOWL, PLATE, DRAWER, BLOCK)]
    if rng.random() < _TOGETHER and carriers:
        # Several things in one bowl hide each other.
        carriers = [str(rng.choice(carriers))]
    for name in rng.permutation(movable):
        # What carries something stays, and so do towers.
        now = world.truth()
        if now.contents(name):
            continue
        draw, yaw = rng.random(), float(rng.uniform(-np.pi, np.pi))
        targets = [t for t in carriers if t != name and _takes(t, name, now)]
        if draw < _ON_SOMETHING and targets:
            put_on(world, str(name), now.objects[str(rng.choice(targets))], rng, yaw)
        elif draw < _ON_SOMETHING + _ELSEWHERE:
            _put_elsewhere(world, str(name), now, rng, yaw)
        world.settle()
    if arm:
        _move_arm(robot, rng)
    world.settle(SETTLE_STEPS)


def _slide_drawers(world: TabletopWorld, scene: Scene, rng: np.random.Generator) -> None:
    """Leave the drawer, pull it out, push it shut or leave it anywhere between."""
    for name, thing in scene.objects.items():
        if thing.kind == DRAWER and rng.random() < _SLID:
            opening = float(rng.choice([0.0, rng.uniform(0, DRAWER_TRAVEL), DRAWER_TRAVEL]))
            world.slide(name, opening)


def build_tower(
    world: TabletopWorld, rng: np.random.Generator, least: int, most: int = 4
) -> list[str]:
    """Stack blocks, at least and at most so many; return them from below, none if too few."""
    scene = world.truth()
    free = [n for n, o in scene.objects.items() if o.kind == BLOCK and not scene.contents(n)]
    standing = [name for name in free if scene.objects[name].support in (TABLE, "plate")]
    if not standing or len(free) < least:
        return []
    lowest = str(rng.choice(standing))
    others = [str(name) for name in rng.permutation([name for name in free if name != lowest])]
    tower = [lowest, *others[: rng.integers(least - 1, min(most, len(free)))]]
    for below, name in pairwise(tower):
        yaw = float(rng.uniform(-np.pi, np.pi))
        put_on(world, name, world.truth().objects[below], rng, yaw)
        world.settle()
    return tower


def _takes(target: str, name: str, scene: Scene) -> bool:
    """Return whether a thing may be dropped there: a block takes one, a shut drawer none."""
    carrier, thing = scene.objects[target], scene.objects[name]
    if carrier.kind == BLOCK:
        flat = thing.kind == BLOCK and carrier.support in (TABLE, "plate")
        return flat and not scene.contents(target)
    return holds(Fact(predicate="open", args=(target,)), scene)


def put_on(
    world: TabletopWorld, name: str, carrier: SceneObject, rng: np.random.Generator, yaw: float
) -> None:
    """Let a thing fall on or into a carrier, off its middle as far as that may be.

    It is put above it; what steps the world lets it fall.

    Args:
        world: The world.
        name: What falls.
        carrier: A bowl, the plate, the open drawer or a block.
        rng: The source of chance.
        yaw: Turn of the thing about the vertical, rad.
    """
    reach = {BOWL: 0.03, PLATE: PLATE_RADIUS - 0.02, DRAWER: 0.03, BLOCK: 0.008}[carrier.kind]
    radius, angle = reach * np.sqrt(rng.random()), rng.uniform(-np.pi, np.pi)
    position = carrier.position + np.array([radius * np.cos(angle), radius * np.sin(angle), 0.0])
    height = half_height(OBJECTS[name])
    if carrier.kind == BLOCK:
        position[2] += BLOCK_HALF + height + 0.002
    elif carrier.kind == DRAWER:
        side = rng.choice([-1, 1]) * TRAY_OFFSET * rng.uniform(0.6, 1)
        position += np.array([-TRAY_BEHIND_HANDLE, side, 0.0])
        position[2] = height + rng.uniform(0.02, 0.04)
    else:
        position[2] += height + rng.uniform(0.015, 0.055)
    world.put(name, position, yaw)


def _put_elsewhere(
    world: TabletopWorld, name: str, scene: Scene, rng: np.random.Generator, yaw: float
) -> None:
    """Stand a thing anywhere on the table, however close to others, where there is room."""
    kind = OBJECTS[name]
    others = {n: o for n, o in scene.objects.items() if n != name}
    spots = rng.uniform((0.30, -0.37), (0.76, 0.37), (_SPOTS, 2))
    blocks = [n for n, o in others.items() if o.kind == BLOCK and o.support == TABLE]
    if blocks and rng.random() < _BESIDE:
        block = others.pop(str(rng.choice(blocks)))
        angles, away_m = rng.uniform(-np.pi, np.pi, _SPOTS), rng.uniform(*_BESIDE_M, _SPOTS)
        ways = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        spots = block.position[:2] + away_m[:, None] * ways
    free = [spot for spot in spots if touches_nothing(spot, kind, Scene(0.0, others))]
    if free:
        world.put(name, np.array([*free[0], half_height(kind) + 0.002]), yaw)


def _move_arm(robot: TabletopRobot, rng: np.random.Generator) -> None:
    """Leave the arm near home, or put it anywhere above the table, or give it a block to hold."""
    draw = rng.random()
    if draw < 0.5 - _HELD / 2:
        return
    world, yaw = robot.world, rng.uniform(-0.8, 0.8)
    position = rng.uniform((0.28, -0.34, 0.07), (0.72, 0.34, 0.34))
    turn = np.array([0.0, np.cos(yaw / 2), np.sin(yaw / 2), 0.0])
    if draw < 1 - _HELD:
        world.pose_arm(np.array([*position, *turn]), opening=float(rng.random() < 0.6))
        return
    # Near the table a block that is held looks most like one that stands there.
    position[2] = _LOWEST_HELD_Z + 0.2 * rng.random() ** 2
    scene = world.truth()
    free = [n for n, o in scene.objects.items() if o.kind in MOVABLE and not scene.contents(n)]
    if free:
        world.pose_arm(np.array([*position, *turn]), opening=0.7)
        world.put(str(rng.choice(free)), position + rng.uniform(-0.004, 0.004, 3), -yaw)
        world.close_fingers()
