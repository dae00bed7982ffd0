"""A few missions killed at random; `tests.benchmarks.kills` does it a hundred times."""

from __future__ import annotations

import random
from pathlib import Path

from tests.benchmarks.kills import MAX_LOST, hashes, killed, lost


def test_a_killed_mission_loses_at_most_a_second_and_disturbs_no_other(tmp_path: Path) -> None:
    rng, before = random.Random(), dict[Path, str]()
    for _ in range(5):
        told = killed(tmp_path, rng.uniform(0.0, 1.0))
        assert told and lost(tmp_path, told) <= MAX_LOST
        now = hashes(tmp_path)
        assert len(now) > len(before)
        assert {path: now.get(path) for path in before} == before
        before = now
