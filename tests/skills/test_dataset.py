"""Data on disk: complete or absent, and recognised when it is not what was asked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from agent.errors import SkillError
from agent.types import HAND, TABLE, Observation, Scene, SceneObject
from agent.workspace import OBJECTS
from skills.dataset import (
    OBJECT_NAMES,
    SKILLS,
    STATE_DIM,
    SUPPORTS,
    TARGET_NAMES,
    ShardWriter,
    call_of,
    data_hash,
    in_sight,
    open_shard,
    scene_labels,
    scene_of,
    shards,
    state_of,
    write_manifest,
)
from tests.scenes import scene, tower


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
def test_one_changed_byte_changes_the_hash(tmp_path: Path, made_data: Path, key: str) -> None:
    """The hash says which data a checkpoint was trained on."""
    before = data_hash([made_data])
    copy = tmp_path / "copy"
    shutil.copytree(made_data, copy)
    assert data_hash([copy]) == before
    path = next(copy.glob("shard-*")) / f"{key}.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert data_hash([copy]) != before
    assert data_hash([made_data]) == before


def test_state_holds_pose_gripper_and_joints() -> None:
    """Proprioception is in the documented order."""
    pose, joints = np.arange(7.0), np.arange(10.0, 17.0)
    state = state_of(Observation(0.0, {}, joints, pose, 0.5))
    assert state.shape == (STATE_DIM,)
    assert state.dtype == np.float32
    assert np.array_equal(state, [*pose, 0.5, *joints])


def test_scene_labels() -> None:
    """Labels say what is there, where, what carries it, and how far its part has gone."""
    where = scene(
        "red block", "drawer", "button", "plate", on={"red block": "plate"}, opening=0.08, lit=True
    )
    labels = scene_labels(where)
    assert labels["present"].tolist() == [name in where.objects for name in OBJECT_NAMES]
    for index, name in enumerate(OBJECT_NAMES):
        thing = where.objects.get(name)
        position = thing.position if thing else np.zeros(3)
        assert labels["position"][index] == pytest.approx(position)
        assert SUPPORTS[labels["support"][index]] == (thing.support if thing else TABLE)
        part = {"drawer": 0.08, "button": 1.0}.get(name, 0.0)
        assert labels["part"][index] == pytest.approx(part)
    index = OBJECT_NAMES.index("red block")
    held = Scene(0.0, {"red block": SceneObject("red block", "block", np.ones(3), support=HAND)})
    assert SUPPORTS[scene_labels(held)["support"][index]] == HAND


SCENES = {
    "plain": scene(),
    "all": scene(*OBJECTS, opening=0.09, lit=True),
    "dark": scene("button", "can", "drawer"),
    "tower": tower("red block", "green block", "blue block", others=("can", "plate")),
    "in the drawer": scene("drawer", "can", "red block", on={"can": "drawer"}, opening=0.1),
    "held": scene("can", "drawer", on={"can": HAND}),
    "nothing": Scene(0.0),
}


@pytest.mark.parametrize("where", SCENES.values(), ids=SCENES)
def test_labels_are_read_back_as_the_scene(where: Scene) -> None:
    """One row among others; what has no part that moves has none in the scene that is read."""
    labels = [scene_labels(scene()), scene_labels(where), scene_labels(Scene(0.0))]
    shard = {key: np.stack([row[key] for row in labels]) for key in labels[0]}
    found = scene_of(shard, 1)
    assert found.objects.keys() == where.objects.keys()
    for name, thing in where.objects.items():
        read = found.objects[name]
        assert (read.name, read.kind, read.support) == (name, thing.kind, thing.support)
        assert read.position == pytest.approx(thing.position)
        assert read.position.dtype == np.float64
        assert read.articulation == pytest.approx(thing.articulation)


@pytest.mark.parametrize(("opening", "seen"), [(0.0, False), (0.03, False), (0.04, True)])
def test_what_lies_in_a_shut_drawer_is_not_in_sight(opening: float, *, seen: bool) -> None:
    """Nothing else is hidden, and what stays in sight stays as it was."""
    where = scene("drawer", "can", "red block", on={"can": "drawer"}, opening=opening)
    shown = in_sight(where).objects
    assert list(shown) == ["drawer", *(["can"] if seen else []), "red block"]
    assert all(shown[name] is where.objects[name] for name in shown)
    assert bool(scene_labels(where)["present"][OBJECT_NAMES.index("can")]) is seen


@pytest.mark.parametrize(
    ("skill", "args", "second"),
    [
        ("pick", {"object": "can"}, None),
        ("place_in", {"object": "can", "target": "drawer"}, "drawer"),
        ("place_on", {"object": "red block", "target": "green block"}, "green block"),
        ("place_on", {"object": "red block", "target": "back zone"}, "back zone"),
        ("push", {"object": "can", "direction": "back"}, "back"),
        ("open", {"object": "drawer"}, None),
        ("press", {"object": "button"}, None),
    ],
)
def test_a_call_is_three_numbers(skill: str, args: dict[str, str], second: str | None) -> None:
    """A push's direction stands where a target does; a call without one says so."""
    call = call_of(skill, args)
    assert list(call) == ["skill", "object", "target"]
    assert all(number.dtype == np.int8 for number in call.values())
    assert SKILLS[call["skill"]] == skill
    assert OBJECT_NAMES[call["object"]] == args["object"]
    assert call["target"] == -1 if second is None else TARGET_NAMES[call["target"]] == second


def test_what_cannot_be_called_is_an_error() -> None:
    """A name that no shard can hold is not silently another one."""
    for skill, args in (("wait", {}), ("pick", {"object": "plate zone"})):
        with pytest.raises((ValueError, KeyError)):
            call_of(skill, args)
