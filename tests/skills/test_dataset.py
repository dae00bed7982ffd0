"""Data on disk: complete or absent, and recognised when it is not what was asked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from agent.errors import SkillError
from agent.types import HAND, Observation, Scene, SceneObject
from skills.dataset import (
    OBJECT_NAMES,
    STATE_DIM,
    SUPPORTS,
    ShardWriter,
    data_hash,
    open_shard,
    scene_labels,
    shards,
    state_of,
    write_manifest,
)
from tests.scenes import scene


def write(folder: Path, rows: int = 3) -> None:
    """Write a shard of a few numbers."""
    writer = ShardWriter()
    for row in range(rows):
        writer.add({"action": np.full(7, row, np.float32), "demo": np.int32(row)})
    assert len(writer) == rows
    writer.save(folder)


def test_shards_come_back_as_written(tmp_path: Path) -> None:
    """Arrays keep shape, type and values, and are mapped rather than read."""
    write(tmp_path / "shard-0000000")
    shard = open_shard(tmp_path / "shard-0000000")
    assert set(shard) == {"action", "demo"}
    assert isinstance(shard["action"], np.memmap)
    assert shard["action"].dtype == np.float32
    assert np.array_equal(shard["action"], np.repeat(np.arange(3), 7).reshape(3, 7))
    assert shard["demo"].dtype == np.int32


def test_a_half_written_shard_does_not_count(tmp_path: Path) -> None:
    """What a killed run left is passed over, and replaced by the next save."""
    write(tmp_path / "shard-0000020")
    write(tmp_path / "shard-0000000")
    half = tmp_path / "shard-0000040.partial"
    half.mkdir()
    (half / "action.npy").write_bytes(b"half")
    (half / "stale.npy").write_bytes(b"half")
    names = ["shard-0000000", "shard-0000020"]
    assert [folder.name for folder in shards([tmp_path])] == names
    write(tmp_path / "shard-0000040")
    assert [folder.name for folder in shards([tmp_path])] == [*names, "shard-0000040"]
    assert not half.exists()
    assert set(open_shard(tmp_path / "shard-0000040")) == {"action", "demo"}


def test_no_data_is_an_error(tmp_path: Path) -> None:
    """A folder that is missing or holds nothing finished is named, with the mend."""
    (tmp_path / "shard-0000000.partial").mkdir()
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(SkillError, match="bosun collect") as caught:
            list(shards([root]))
        assert str(root) in str(caught.value)


def test_manifest_of_other_settings_is_refused(tmp_path: Path) -> None:
    """The same settings may be written again, others may not, and the old ones stay."""
    root = tmp_path / "data"
    write_manifest(root, {"missions": 3, "seed_base": 0})
    write_manifest(root, {"seed_base": 0, "missions": 3})
    with pytest.raises(SkillError, match="choose another folder"):
        write_manifest(root, {"missions": 4, "seed_base": 0})
    assert json.loads((root / "manifest.json").read_text()) == {"missions": 3, "seed_base": 0}


@pytest.mark.parametrize("key", ["action", "state", "object", "target", "skill"])
def test_one_changed_byte_changes_the_hash(tmp_path: Path, tiny_data: Path, key: str) -> None:
    """The hash says which data a checkpoint was trained on."""
    before = data_hash([tiny_data])
    copy = tmp_path / "copy"
    shutil.copytree(tiny_data, copy)
    assert data_hash([copy]) == before
    path = next(copy.glob("shard-*")) / f"{key}.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert data_hash([copy]) != before
    assert data_hash([tiny_data]) == before


def test_state_holds_pose_gripper_and_joints() -> None:
    """Proprioception is in the documented order."""
    pose, joints = np.arange(7.0), np.arange(10.0, 17.0)
    state = state_of(Observation(0.0, {}, joints, pose, 0.5))
    assert state.shape == (STATE_DIM,)
    assert state.dtype == np.float32
    assert np.array_equal(state, [*pose, 0.5, *joints])


def test_scene_labels() -> None:
    """Labels say what is there, where, and what carries it."""
    where = scene("red block", "plate", on={"red block": "plate"})
    labels = scene_labels(where)
    there = [name in where.objects for name in OBJECT_NAMES]
    assert labels["present"].tolist() == there
    index = OBJECT_NAMES.index("red block")
    assert labels["position"][index] == pytest.approx(where.objects["red block"].position)
    assert SUPPORTS[labels["support"][index]] == "plate"
    held = Scene(0.0, {"red block": SceneObject("red block", "block", np.ones(3), support=HAND)})
    assert SUPPORTS[scene_labels(held)["support"][index]] == HAND
