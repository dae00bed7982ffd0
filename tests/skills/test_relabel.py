"""Asking the teachers again about recorded frames."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from skills.dataset import SKILLS, open_shard, shards
from skills.relabel import relabel


def test_the_same_teacher_gives_the_same_labels(tiny_data: Path, tmp_path: Path) -> None:
    """A frame's labels hold all that the placing teachers look at."""
    copy = tmp_path / "copy"
    shutil.copytree(tiny_data, copy)
    assert relabel(copy) == 0


def test_wrong_labels_of_placing_are_mended_and_others_left(
    tiny_data: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_data, copy)
    folder = next(shards([copy]))
    before = np.array(open_shard(folder)["action"])
    skill = np.asarray(open_shard(folder)["skill"])
    placing = np.isin(skill, [SKILLS.index("place_in"), SKILLS.index("place_on")])
    assert placing.any()
    assert not placing.all()
    np.save(folder / "action.npy", np.full_like(before, 0.5))
    assert relabel(copy) == placing.sum()
    after = np.asarray(open_shard(folder)["action"])
    np.testing.assert_allclose(after[placing], before[placing], atol=1e-4)
    assert (after[~placing] == 0.5).all()
