"""Whole missions with the policy in another process: the same bits, and held where it fails."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from agent.build import Agent
from agent.config import load_config
from agent.doubles import Recorder
from agent.episode.reader import Episode, read_episode
from agent.events import Event, Ticked
from agent.mission import Mission, run_mission
from agent.protocols import Subscriber
from agent.types import MissionOutcome, MissionResult, Reason
from tests.conftest import LOGGED, LOGGED_SEED
from tests.serve.processes import Served, serving

PICK = LOGGED.index("pick up the red block")
AT_S = 1.0
"""When things go wrong, s; the arm is on its way."""


def driven(
    address: str, command: str, subscribers: Sequence[Subscriber] = ()
) -> tuple[Agent, MissionResult, Recorder]:
    """Carry out a command with the policy at an address."""
    config = load_config(None, ["memory.file=null", f"policy=openpi://{address}"])
    agent, recorder = Agent(config), Recorder()
    try:
        runtime = agent.runtime(LOGGED_SEED, [recorder, *subscribers])
        return agent, runtime.run(command, LOGGED_SEED), recorder
    finally:
        agent.close()


def test_a_mission_with_the_policy_elsewhere_is_the_same_bit_for_bit(
    logged: list[Episode], served: Served
) -> None:
    agent, result, recorder = driven(served.address, LOGGED[PICK])
    assert result.outcome is MissionOutcome.SUCCESS
    # The weights are ours, so what the monitor knows of them holds there, too.
    assert agent.caveat is None
    picking = recorder.of(Ticked)[: result.results[0].ticks]
    assert picking and all(tick.strain is not None for tick in picking)
    there, here = recorder.of(Ticked), list(logged[PICK].ticks())
    assert len(there) == len(here) > 20
    for one, other in zip(there, here, strict=True):
        assert one.time_s == other.time_s
        assert np.array_equal(one.chunk.actions, other.chunk.actions)
        assert (one.chunk.progress, one.chunk.success) == (
            other.chunk.progress,
            other.chunk.success,
        )
        assert one.chunk.dt_s == other.chunk.dt_s
        assert (one.chunk.spread is None) == (other.chunk.spread is None)
        if one.chunk.spread is not None and other.chunk.spread is not None:
            assert np.array_equal(one.chunk.spread, other.chunk.spread)
        assert np.array_equal(one.action, other.action)
        assert (one.sent is None) == (other.sent is None)
        if one.sent is not None and other.sent is not None:
            assert np.array_equal(one.sent, other.sent)
        for camera, image in one.observation.images.items():
            assert np.array_equal(image, other.observation.images[camera])


def test_without_heads_what_is_seen_from_home_is_the_second_witness(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As with a server of somebody else's, which answers actions and nothing else."""
    monkeypatch.setattr("skills.clients.openpi._head", lambda *asked: None)
    command = "put the red block in the drawer, close it and turn on the lamp"
    agent = Agent(load_config(None, ["memory.file=null", f"policy=openpi://{served.address}"]))
    try:
        summary = run_mission(agent, Mission(command, LOGGED_SEED, tmp_path / "episode"))
    finally:
        agent.close()
    assert (summary["outcome"], summary["world_success"]) == ("success", True)
    results = read_episode(tmp_path / "episode").results
    done = [r for r in results if r.subgoal.skill != "look" and r.verdict.reason is Reason.DONE]
    assert len(done) == len(summary["plan"]) > 4
    assert {(r.verdict.evidence["success"], r.ticks) for r in done} == {(None, 0)}


def test_a_server_that_is_killed_in_mid_motion_holds_the_arm() -> None:
    class Killer:
        def on_event(self, event: Event) -> None:
            if isinstance(event, Ticked) and event.time_s >= AT_S - 0.05:
                os.kill(server.pid, signal.SIGKILL)

    with serving(kill=True) as server:
        agent, result, recorder = driven(server.address, LOGGED[PICK], [Killer()])
    sent = [event.time_s for event in recorder.of(Ticked) if event.sent is not None]
    assert AT_S - 0.15 < max(sent) < AT_S + 0.15
    assert agent.robot.stopped
    assert result.outcome is MissionOutcome.STOPPED and result.question is not None
    assert result.results[-1].verdict.reason is Reason.POLICY_LOST
    assert "nobody listens there" in result.question or "broke off" in result.question
