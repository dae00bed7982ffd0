"""Cameras, policy and its process fail in mid-motion: the arm is held at once, and it is said why.

With the real network, in the simulator; the worker is a real process that is really killed.
"""

from __future__ import annotations

import os
import signal

import pytest

from agent.build import Agent
from agent.chunks.clock import ActedPolicy
from agent.config import Config, load_config
from agent.doubles import Recorder
from agent.events import Event, Stopped, Ticked
from agent.types import MissionOutcome, MissionResult, Reason
from agent.worker import WorkerPolicy

COMMAND, SEED = "put the red block in the left zone", 1_000_001
AT_S = 3.0
"""When things go wrong, s; the arm is on its way to the block."""
WITHIN_TICKS = 2


def configured(*overrides: str) -> Config:
    return load_config(None, ["memory.file=null", *overrides])


class Killer:
    """Kills a process with the first tick from a time on."""

    def __init__(self, pid: int) -> None:
        self._pid: int | None = pid

    def on_event(self, event: Event) -> None:
        if isinstance(event, Ticked) and event.time_s >= AT_S and self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            self._pid = None


def run(agent: Agent, *subscribers: Killer) -> tuple[MissionResult, Recorder]:
    recorder = Recorder()
    try:
        return agent.runtime(SEED, [recorder, *subscribers]).run(COMMAND, SEED), recorder
    finally:
        agent.close()


def assert_held(agent: Agent, result: MissionResult, recorder: Recorder, reason: Reason) -> None:
    """The arm moved until it went wrong, then hardly at all, and the reason is told."""
    sent = [event.time_s for event in recorder.of(Ticked) if event.sent is not None]
    assert len(sent) > 20
    assert AT_S - 0.15 < max(sent) < AT_S + (WITHIN_TICKS - 0.5) / agent.robot.spec.rate_hz
    assert agent.robot.stopped
    assert result.outcome is MissionOutcome.STOPPED
    assert result.results[-1].verdict.reason is reason
    assert result.question is not None
    assert reason.value.replace("_", " ") in result.question
    assert [event.source for event in recorder.of(Stopped)] == [reason.value]


@pytest.mark.parametrize("camera", ["front", "wrist"])
def test_a_blank_camera_holds_the_arm(camera: str) -> None:
    disturbed = [f"robot.disturbances.blank_s={AT_S}", f"robot.disturbances.camera={camera}"]
    agent = Agent(configured(*disturbed))
    result, recorder = run(agent)
    assert_held(agent, result, recorder, Reason.CAMERA_LOST)
    assert result.question is not None
    assert f"{camera}: blank" in result.question


def test_a_frozen_camera_holds_the_arm() -> None:
    """It takes a little motion to tell that the picture does not follow."""
    agent = Agent(configured(f"robot.disturbances.frozen_s={AT_S}"))
    result, recorder = run(agent)
    assert result.results[-1].verdict.reason is Reason.CAMERA_LOST
    sent = [event.time_s for event in recorder.of(Ticked) if event.sent is not None]
    assert max(sent) < AT_S + 0.5
    assert agent.robot.stopped


@pytest.mark.parametrize("fault", ["nan", "out_of_range"])
def test_answers_that_make_no_sense_hold_the_arm(fault: str) -> None:
    agent = Agent(configured(f"policy.fault={fault}", f"policy.fault_s={AT_S}"))
    result, recorder = run(agent)
    assert_held(agent, result, recorder, Reason.POLICY_INVALID)


@pytest.mark.parametrize("fault", ["slow", "dead"])
def test_a_policy_that_hangs_or_dies_holds_the_arm(fault: str) -> None:
    agent = Agent(configured("policy.limit_s=3", f"policy.fault={fault}", f"policy.fault_s={AT_S}"))
    result, recorder = run(agent)
    assert_held(agent, result, recorder, Reason.POLICY_LOST)


def test_a_policy_whose_process_is_killed_holds_the_arm() -> None:
    agent = Agent(configured("policy.limit_s=20"))
    asked = agent.policies["pick"]
    assert isinstance(asked, ActedPolicy)
    assert isinstance(asked.policy, WorkerPolicy)
    result, recorder = run(agent, Killer(asked.policy.pid))
    assert_held(agent, result, recorder, Reason.POLICY_LOST)
