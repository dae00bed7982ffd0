"""Missions on an arm that is sent joints, and on a Fetch: logged, repeated and shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.build import Agent
from agent.config import load_config
from agent.episode.lerobot.export import export_lerobot
from agent.episode.page import write_page
from agent.episode.reader import Episode, read_episode
from agent.episode.table import export_csv
from agent.mission import Mission, run_mission
from agent.replay.check import check
from agent.replay.decisions import Reviewer

FETCH, JOINTS = ("robot.kind=fetch",), ("robot.action=joint_position",)
SEED = 20
TOLD = {FETCH: "wait, then open the gripper, then go home", JOINTS: "press the button"}


@pytest.fixture(scope="module", params=[FETCH, JOINTS], ids=["fetch", "joints"])
def flown(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Agent, dict[str, Any], Episode]]:
    """Return an agent, what it said of its mission, and the mission's log."""
    config = load_config(None, [*request.param, "memory.file=null"])
    folder = tmp_path_factory.mktemp("flown")
    agent = Agent(config)
    try:
        summary = run_mission(agent, Mission(TOLD[request.param], SEED, folder))
        yield agent, summary, read_episode(folder)
    finally:
        agent.close()


Flown = tuple[Agent, dict[str, Any], Episode]


def test_the_mission_succeeds(flown: Flown) -> None:
    agent, summary, episode = flown
    assert summary["outcome"] == "success"
    assert summary["world_success"] in (True, None)
    assert episode.metadata["action"] == list(agent.body.spec.names)
    assert episode.metadata["workspace"] == [agent.body.low.tolist(), agent.body.high.tolist()]


def test_what_was_sent_is_in_the_robots_space(flown: Flown) -> None:
    agent, _, episode = flown
    spec = agent.body.spec
    sent = np.array([tick.sent for tick in episode.ticks() if tick.sent is not None])
    assert sent.shape[1] == len(spec.names)
    assert np.all((sent >= spec.low - 1e-9) & (sent <= spec.high + 1e-9))


def test_its_episode_is_the_same_to_the_bit_and_nothing_is_decided_otherwise(flown: Flown) -> None:
    _, _, episode = flown
    found = check(episode)
    assert found.same
    assert found.ticks == episode.tick_count
    reviewer = Reviewer()
    try:
        assert reviewer(episode).differences == ()
    finally:
        reviewer.close()


def test_it_can_be_had_in_other_forms(flown: Flown, tmp_path: Path) -> None:
    agent, _, episode = flown
    names = list(agent.body.spec.names)
    write_page(episode, tmp_path / "page.html")
    assert names[0] in (tmp_path / "page.html").read_text(encoding="utf-8")
    header = export_csv(episode, tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()[0]
    assert f"sent_{len(names)}" in header and f"sent_{len(names) + 1}" not in header
    folder = export_lerobot([episode], tmp_path / "lerobot")
    info = json.loads((folder / "meta" / "info.json").read_text(encoding="utf-8"))
    assert info["features"]["action"]["names"] == names
    assert info["fps"] == agent.body.spec.rate_hz


def test_what_no_skill_was_learned_for_is_said_in_one_sentence(flown: Flown) -> None:
    agent, _, _ = flown
    if agent.body.spec.names[0] != "dx [m]":
        assert "pick" in agent.contracts
        return
    before = agent.simulated.world.snapshot()["physics"]
    summary = run_mission(agent, Mission("pick up the red block", None))
    assert summary["outcome"] == "needs_help"
    assert summary["question"] == (
        "This robot has learned no skill as it is set up; all it can be told is: 'go home', 'look "
        "again from home', 'open the gripper', 'wait'."
    )
    assert agent.simulated.world.snapshot()["physics"] == before


def test_an_arm_that_cannot_turn_its_tool_has_only_what_needs_no_learning() -> None:
    config = load_config(None, ["robot.action=delta_ee_position", "memory.file=null"])
    agent = Agent(config)
    try:
        assert not any(contract.learned for contract in agent.contracts.values())
        summary = run_mission(agent, Mission("go home", SEED))
    finally:
        agent.close()
    assert summary["outcome"] == "success"
