"""Whole missions on the tabletop with models that know nothing: they fail, in the right code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.build import Agent
from agent.config import Config, load_config
from agent.doubles import Recorder
from agent.errors import ConfigError
from agent.events import Event, MissionStarted, Ticked
from agent.mission import EXIT_CODES, Mission, run_mission
from agent.protocols import Robot
from agent.types import MissionOutcome
from skills.interface.schema import CameraInput, Interface
from tests.models.samples import openvla_interface, pi0_interface

COMMAND, SEED = "pick up the red block", 1_000_001


def written(source: str, interface: Interface, folder: Path) -> list[str]:
    """Return settings as a user writes them, with a mission's time cut short."""
    file = folder / "interface.yaml"
    file.write_text(yaml.safe_dump(interface.model_dump(mode="json")))
    return [
        f"policy.source={source}",
        f"policy.interface={file}",
        "policy.local.dtype=float32",
        "memory.file=null",
        "budget.seconds=18",
        "budget.replans=0",
        "budget.attempts=1",
    ]


def configured(source: str, interface: Interface, folder: Path) -> Config:
    """Return the configuration of these settings."""
    return load_config(None, written(source, interface, folder))


def run(config: Config) -> tuple[dict[str, Any], Recorder]:
    agent, recorder = Agent(config), Recorder()
    try:
        return run_mission(agent, Mission(COMMAND, SEED), [recorder]), recorder
    finally:
        agent.close()


def scaled(interface: Interface, scale: float) -> Interface:
    """Return an interface whose motion is so much smaller, that the arm may make it."""
    actions = interface.actions.model_copy(update={"scale": scale})
    return interface.model_copy(update={"actions": actions})


@pytest.mark.parametrize("kind", ["pi0", "openvla"])
def test_a_model_that_knows_nothing_runs_out_of_time(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder: Path = request.getfixturevalue(kind)
    interface = scaled(pi0_interface(), 0.002) if kind == "pi0" else openvla_interface()
    summary, recorder = run(configured(f"{kind}:{folder}", interface, tmp_path))
    assert summary["outcome"] == "needs_help" and summary["world_success"] is False
    assert EXIT_CODES[MissionOutcome(summary["outcome"])] == 3
    (subgoal,) = summary["subgoals"]
    assert (subgoal["outcome"], subgoal["reason"]) == ("timeout", "timeout")
    moved = [tick for tick in recorder.of(Ticked) if tick.sent is not None]
    assert len(moved) == subgoal["ticks"] == 120
    assert len({tick.action.tobytes() for tick in moved}) > 3
    assert all(tick.chunk.success is None for tick in moved)
    (started,) = recorder.of(MissionStarted)
    assert started.metadata["policy_origin"]["server"]["parameters"] > 100_000


def test_actions_that_no_arm_could_make_hold_it(pi0: Path, tmp_path: Path) -> None:
    """Metres and radians where the interface forgets to say what its numbers are."""
    summary, recorder = run(configured(f"pi0:{pi0}", scaled(pi0_interface(), 100), tmp_path))
    assert summary["outcome"] == "stopped"
    assert summary["subgoals"][0]["reason"] == "policy_invalid"
    assert not [tick for tick in recorder.of(Ticked) if tick.sent is not None]


def test_a_camera_that_the_robot_has_not_is_refused_before_motion(
    openvla: Path, tmp_path: Path
) -> None:
    interface = openvla_interface(cameras={"image": CameraInput(camera="frnt")})
    with pytest.raises(ConfigError, match="Did you mean 'front'"):
        run(configured(f"openvla:{openvla}", interface, tmp_path))


def test_a_folder_needs_an_interface(pi0: Path) -> None:
    with pytest.raises(ConfigError, match=r"name it with policy\.interface"):
        Agent(load_config(None, [f"policy.source=pi0:{pi0}", "memory.file=null"]))


class Stopper:
    """Stops a robot with the first tick from a second of the mission on."""

    def __init__(self, robot: Robot, from_s: float = 1.0) -> None:
        self._robot, self._from_s = robot, from_s

    def on_event(self, event: Event) -> None:
        if isinstance(event, Ticked) and event.time_s >= self._from_s:
            self._robot.stop()


def test_the_same_mission_is_the_same_again(pi0: Path, tmp_path: Path) -> None:
    agent = Agent(configured(f"pi0:{pi0}", scaled(pi0_interface(), 0.002), tmp_path))
    sent = []
    try:
        for _ in range(2):
            recorder = Recorder()
            run_mission(agent, Mission(COMMAND, SEED), [recorder, Stopper(agent.robot)])
            sent.append([t.sent.tolist() for t in recorder.of(Ticked) if t.sent is not None])
    finally:
        agent.close()
    assert sent[0] == sent[1] and len(sent[0]) == 11
