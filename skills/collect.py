"""Demonstrations by the teachers, with noise on what is sent and none on what is recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from agent.process import ended, job_processes
from agent.protocols import Policy
from agent.robots.tabletop.layout import WIDE
from agent.robots.tabletop.robot import TabletopRobot
from agent.types import TABLE, Vector
from agent.workspace import BOWL, CAN, WORKSPACE_HIGH, WORKSPACE_LOW
from skills.dataset import (
    SKILLS,
    ShardWriter,
    call_of,
    on_the_table,
    scene_labels,
    state_of,
    write_manifest,
)
from skills.experts import expert_for
from skills.experts.base import TRAVEL_Z, towards
from skills.perception.snapshots import SETTLE_STEPS, build_tower, put_on
from skills.phrases import phrase_for
from skills.tasks import choose, possible

MISSIONS_PER_SHARD = 20
_MAX_TICKS = 110
_AFTER_SUCCESS_TICKS = 4
_DEMOS_PER_MISSION = 12
_FAILURES_PER_MISSION = 2
_FILLED = 0.5
"""Share of missions that begin with the can in a bowl: what follows it must come down beside it,
and by chance alone that comes up in one of a hundred demonstrations of `place_in`."""
_TOWERED = 0.6
"""Share of missions that begin with one block on another, which a third one may go onto."""
_STRAY, _BESIDE = 0.35, 0.15
"""Share of demonstrations before which the hand strays, or goes down beside what is named."""
_BESIDE_M = (0.085, 0.125)
"""How far from the thing's middle it then is, m."""


@dataclass(frozen=True, slots=True)
class CollectSpec:
    """How to collect.

    Attributes:
        missions: Number of scenes; each gives up to twelve demonstrations.
        seed_base: Seed of the first scene; below 1,000,000.
        noise_m: Largest standard deviation of the noise on the sent translation, m.
        policy_share: In a DAgger round, the share of demonstrations driven by the policy.
        skills: What is demonstrated; every learned skill by default.
    """

    missions: int
    seed_base: int
    noise_m: float = 0.008
    policy_share: float = 0.0
    skills: tuple[str, ...] = SKILLS


