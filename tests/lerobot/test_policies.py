"""LeRobot's own policies, tiny and random, run by LeRobot and asked by Bosun."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from agent.action_space import ActionSpace
from agent.build import Agent
from agent.config import load_config
from agent.errors import CheckpointError, ConfigError, PolicyLost
from agent.mission import Mission, run_mission
from skills.interface.schema import (
    ActionOutput,
    CameraInput,
    Interface,
    Part,
    PromptInput,
    StateInput,
)
from skills.lerobot.backend import LeRobotBackend
from tests.environments import ROOT
from tests.lerobot.conftest import run_lerobot
from tests.lerobot.tiny_policies import ACTION, CAMERA, STATE, TICKS, inputs

pytestmark = pytest.mark.lerobot


@pytest.fixture(scope="module")
def policies(lerobot_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a folder for each policy."""
    folder = tmp_path_factory.mktemp("policies")
    run_lerobot(lerobot_python, "tiny_policies.py", folder / "home", folder)
    return folder


@pytest.fixture(scope="module")
def act(lerobot_python: Path, policies: Path) -> Iterator[LeRobotBackend]:
    backend = LeRobotBackend(policies / "act", lerobot_python)
    yield backend
    backend.close()


def gone(pid: int) -> bool:
    """Return whether a process has ended, within half a minute."""
    for _ in range(300):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def expected(folder: Path) -> np.ndarray:
    """Return (ticks, rows, 7) what LeRobot itself answers."""
    with np.load(folder / "answers.npz") as saved:
        answers: np.ndarray = saved["answers"]
    return answers


def test_act_answers_as_lerobot_itself_does(act: LeRobotBackend, policies: Path) -> None:
    assert act.metadata["policy"] == "act" and act.metadata["parameters"] > 1_000_000
    assert act.metadata["inputs"] == {CAMERA: [3, 64, 64], STATE: [15]}
    answers = expected(policies / "act")
    for _ in range(2):
        act.reset()
        for tick in range(TICKS):
            actions = act.ask(inputs(tick)).actions
            assert actions.shape == (8, 7)
            np.testing.assert_allclose(actions, answers[tick], atol=1e-6)


def test_a_picture_may_have_its_colours_first(act: LeRobotBackend) -> None:
    asked = inputs(0)
    first = asked[CAMERA].transpose(2, 0, 1).astype(np.float32) / 255
    answers = []
    for change in ({}, {CAMERA: first}):
        act.reset()
        answers.append(act.ask(asked | change).actions)
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-6)


def test_what_it_does_not_expect_is_named(act: LeRobotBackend) -> None:
    wrong = {
        "Did you mean 'observation.state'": inputs(0) | {"observation.stat": np.zeros(15)},
        r"observation.state: \(15,\) is expected, not \(3,\)": inputs(0) | {STATE: np.zeros(3)},
        "observation.images.front: it is missing": {STATE: np.zeros(15), "task": ""},
        r"\(3, 64, 64\) is expected, not \(64, 64\)": inputs(0) | {CAMERA: np.zeros((64, 64))},
    }
    for told, asked in wrong.items():
        with pytest.raises(PolicyLost, match=told):
            act.ask(asked)
        act.reset()
    assert act.ask(inputs(0)).actions.shape == (8, 7)


def interface() -> Interface:
    return Interface(
        name="tiny",
        nested=False,
        cameras={CAMERA: CameraInput(camera="front", size=(64, 64))},
        state={
            STATE: StateInput(
                parts=(Part.EE_POSITION, Part.EE_QUATERNION_WXYZ, Part.GRIPPER, Part.JOINTS),
                joints=7,
            )
        },
        prompt=PromptInput(key="task"),
        actions=ActionOutput(
            keys=(ACTION,),
            space=ActionSpace.DELTA_EE,
            dim=7,
            horizon=8,
            execute=8,
            rate_hz=10,
            scale=0.1,
        ),
    )


@pytest.mark.parametrize("kind", ["act", "smolvla"])
def test_a_policy_that_knows_nothing_runs_out_of_time(
    kind: str, policies: Path, lerobot_python: Path, tmp_path: Path
) -> None:
    file = tmp_path / "interface.yaml"
    file.write_text(yaml.safe_dump(interface().model_dump(mode="json")))
    config = load_config(
        None,
        [
            f"policy.source=lerobot:{policies / kind}",
            f"policy.interface={file}",
            f"policy.python={lerobot_python}",
            "memory.file=null",
            "budget.seconds=18",
            "budget.replans=0",
            "budget.attempts=1",
        ],
    )
    agent = Agent(config)
    try:
        summary = run_mission(agent, Mission("pick up the red block", 1_000_001))
    finally:
        agent.close()
    assert summary["outcome"] == "needs_help" and summary["world_success"] is False
    (subgoal,) = summary["subgoals"]
    assert (subgoal["reason"], subgoal["ticks"]) == ("timeout", 120)


def test_a_process_that_dies_is_a_lost_policy(policies: Path, lerobot_python: Path) -> None:
    """Diffusion looks at two ticks, so until then it is asked for one action at a time."""
    backend = LeRobotBackend(policies / "diffusion", lerobot_python, timeout_s=30)
    try:
        backend.reset()
        answers = expected(policies / "diffusion")
        for tick in range(TICKS):
            actions = backend.ask(inputs(tick)).actions
            np.testing.assert_allclose(actions, answers[tick], atol=1e-5)
        assert backend.pid is not None
        os.kill(backend.pid, signal.SIGKILL)
        with pytest.raises(PolicyLost, match="is lost"):
            backend.ask(inputs(0))
    finally:
        backend.close()
    with pytest.raises(PolicyLost, match="has been ended"):
        backend.ask(inputs(0))


def test_it_ends_with_whoever_started_it(policies: Path, lerobot_python: Path) -> None:
    """Also where that one is killed while it waits, and can end nothing."""
    starter = (
        "import os, pathlib, signal, sys, time\n"
        "from skills.lerobot.backend import LeRobotBackend\n"
        "class Killed(LeRobotBackend):\n"
        "    def _port(self, start_s):\n"
        "        print(self.pid, flush=True)\n"
        "        time.sleep(1)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "Killed(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", starter, policies / "act", lerobot_python],
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert gone(int(done.stdout))


def test_a_folder_that_lerobot_cannot_load_is_said(
    policies: Path, lerobot_python: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(policies / "act", tmp_path / "copy")
    (copy / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"holds no policy .* model\.safetensors missing"):
        LeRobotBackend(copy, lerobot_python)


def test_a_python_without_lerobot_is_said(policies: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be run: No such file"):
        LeRobotBackend(policies / "act", tmp_path / "python")
    with pytest.raises(CheckpointError, match=r"has no LeRobot; set policy\.python"):
        LeRobotBackend(policies / "act", Path(sys.executable))


def test_a_source_of_lerobots_needs_a_python() -> None:
    config = load_config(None, ["policy.source=lerobot:somewhere", "memory.file=null"])
    with pytest.raises(ConfigError, match=r"set policy\.python"):
        Agent(config)
