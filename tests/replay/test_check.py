"""Episodes done again in the world: the same to the bit, or it is said where not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.build import Agent
from agent.cli import main
from agent.config import load_config
from agent.episode.reader import read_episode
from agent.episode.writer import EpisodeWriter
from agent.errors import CheckpointError
from agent.events import Event, MissionStarted, Ticked, VerdictGiven
from agent.mission import Mission, run_mission
from agent.replay.check import Check, check
from agent.resources import resource
from agent.skilled import POLICY_CHECKPOINT
from tests.replay.conftest import SEED, STOPPED_AT, Recorded, rewritten

TICK = 7
Change = Callable[[Event, int], Event]


def checked(path: Path) -> Check:
    return check(read_episode(path))


@pytest.mark.parametrize("name", ["lamp", "drawer", "asked"])
def test_an_episode_is_the_same_to_the_bit(recorded: Recorded, name: str) -> None:
    """`drawer` went on in the world that `lamp` had left."""
    episode = read_episode(getattr(recorded, name))
    found = check(episode)
    assert found.same and found.changed == () and found.held_s is None
    assert found.ticks == episode.tick_count
    assert found.events == episode.tick_count + len(episode.decisions)
    assert (found.ticks == 0) is (name == "asked")


def test_a_mission_stopped_by_hand_is_compared_up_to_there(recorded: Recorded) -> None:
    found = checked(recorded.stopped)
    assert found.same
    assert found.held_s == pytest.approx(STOPPED_AT / 10, abs=0.2)
    assert STOPPED_AT - 2 <= found.ticks <= STOPPED_AT


def test_a_mission_that_was_cut_short_is_compared_as_far_as_it_goes(
    recorded: Recorded, tmp_path: Path
) -> None:
    shutil.copytree(recorded.lamp, tmp_path / "cut")
    file = tmp_path / "cut" / "episode.mcap"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    episode = read_episode(file)
    assert episode.tick_count > 0 and episode.outcome is None
    found = check(episode)
    assert found.same and found.ticks == episode.tick_count


def flipped(number: float) -> float:
    """Return a number whose last bit is another one."""
    bits = np.array([number], np.float64).view(np.uint64) ^ np.uint64(1)
    return float(bits.view(np.float64)[0])


def sent_changed(event: Event, ticks: int) -> Event:
    if not isinstance(event, Ticked) or ticks != TICK or event.sent is None:
        return event
    sent = event.sent.copy()
    sent[2] = flipped(sent[2])
    return replace(event, sent=sent)


def pixel_changed(event: Event, ticks: int) -> Event:
    if not isinstance(event, Ticked) or ticks != TICK:
        return event
    image = event.observation.images["wrist"].copy()
    image[40, 12, 1] ^= 1
    images = {**event.observation.images, "wrist": image}
    return replace(event, observation=replace(event.observation, images=images))


def joint_changed(event: Event, ticks: int) -> Event:
    if not isinstance(event, Ticked) or ticks != TICK:
        return event
    joints = event.observation.joint_pos.copy()
    joints[3] = flipped(joints[3])
    return replace(event, observation=replace(event.observation, joint_pos=joints))


def verdict_changed(event: Event, ticks: int) -> Event:
    if not isinstance(event, VerdictGiven):
        return event
    verdict = replace(event.verdict, confidence=flipped(event.verdict.confidence))
    return replace(event, verdict=verdict)


@pytest.mark.parametrize(
    ("change", "topic", "field", "in_the_world"),
    [
        (sent_changed, "/action", "sent[2]", False),
        (pixel_changed, "/camera/wrist", "row 40, column 12", True),
        (joint_changed, "/state", "joint_pos[3]", True),
        (verdict_changed, "/verdict", "verdict.confidence", False),
    ],
)
def test_a_single_bit_is_found_and_named(
    recorded: Recorded, tmp_path: Path, change: Change, topic: str, field: str, in_the_world: bool
) -> None:
    found = checked(rewritten(recorded.lamp, tmp_path / "changed", change))
    assert not found.same
    assert found.divergence is not None
    assert found.divergence.topic == topic and field in found.divergence.field
    assert found.divergence.then != found.divergence.now
    if topic != "/verdict":
        assert found.divergence.tick == TICK
    if in_the_world:
        assert found.world is not None
        assert (found.world.tick, found.world.topic) == (TICK, topic)
        assert found.ticks == TICK


@pytest.mark.parametrize("name", ["contracts", "prompts", "policy", "scene", "calibration"])
def test_another_hash_is_found_and_named(recorded: Recorded, tmp_path: Path, name: str) -> None:
    def changed(event: Event, ticks: int) -> Event:
        if not isinstance(event, MissionStarted):
            return event
        hashed = str(event.metadata[name])
        other = ("0" if hashed[0] != "0" else "1") + hashed[1:]
        return replace(event, metadata={**event.metadata, name: other})

    found = checked(rewritten(recorded.asked, tmp_path / "changed", changed))
    assert not found.same
    assert [change.name for change in found.changed] == [name]


def test_another_version_that_does_the_same_is_said_and_let_pass(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def changed(event: Event, ticks: int) -> Event:
        if not isinstance(event, MissionStarted):
            return event
        packages = {**event.metadata["packages"], "mujoco": "4.0.9"}
        return replace(event, metadata={**event.metadata, "packages": packages})

    folder = rewritten(recorded.asked, tmp_path / "changed", changed)
    assert main(["replay", str(folder), "--check"]) == 0
    told = capsys.readouterr().out
    assert 'packages.mujoco was "4.0.9", is "' in told and "The same, bit by bit" in told


def test_a_flipped_bit_in_the_checkpoint_is_found_and_named(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    shutil.copytree(resource(POLICY_CHECKPOINT), weights)
    agent = Agent(load_config(None, ["memory.file=null", f"policy.checkpoint={weights}"]))
    run_mission(agent, Mission("pick up the purple block", SEED, tmp_path / "episode"))
    agent.close()
    assert checked(tmp_path / "episode").same
    file = weights / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1000] ^= 1
    file.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"weights are not those of the episode \(they were"):
        checked(tmp_path / "episode")


def test_a_folder_is_checked_episode_by_episode(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EpisodeWriter(tmp_path / "runs" / "empty"):
        pass
    shutil.copytree(recorded.asked, tmp_path / "runs" / "good")
    rewritten(recorded.lamp, tmp_path / "runs" / "bad", pixel_changed)
    assert main(["replay", str(tmp_path / "runs"), "--check", "--json"]) == 1
    printed = capsys.readouterr()
    told = {Path(one["episode"]).name: one for one in json.loads(printed.out)["episodes"]}
    assert (told["good"]["same"], told["bad"]["same"]) == (True, False)
    assert "ends before its mission began" in told["empty"]["error"]
    assert printed.err.count("ends before its mission began") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Say what to do with the episode"),
        (["--check", "--from", "3x"], "not a whole number"),
        (["--from", "9000"], "There is no tick 9000"),
        (["--decisions", "--set", "monitor.alpa=0.1"], "monitor.alpha"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    recorded: Recorded, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main(["replay", str(recorded.lamp), *words]) == 2
    told = capsys.readouterr().err
    assert sentence in told and told.count("\n") == 1


def test_a_folder_without_an_episode_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(tmp_path), "--check"]) == 1
    assert "There is no episode in" in capsys.readouterr().err
