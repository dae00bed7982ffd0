"""Collecting demonstrations: what a frame holds, and that a killed run resumes."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from agent.errors import SkillError
from agent.robots.tabletop.layout import sample_layout
from agent.workspace import BOWL, OBJECTS, kind_of
from skills import collect as collecting
from skills.collect import MISSIONS_PER_SHARD, CollectSpec, collect
from skills.dataset import (
    OBJECT_NAMES,
    SKILLS,
    SUPPORTS,
    TARGET_NAMES,
    Shard,
    ShardWriter,
    open_shard,
    shards,
)
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
    "present": ((7,), np.bool_),
    "position": ((7, 3), np.float32),
    "support": ((7,), np.int8),
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


def test_demonstrations_alternate_and_succeed(shard: Shard) -> None:
    """Picks and placements take turns with the same block; each ends on frames of success."""
    found = demos(shard)
    assert [int(shard["demo"][rows.start]) for rows in found] == list(range(len(found)))
    assert len(found) >= 4
    for index, rows in enumerate(found):
        skill, target = SKILLS[shard["skill"][rows.start]], int(shard["target"][rows.start])
        assert len(np.unique(shard["object"][rows])) == 1
        assert (skill == "pick") == (index % 2 == 0)
        assert (target == -1) == (skill == "pick")
        if skill != "pick":
            assert (kind_of(TARGET_NAMES[target]) == BOWL) == (skill == "place_in")
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
    """What the labels say is what the seed lays out and what the demonstration does."""
    layout = sample_layout(np.random.default_rng(TINY_SEED)).poses
    assert [OBJECT_NAMES[i] for i in np.flatnonzero(shard["present"][0])] == [
        name for name in OBJECTS if name in layout
    ]
    assert (shard["present"] == shard["present"][0]).all()
    for name, pose in layout.items():
        assert np.allclose(shard["position"][0, OBJECT_NAMES.index(name), :2], pose[:2], atol=0.003)
    assert set(shard["support"][0]) == {SUPPORTS.index("table")}
    for rows in demos(shard):
        last, thing = rows.stop - 1, int(shard["object"][rows.start])
        carrier = SUPPORTS[shard["support"][last, thing]]
        target = int(shard["target"][last])
        if target == -1:
            assert carrier == "hand"
            tool, block = shard["state"][last, :3], shard["position"][last, thing]
            assert np.linalg.norm(tool - block) < 0.03
        else:
            wanted = TARGET_NAMES[target]
            assert carrier == (wanted if wanted in OBJECTS else "table")


def test_actions_are_the_teachers_not_what_was_sent(shard: Shard) -> None:
    """The gripper's action is the teacher's choice, and no step is larger than a teacher's."""
    assert set(np.unique(shard["action"][:, 6])) == {0.0, 1.0}
    assert np.linalg.norm(shard["action"][:, :3], axis=1).max() < 0.0351


def test_a_killed_run_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished shards are kept as they are; only the missing ones are collected."""
    starts, broken, asked = (200, 220, 240), {220}, []

    def fake_shard(job: tuple[Path, CollectSpec, int, None]) -> None:
        root, _, start, _ = job
        asked.append(start)
        if start in broken:
            raise OSError("disk full")
        writer = ShardWriter()
        writer.add({"action": np.zeros(7, np.float32)})
        writer.save(root / f"shard-{start:07d}")

    monkeypatch.setattr(collecting, "_collect_shard", fake_shard)
    here = SimpleNamespace(imap_unordered=map)
    context = SimpleNamespace(Pool=lambda workers: nullcontext(here))
    inline = SimpleNamespace(get_context=lambda method: context)
    monkeypatch.setattr(collecting, "multiprocessing", inline)
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
