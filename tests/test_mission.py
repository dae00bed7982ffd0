"""Whole missions with the shipped checkpoints, from camera images."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.build import Agent
from agent.cli import main
from agent.config import load_config
from agent.doubles import Recorder
from agent.episode.reader import read_episode
from agent.episode.writer import EpisodeWriter
from agent.errors import EpisodeError, RobotError
from agent.events import Event, Ticked
from agent.mission import Mission, run_mission
from agent.robots.tabletop.world import TabletopWorld
from agent.sections import EpisodeConfig
from agent.types import MissionOutcome, Scene, Vector
from skills.evaluate.commands import draw_command
from tests.episode.test_library import log
from tests.episode.test_writer import small_files

PRIVILEGED = ("truth", "carried", "position", "yaw", "put", "pose_arm", "slide", "opening", "lamp")
ROOT = Path(__file__).parents[1]


def seed_with(objects: int, start: int = 2_000_000) -> tuple[int, str]:
    """Return the first seed from `start` on whose scene has a command for so many blocks."""
    for seed in range(start, start + 100):
        command = draw_command(seed, objects)
        if command is not None:
            return seed, command.text
    raise AssertionError("No scene has such a command.")


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    made = Agent(load_config(None, ["memory.file=null"]))
    yield made
    made.close()


def test_mission_succeeds_and_leaves_an_episode_and_a_film(agent: Agent, tmp_path: Path) -> None:
    """The mission is the one of `make demo`, which the README shows."""
    found = re.search(r'bosun run "(.+)" \\\n\s+--seed (\d+)', (ROOT / "Makefile").read_text())
    assert found is not None
    command, seed = found[1], int(found[2])
    folder = tmp_path / "episode"
    summary = run_mission(agent, Mission(command, seed, folder, tmp_path / "film.mp4"))
    assert summary["outcome"] == "success"
    assert summary["world_success"] is True
    assert json.loads((folder / "summary.json").read_text()) == summary
    episode = read_episode(folder)
    assert episode.complete
    assert episode.outcome is MissionOutcome.SUCCESS
    assert episode.command == command
    assert (tmp_path / "film.mp4").stat().st_size > 10_000


def test_a_full_disk_ends_a_mission_with_one_sentence_and_holds_the_arm(
    agent: Agent, tmp_path: Path
) -> None:
    folder = tmp_path / "episode"
    with small_files(folder), pytest.raises(EpisodeError) as told:
        run_mission(agent, Mission("open the drawer", 20, folder))
    assert "the disk is full" in str(told.value) and "\n" not in str(told.value)
    assert agent.robot.stopped
    assert read_episode(folder).tick_count > 0
    assert [path.name for path in folder.iterdir()] == ["episode.mcap"]


def test_the_oldest_episodes_give_way_to_a_new_one_beside_them(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = EpisodeConfig(limit_gb=1e-6)
    monkeypatch.setattr(agent, "config", agent.config.model_copy(update={"episode": small}))
    old = log(Path("runs") / "missions-1" / "old", 60)
    run_mission(agent, Mission("open the drawer", 20, Path("elsewhere"), dry_run=True))
    assert old.exists()
    run_mission(agent, Mission("open the drawer", 20, Path("runs") / "new", dry_run=True))
    assert not old.exists() and read_episode(Path("runs") / "new").complete


def test_agent_never_reads_privileged_state(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every privileged read is made to raise for the whole mission, disturbances being off."""
    seed, command = seed_with(1)

    def forbidden(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("The agent read privileged state.")

    # The world lays out its scene and moves its fingers by its own state, which is its business;
    # `step` asks `carried` only for the disturbances.
    agent.robot.reset(seed)
    monkeypatch.setattr(agent.tabletop.world, "reset", lambda seed: None)
    for name in PRIVILEGED:
        monkeypatch.setattr(TabletopWorld, name, forbidden)
    with pytest.raises(AssertionError, match="privileged"):
        agent.tabletop.world.truth()
    result = agent.runtime(seed).run(command, seed)
    assert result.outcome is MissionOutcome.SUCCESS


def test_same_seed_gives_the_same_actions_and_states(agent: Agent) -> None:
    seed, command = seed_with(1, 2_000_100)
    runs = []
    for _ in range(2):
        recorder = Recorder()
        agent.runtime(seed, [recorder]).run(command, seed)
        ticks = [event for event in recorder.events if isinstance(event, Ticked)]
        runs.append(
            (
                [t.action.tobytes() for t in ticks],
                [None if t.sent is None else t.sent.tobytes() for t in ticks],
                [t.observation.joint_pos.tobytes() for t in ticks],
                [t.observation.images["front"].tobytes() for t in ticks],
                agent.tabletop.world.data.qpos.tobytes(),
            )
        )
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("pick up the purple block", ["purple"]),
        ("put the block in the bowl", ["green block", "yellow block"]),
        ("flibber the wug", []),
    ],
)
def test_unclear_command_asks_and_nothing_moves(
    agent: Agent, command: str, words: list[str]
) -> None:
    recorder = Recorder()
    result = agent.runtime(3, [recorder]).run(command, 3)
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert result.question
    for word in words:
        assert word in result.question
    assert not [event for event in recorder.events if isinstance(event, Ticked)]


