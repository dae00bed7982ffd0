"""Demonstrations by the teachers, with noise on what is sent and none on what is recorded."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from agent.protocols import Policy
from agent.robots.tabletop.layout import WIDE
from agent.robots.tabletop.robot import TabletopRobot
from agent.robots.tabletop.world import TabletopWorld
from agent.spots import free_spot
from agent.types import Vector
from agent.workspace import BLOCK, BOWL, OBJECTS, ZONES, kind_of
from skills.dataset import (
    OBJECT_NAMES,
    SKILLS,
    TARGET_NAMES,
    ShardWriter,
    scene_labels,
    state_of,
    write_manifest,
)
from skills.experts import expert_for
from skills.phrases import phrase_for

MISSIONS_PER_SHARD = 20
_MAX_TICKS = 90
_AFTER_SUCCESS_TICKS = 4
_BLOCKS_PER_MISSION = 3
_AGAIN = 0.15
_TOGETHER = 0.3
_STRAY = 0.35


@dataclass(frozen=True, slots=True)
class CollectSpec:
    """How to collect.

    Attributes:
        missions: Number of scenes; each gives up to twelve demonstrations.
        seed_base: Seed of the first scene; below 1,000,000.
        noise_m: Largest standard deviation of the noise on the sent translation, m.
        policy_share: In a DAgger round, the share of demonstrations driven by the policy.
    """

    missions: int
    seed_base: int
    noise_m: float = 0.008
    policy_share: float = 0.0


class Collector:
    """Runs missions of demonstrations on one robot."""

    def __init__(self, spec: CollectSpec, policy: Policy | None = None) -> None:
        """Build the world; `policy` drives part of the time in a DAgger round."""
        self._spec = spec
        self._policy = policy
        self._robot = TabletopRobot(variation=WIDE)

    def mission(self, seed: int, writer: ShardWriter) -> None:
        """Demonstrate picks and placements in the scene of one seed."""
        self._robot.reset(seed)
        world = self._robot.world
        rng = np.random.default_rng([seed, 7])
        for skill, args in self._tasks(world, rng):
            if rng.random() < _STRAY:
                self._stray(rng)
            if not self._demonstrate(skill, args, rng, writer):
                return

    def close(self) -> None:
        """Release the renderers."""
        self._robot.close()

    def _tasks(
        self, world: TabletopWorld, rng: np.random.Generator
    ) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield skill calls; each is chosen in the scene the one before has left."""
        blocks = [n for n in world.layout.poses if OBJECTS[n] == BLOCK]
        target = ""
        for name in rng.permutation(blocks)[:_BLOCKS_PER_MISSION]:
            for _ in range(2 if rng.random() < _AGAIN else 1):
                yield "pick", {"object": str(name)}
                scene = world.truth()
                places = [
                    t
                    for t in TARGET_NAMES
                    if (t in scene.objects or t in ZONES)
                    and free_spot(t, scene, str(name)) is not None
                ]
                # Bowls and the plate are what people ask for; zones are five and always there.
                weights = np.array([1.0 if t in ZONES else 2.5 for t in places])
                if target not in places or rng.random() >= _TOGETHER:
                    target = str(rng.choice(places, p=weights / weights.sum()))
                skill = "place_in" if kind_of(target) == BOWL else "place_on"
                yield skill, {"object": str(name), "target": target}

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
                    **scene_labels(world.truth()),
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
        first = next((i for i, row in enumerate(rows) if row["success"]), len(rows))
        demo = writer.rows["demo"][-1] + 1 if len(writer) else 0
        for index, row in enumerate(rows):
            progress = min(1.0, index / max(first, 1)) if succeeded else np.nan
            writer.add(
                {
                    **row,
                    "demo": np.int32(demo),
                    "skill": np.int8(SKILLS.index(skill)),
                    "object": np.int8(OBJECT_NAMES.index(args["object"])),
                    "target": np.int8(
                        TARGET_NAMES.index(args["target"]) if "target" in args else -1
                    ),
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
        },
    )
    starts = range(spec.seed_base, spec.seed_base + spec.missions, MISSIONS_PER_SHARD)
    missing = [s for s in starts if not _shard(root, s).exists()]
    jobs = [(root, spec, start, make_policy) for start in missing]
    bar = tqdm(total=len(starts), initial=len(starts) - len(jobs), desc="collect", unit="shard")
    context = multiprocessing.get_context("spawn")
    with bar, context.Pool(workers) as pool:
        for _ in pool.imap_unordered(_collect_shard, jobs):
            bar.update()


def _shard(root: Path, start: int) -> Path:
    return root / f"shard-{start:07d}"


def _collect_shard(
    job: tuple[Path, CollectSpec, int, Callable[[], Policy] | None],
) -> None:
    root, spec, start, make_policy = job
    collector = Collector(spec, make_policy() if make_policy else None)
    writer = ShardWriter()
    end = min(start + MISSIONS_PER_SHARD, spec.seed_base + spec.missions)
    for seed in range(start, end):
        collector.mission(seed, writer)
    collector.close()
    writer.save(_shard(root, start))
