"""Collecting demonstrations: what a frame holds, and that a killed run resumes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from agent.errors import SkillError
from agent.facts import holds
from agent.robots.tabletop.layout import WIDE, sample_layout
from agent.workspace import BLOCK, BOWL, DIRECTIONS, DRAWER, kind_of
from skills import collect as collecting
from skills.collect import MISSIONS_PER_SHARD, Collector, CollectSpec, collect
from skills.dataset import (
    OBJECT_NAMES,
    SKILLS,
    TARGET_NAMES,
    Shard,
    ShardWriter,
    in_sight,
    open_shard,
    scene_of,
    shards,
)
from skills.registry import load_contracts
from tests.inline import inline_processes
from tests.skills.conftest import TINY_SEED

DOCUMENTED = {
    "front": ((120, 160, 3), np.uint8),
    "wrist": ((96, 96, 3), np.uint8),
    "state": ((15,), np.float32),
    "action": ((7,), np.float32),
    "demo": ((), np.int32),
    "skill": ((), np.int8),
    "object": ((), np.int8),
    "target": ((), np.int8),
    "progress": ((), np.float32),
    "success": ((), np.bool_),
    "present": ((len(OBJECT_NAMES),), np.bool_),
    "position": ((len(OBJECT_NAMES), 3), np.float32),
    "support": ((len(OBJECT_NAMES),), np.int8),
    "part": ((len(OBJECT_NAMES),), np.float32),
    "mount": ((9,), np.float64),
}


@pytest.fixture
def shard(tiny_data: Path) -> Shard:
    """Return the tiny collection's arrays."""
    return open_shard(next(shards([tiny_data])))


def demos(shard: Shard) -> list[slice]:
    """Return the rows of each demonstration."""
    starts = [0, *(np.flatnonzero(np.diff(shard["demo"])) + 1), len(shard["demo"])]
    return [slice(int(a), int(b)) for a, b in pairwise(starts)]


def test_arrays_are_as_documented(shard: Shard) -> None:
    """Every array has a row per frame, of the documented shape and type."""
    assert {key: (array.shape[1:], array.dtype.type) for key, array in shard.items()} == DOCUMENTED
    assert len({len(array) for array in shard.values()}) == 1
    assert len(shard["demo"]) > 60
    assert np.isfinite(shard["action"]).all()
    assert np.isfinite(shard["state"]).all()


def test_demonstrations_are_of_many_skills_and_succeed(shard: Shard) -> None:
    """What is picked is placed next, nothing else is done in between; each ends on success."""
    found = demos(shard)
    assert [int(shard["demo"][rows.start]) for rows in found] == list(range(len(found)))
    assert len(found) >= 8
    skills = [SKILLS[shard["skill"][rows.start]] for rows in found]
    assert len(set(skills)) >= 4
    for index, (rows, skill) in enumerate(zip(found, skills, strict=True)):
        target = int(shard["target"][rows.start])
        assert len(np.unique(shard["object"][rows])) == 1
        assert (target == -1) == (skill in ("pick", "open", "close", "press"))
        assert skill.startswith("place") == (index > 0 and skills[index - 1] == "pick")
        if skill == "push":
            assert TARGET_NAMES[target] in DIRECTIONS
        if skill.startswith("place"):
            kind = kind_of(TARGET_NAMES[target])
            assert (kind in (BOWL, DRAWER)) == (skill == "place_in")
            assert shard["object"][rows.start] == shard["object"][found[index - 1].start]
        success = shard["success"][rows]
        assert success[-1]
        assert not success[0]
        assert 1 <= success.sum() <= 10


def test_progress_rises_to_one_at_success(shard: Shard) -> None:
    """Progress is a share: it starts at 0, never falls, and is 1 exactly from success on."""
    for rows in demos(shard):
        progress, success = shard["progress"][rows], shard["success"][rows]
        assert progress[0] == 0
        assert (np.diff(progress) >= 0).all()
        assert (progress <= 1).all()
        assert np.array_equal(progress == 1, success)


def test_labels_match_the_scene(shard: Shard) -> None:
    """What the labels say is what the seed lays out and what the demonstrations do."""
    laid_out, seen = sample_layout(TINY_SEED, WIDE).scene, scene_of(shard, 0)
    assert set(seen.objects) == set(in_sight(laid_out).objects)
    for name, thing in seen.objects.items():
        there = laid_out.objects[name]
        assert np.allclose(thing.position[:2], there.position[:2], atol=0.02)
        assert thing.support == there.support
    for rows in demos(shard):
        first, last = scene_of(shard, rows.start), scene_of(shard, rows.stop - 1)
        skill, target = SKILLS[shard["skill"][rows.start]], int(shard["target"][rows.start])
        args = {"object": OBJECT_NAMES[shard["object"][rows.start]]}
        if target >= 0:
            args["direction" if skill == "push" else "target"] = TARGET_NAMES[target]
        for fact in load_contracts()[skill].facts("done", args):
            assert holds(fact, last, first)