class StopAfter:
    """Sets the latch from another thread once so many ticks have passed."""

    def __init__(self, agent: Agent, ticks: int) -> None:
        self.agent, self.left, self.seen_after = agent, ticks, 0

    def on_event(self, event: Event) -> None:
        if isinstance(event, Ticked):
            if self.agent.robot.stopped and event.sent is not None:
                self.seen_after += 1
            self.left -= 1
            if self.left == 0:
                thread = threading.Thread(target=self.agent.robot.stop)
                thread.start()
                thread.join()


def test_stop_holds_the_arm_and_ends_the_mission(agent: Agent) -> None:
    seed, command = seed_with(1)
    stopper = StopAfter(agent, 6)
    result = agent.runtime(seed, [stopper]).run(command, seed)
    assert result.outcome is MissionOutcome.STOPPED
    assert stopper.seen_after == 0
    held = agent.tabletop.world.joint_pos
    assert np.abs(agent.robot.observe().joint_pos - held).max() == 0.0


def test_interrupt_stops_the_mission_with_its_exit_code(tmp_path: Path) -> None:
    seed, command = seed_with(2)
    folder = tmp_path / "episode"
    process = start(command, seed, folder)
    wait_for_ticks(folder, 60_000)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 4
    assert read_episode(folder).outcome is MissionOutcome.STOPPED


def test_a_world_that_is_gone_in_the_end_gives_no_score(
    agent: Agent, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = agent.truth
    assert world is not None
    scenes = iter([world.truth()])

    class Leaving:
        def truth(self) -> Scene:
            for scene in scenes:
                return scene
            raise RobotError("The world is gone.")

    monkeypatch.setitem(agent.__dict__, "truth", Leaving())
    seed, command = seed_with(1)
    told = run_mission(agent, Mission(command, seed, tmp_path / "ep"), [StopAfter(agent, 2)])
    assert (told["outcome"], told["world_success"]) == ("stopped", None)
    assert (tmp_path / "ep" / "summary.json").exists()


def test_an_interrupt_while_a_log_is_closed_waits_until_it_is(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = EpisodeWriter.close

    def interrupted(writer: EpisodeWriter) -> None:
        signal.raise_signal(signal.SIGINT)
        close(writer)

    monkeypatch.setattr(EpisodeWriter, "close", interrupted)
    # What is started in a shell's background ignores interrupts from the first.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_mission(agent, Mission("open the drawer", 20, tmp_path / "episode", dry_run=True))
    finally:
        signal.signal(signal.SIGINT, before)
    assert read_episode(tmp_path / "episode").complete
    assert json.loads((tmp_path / "episode" / "summary.json").read_text())["outcome"] == "planned"


def test_an_interrupt_stops_a_robot_that_is_just_being_sent_something(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A robot that sends keeps others from holding it meanwhile, as one over ROS 2 does."""
    act, stop, sending = agent.robot.act, agent.robot.stop, threading.Lock()
    waited = list[bool]()

    def sent(action: Vector) -> Vector:
        with sending:
            if not waited:
                signal.raise_signal(signal.SIGINT)
            return act(action)

    def stopped() -> None:
        waited.append(sending.acquire(timeout=5.0))
        if waited[-1]:
            sending.release()
        stop()

    monkeypatch.setattr(agent.robot, "act", sent)
    monkeypatch.setattr(agent.robot, "stop", stopped)
    assert run_mission(agent, Mission("open the drawer", 20))["outcome"] == "stopped"
    assert waited and all(waited)


def test_killed_mission_leaves_a_readable_episode(tmp_path: Path) -> None:
    seed, command = seed_with(2)
    folder = tmp_path / "episode"
    process = start(command, seed, folder)
    wait_for_ticks(folder, 120_000)
    size = (folder / "episode.mcap").stat().st_size
    process.kill()
    process.wait(60)
    episode = read_episode(folder)
    assert not episode.complete
    ticks = list(episode.ticks())
    assert ticks
    # Everything that had reached the file when the process was killed is read back.
    assert sum(t.observation.images["front"].nbytes for t in ticks) > 0
    assert (folder / "episode.mcap").stat().st_size >= size


def start(command: str, seed: int, folder: Path) -> subprocess.Popen[bytes]:
    words = ["run", command, f"--seed={seed}", f"--episode={folder}", "--set=memory.file=null"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "agent.cli", *words], stdout=subprocess.DEVNULL, env=environment
    )


def wait_for_ticks(folder: Path, size: int) -> None:
    """Wait until the log has grown to so many bytes, which takes moving."""
    path = folder / "episode.mcap"
    deadline = time.monotonic() + 120
    while not (path.exists() and path.stat().st_size > size):
        assert time.monotonic() < deadline, "The mission did not get going."
        time.sleep(0.02)


def test_dry_run_plans_and_moves_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seed, command = seed_with(2)
    assert main(["run", command, "--seed", str(seed), "--dry-run", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["outcome"] == "planned"
    assert summary["plan"][0]["skill"] == "pick"
    assert summary["subgoals"] == []
    assert summary["seconds"] == 0.0
    assert summary["world_success"] is None


def test_plan_over_budget_asks(agent: Agent) -> None:
    seed, command = seed_with(3)
    tight = Agent(load_config(None, ["memory.file=null", "planner.max_subgoals=2"]))
    try:
        result = tight.runtime(seed).run(command, seed)
    finally:
        tight.close()
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert result.question is not None
    assert "2" in result.question
