"""A disk that fills up in the middle of a mission stops the robot, and loses nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.doubles import Recorder, ScriptedMonitor, StillRobot
from agent.episode.reader import read_episode
from agent.episode.verify import verify
from agent.episode.writer import EpisodeWriter
from agent.errors import EpisodeError, RobotStopped
from agent.events import MissionEnded, Ticked
from tests.benchmarks.kills import PacedRobot
from tests.episode.samples import same
from tests.episode.test_writer import small_files, tiny_disk
from tests.parts import DONE, Bench


class BusyRobot(PacedRobot):
    """A robot with large pictures that does not take its time."""

    act = StillRobot.act


@pytest.mark.parametrize("limited", [tiny_disk, small_files])
def test_a_full_disk_ends_the_mission_and_holds_the_robot(limited: Any, tmp_path: Path) -> None:
    recorder = Recorder()
    with limited(tmp_path):
        writer = EpisodeWriter(tmp_path / "episode")
        monitor = ScriptedMonitor([DONE], ticks=100)
        bench = Bench(robot=BusyRobot(), monitor=monitor, subscribers=[recorder, writer])
        with writer, pytest.raises(EpisodeError) as told:
            bench.runtime.run("put the red block in the blue bowl", 0)
        episode = read_episode(writer.path)
        findings = verify(writer.path)
        events = list(episode.events())
    assert "the disk is full" in str(told.value) and "\n" not in str(told.value)
    assert bench.robot.stopped
    with pytest.raises(RobotStopped):
        bench.robot.act(np.zeros(7))
    assert not recorder.of(MissionEnded)
    # All that was written before is there, to the last bit; what was on its way is a second's.
    assert not episode.complete and same(events, recorder.events[: len(events)])
    assert 0 < len(recorder.of(Ticked)) - episode.tick_count <= 11
    assert [finding.what for finding in findings] == ["the file"]