def test_actions_are_the_teachers_not_what_was_sent(shard: Shard) -> None:
    """The gripper's action is the teacher's choice, and no step is larger than a teacher's."""
    assert set(np.unique(shard["action"][:, 6])) == {0.0, 1.0}
    assert np.linalg.norm(shard["action"][:, :3], axis=1).max() < 0.0351


def test_nothing_is_recorded_of_what_has_fallen_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thing on the floor ends the demonstration, which counts as failed, and the mission."""
    monkeypatch.setattr(collecting, "_STRAY", 0.0)
    monkeypatch.setattr(collecting, "_BESIDE", 0.0)
    collector, writer = Collector(CollectSpec(missions=1, seed_base=TINY_SEED)), ShardWriter()
    world = collector._robot.world
    lost = next(n for n, o in world.truth().objects.items() if o.kind == "block")
    acted, act = [], collector._robot.act

    def act_and_lose(action: np.ndarray) -> np.ndarray:
        acted.append(action)
        if len(acted) == 5:
            world.put(lost, np.array([0.5, 0.9, -0.6]), 0.0)
        return act(action)

    monkeypatch.setattr(collector._robot, "act", act_and_lose)
    monkeypatch.setattr(collector._robot, "reset", lambda seed: None)
    collector.mission(TINY_SEED, writer)
    collector.close()
    assert len(writer) == len(acted) == 5
    assert np.isnan(writer.rows["progress"]).all()


def test_only_the_skills_that_are_named_are_demonstrated() -> None:
    spec, writer = CollectSpec(1, TINY_SEED, skills=("push", "press")), ShardWriter()
    collector = Collector(spec)
    collector.mission(TINY_SEED, writer)
    collector.close()
    shown = {SKILLS[index] for index in writer.rows["skill"]}
    assert shown and shown <= {"push", "press"}


def test_some_missions_begin_with_the_can_in_a_bowl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "_FILLED", 1.0)
    monkeypatch.setattr(collecting, "possible", lambda scene: [])
    collector, carriers = Collector(CollectSpec(8, 0)), []
    for seed in range(8):
        collector.mission(seed, ShardWriter())
        things = collector._robot.world.truth().objects
        if "can" in things and {"blue bowl", "white bowl"} & set(things):
            carriers.append(kind_of(things["can"].support))
    collector.close()
    assert carriers.count(BOWL) >= len(carriers) - 1 > 0


def test_some_missions_begin_with_one_block_on_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "_TOWERED", 1.0)
    monkeypatch.setattr(collecting, "possible", lambda scene: [])
    collector = Collector(CollectSpec(6, 0))
    for seed in range(6):
        collector.mission(seed, ShardWriter())
        things = collector._robot.world.truth().objects.values()
        blocks = [thing for thing in things if thing.kind == BLOCK]
        upper = [block for block in blocks if kind_of(block.support) == BLOCK]
        assert upper or len(blocks) < 2, seed
    collector.close()


def test_a_killed_run_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished shards are kept as they are; only the missing ones are collected."""
    starts, broken, asked = (200, 220, 240), {220}, []

    def fake_shard(root: Path, spec: CollectSpec, make_policy: None, start: int) -> None:
        asked.append(start)
        if start in broken:
            raise OSError("disk full")
        writer = ShardWriter()
        writer.add({"action": np.zeros(7, np.float32)})
        writer.save(root / f"shard-{start:07d}")

    monkeypatch.setattr(collecting, "_collect_shard", fake_shard)
    monkeypatch.setattr(collecting, "job_processes", inline_processes)
    root, spec = tmp_path / "data", CollectSpec(3 * MISSIONS_PER_SHARD - 5, starts[0])
    with pytest.raises(OSError, match="disk full"):
        collect(root, spec, workers=1)
    assert asked == [200, 220]
    broken.clear()
    asked.clear()
    collect(root, spec, workers=1)
    assert asked == [220, 240]
    names = ["shard-0000200", "shard-0000220", "shard-0000240"]
    assert [folder.name for folder in shards([root])] == names
    with pytest.raises(SkillError, match="other settings"):
        collect(root, CollectSpec(3 * MISSIONS_PER_SHARD, starts[0]), workers=1)