class Collector:
    """Runs missions of demonstrations on one robot."""

    def __init__(self, spec: CollectSpec, policy: Policy | None = None) -> None:
        """Build the world; `policy` drives part of the time in a DAgger round."""
        self._spec = spec
        self._policy = policy
        self._robot = TabletopRobot(variation=WIDE)
        self._counts: Counter[str] = Counter()

    def mission(self, seed: int, writer: ShardWriter) -> None:
        """Demonstrate one task after another in the scene of one seed, each possible in it then."""
        self._robot.reset(seed)
        world = self._robot.world
        rng = np.random.default_rng([seed, 7])
        if rng.random() < _FILLED:
            self._fill_a_bowl(rng)
        if rng.random() < _TOWERED:
            build_tower(world, rng, 2, 2)
            world.settle(SETTLE_STEPS)
        failures = 0
        for _ in range(_DEMOS_PER_MISSION):
            scene = world.truth()
            tasks = possible(scene) if on_the_table(scene) else []
            tasks = [task for task in tasks if task.skill in self._spec.skills]
            if not tasks or failures >= _FAILURES_PER_MISSION:
                return
            task = choose(tasks, rng, scene, self._counts)
            draw = rng.random()
            if draw < _STRAY:
                self._stray(rng)
            elif draw < _STRAY + _BESIDE and scene.held is None:
                self._go_beside(world.position(task.args["object"]), rng)
            failures += not self._demonstrate(task.skill, dict(task.args), rng, writer)

    def close(self) -> None:
        """Release the renderers."""
        self._robot.close()

    def _fill_a_bowl(self, rng: np.random.Generator) -> None:
        """Let a can that stands on the table fall into a bowl, where there are both."""
        world = self._robot.world
        things = world.truth().objects.values()
        cans = [thing.name for thing in things if thing.kind == CAN and thing.support == TABLE]
        bowls = [thing for thing in things if thing.kind == BOWL]
        if cans and bowls:
            bowl = bowls[int(rng.integers(len(bowls)))]
            put_on(world, cans[0], bowl, rng, float(rng.uniform(-np.pi, np.pi)))
            world.settle(SETTLE_STEPS)

    def _stray(self, rng: np.random.Generator) -> None:
        """Move off at random, unrecorded, so that subgoals begin from many poses."""
        drift = rng.uniform(-1, 1, 7) * np.array([0.03, 0.03, 0.02, 0, 0, 0.08, 0])
        pose = self._robot.world.ee_pose
        drift[0] = (
            abs(drift[0]) if pose[0] < 0.4 else -abs(drift[0]) if pose[0] > 0.65 else drift[0]
        )
        drift[6] = round(self._robot.world.gripper > 0.7)
        for _ in range(int(rng.integers(2, 7))):
            if self._robot.world.ee_pose[2] < 0.10:
                drift[2] = abs(drift[2])
            self._robot.act(drift)

    def _go_beside(self, thing: Vector, rng: np.random.Generator) -> None:
        """Move, unrecorded, down beside a thing where there is room, fingers open or shut."""
        world = self._robot.world
        angles = rng.uniform(-np.pi, np.pi, 8)
        reach = rng.uniform(*_BESIDE_M, 8)
        spots = thing[:2] + reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        others = [o.position[:2] for o in world.truth().objects.values()]
        inside = ((spots > WORKSPACE_LOW[:2]) & (spots < WORKSPACE_HIGH[:2])).all(-1)
        free = [
            spot
            for spot in spots[inside]
            if min(float(np.linalg.norm(spot - other)) for other in others) > _BESIDE_M[0] - 0.005
        ]
        if not free:
            return
        low, opening = thing[2] + rng.uniform(0.02, 0.07), float(rng.integers(2))
        for height, ticks in ((TRAVEL_Z, 14), (low, 7)):
            for _ in range(ticks):
                self._robot.act(towards(world, np.array([*free[0], height]), 0.0, opening))

    def _demonstrate(
        self, skill: str, args: dict[str, str], rng: np.random.Generator, writer: ShardWriter
    ) -> bool:
        """Record one demonstration; return whether it succeeded."""
        world, expert = self._robot.world, expert_for(skill, args)
        expert.reset(world)
        driven = self._policy is not None and rng.random() < self._spec.policy_share
        if driven and self._policy is not None:
            self._policy.reset(phrase_for(skill, args))
        noise = rng.choice([0.0, 0.5, 1.0]) * self._spec.noise_m
        rows, achieved = [], 0
        for _ in range(_MAX_TICKS):
            scene = world.truth()
            if not on_the_table(scene):
                achieved = 0
                break
            observation = self._robot.observe()
            action = expert.act(world)
            achieved = achieved + 1 if expert.done(world) else 0
            rows.append(
                {
                    **observation.images,
                    "state": state_of(observation),
                    "action": action.astype(np.float32),
                    "success": achieved > 0,
                    "mount": world.mount,
                    **scene_labels(scene),
                }
            )
            if achieved > _AFTER_SUCCESS_TICKS:
                break
            sent = action + self._noise(rng, noise)
            if driven and self._policy is not None:
                sent = self._policy.infer(observation).actions[0].astype(np.float64)
            self._robot.act(sent)
        succeeded = achieved > 0
        self._write(writer, rows, skill, args, succeeded)
        return succeeded

    def _noise(self, rng: np.random.Generator, scale: float) -> Vector:
        noise = rng.normal(size=7) * np.array([1, 1, 1, 1, 1, 3, 0]) * scale
        return np.asarray(noise)

    def _write(
        self,
        writer: ShardWriter,
        rows: list[dict[str, object]],
        skill: str,
        args: dict[str, str],
        succeeded: bool,
    ) -> None:
        call = call_of(skill, args)
        first = next((i for i, row in enumerate(rows) if row["success"]), len(rows))
        demo = writer.rows["demo"][-1] + 1 if len(writer) else 0
        for index, row in enumerate(rows):
            progress = min(1.0, index / max(first, 1)) if succeeded else np.nan
            writer.add(
                {
                    **row,
                    "demo": np.int32(demo),
                    **call,
                    "progress": np.float32(progress),
                }
            )


def collect(
    root: Path, spec: CollectSpec, workers: int, make_policy: Callable[[], Policy] | None = None
) -> None:
    """Fill a data folder; shards that are there already are kept, so a killed run resumes."""
    write_manifest(
        root,
        {
            "missions": spec.missions,
            "seed_base": spec.seed_base,
            "noise_m": spec.noise_m,
            "policy_share": spec.policy_share,
            "skills": list(spec.skills),
        },
    )
    starts = range(spec.seed_base, spec.seed_base + spec.missions, MISSIONS_PER_SHARD)
    missing = [s for s in starts if not _shard(root, s).exists()]
    make = partial(_shard_collector, root, spec, make_policy)
    bar = tqdm(total=len(starts), initial=len(starts) - len(missing), desc="collect", unit="shard")
    with bar, job_processes(make, workers) as processes:
        for _, process in ended(processes, missing):
            process.result()
            bar.update()


def _shard(root: Path, start: int) -> Path:
    return root / f"shard-{start:07d}"


def _shard_collector(
    root: Path, spec: CollectSpec, make_policy: Callable[[], Policy] | None
) -> Callable[[int], None]:
    return partial(_collect_shard, root, spec, make_policy)


def _collect_shard(
    root: Path, spec: CollectSpec, make_policy: Callable[[], Policy] | None, start: int
) -> None:
    collector = Collector(spec, make_policy() if make_policy else None)
    writer = ShardWriter()
    end = min(start + MISSIONS_PER_SHARD, spec.seed_base + spec.missions)
    for seed in range(start, end):
        collector.mission(seed, writer)
    collector.close()
    writer.save(_shard(root, start))
