"""Policies of somebody else's carry out missions: they end in the right code, whatever fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from agent.build import Agent
from agent.cli import main
from agent.config import Config, load_config
from agent.doctor.policy import public
from agent.doubles import FixedEstimator, Recorder, StillRobot
from agent.errors import ConfigError, PolicyLost
from agent.events import MissionStarted, Ticked
from agent.monitor.monitor import MonitorLimits, SubgoalMonitor
from agent.types import MissionOutcome, MissionResult, Reason
from skills.checkpoint import weights_hash
from skills.clients.gr00t import Gr00tBackend
from skills.clients.openvla import ActBackend
from skills.public import PublicPolicy
from tests.clients.act_server import act_server, array_json
from tests.clients.gr00t_server import gr00t_server
from tests.clients.test_gr00t import expected as gr00t_interface
from tests.interface.samples import interface
from tests.parts import BEFORE, CONTRACTS, Bench

COMMAND, SEED = "pick up the red block", 20
ACT: dict[str, Any] = {
    "prompt": {"key": "instruction"},
    "constants": {"unnorm_key": "bridge_orig"},
}
"""What differs in the interface of a server with `POST /act`."""
FROM = 5
"""Question at which things go wrong; the arm is moving by then."""


def _watched(policy: PublicPolicy) -> tuple[Bench, MissionResult]:
    """Run a mission of a robot that stands still, with the real loop, shield and monitor."""
    limits = MonitorLimits(stuck_s=60.0)
    monitor = SubgoalMonitor(CONTRACTS, FixedEstimator([BEFORE]), limits)
    bench = Bench(policy=policy, monitor=monitor)
    return bench, bench.runtime.run(COMMAND, SEED)


def _assert_held(bench: Bench, result: MissionResult, reason: Reason, says: str) -> None:
    assert len(bench.robot.sent) == FROM
    assert bench.robot.stopped
    assert result.outcome is MissionOutcome.STOPPED
    assert result.results[-1].verdict.reason is reason
    assert result.question is not None
    assert says in result.question


LOST, INVALID = Reason.POLICY_LOST, Reason.POLICY_INVALID
ROW = [0.01] * 6 + [1.0]
ACT_FAULTS = [
    ("error", LOST, "answers 'error'"),
    ("500", LOST, "status 500"),
    ("slow", LOST, "has not answered for 0.5 s"),
    ("dies", LOST, "lost, asked once"),
    ("endless", LOST, "more than 4000000 bytes"),
    ("garbage", LOST, "cannot be read"),
    (json.dumps(array_json(np.full(7, np.nan))), INVALID, "largest_action: nan"),
    (json.dumps([array_json(np.full(7, 1e6))]), INVALID, "largest_action: 1000000.0"),
    (json.dumps(ROW[:6]), INVALID, "shape (1, 6), but its interface says (1, 7)"),
    (json.dumps(["left"] * 7), INVALID, "type <U4"),
]


@pytest.mark.parametrize(("fault", "reason", "says"), ACT_FAULTS, ids=range(len(ACT_FAULTS)))
def test_a_server_over_http_that_fails_holds_the_robot(
    fault: str, reason: Reason, says: str
) -> None:
    with act_server() as server:
        server.faults, server.from_question = [fault], FROM
        limit_s = 5.0 if fault == "endless" else 0.5
        backend = ActBackend(server.address, timeout_s=limit_s, tries=1)
        bench, result = _watched(PublicPolicy(backend, interface(**ACT, actions={"horizon": 1})))
        backend.close()
    _assert_held(bench, result, reason, says)


GR00T_FAULTS: list[tuple[Any, Reason, str]] = [
    ({"error": "out of memory"}, LOST, "out of memory"),
    ("slow", LOST, "has not answered for 0.5 s"),
    (b"\xc1", LOST, "cannot be read"),
    ([{"pose": 3}, {}], INVALID, "There is no action 'gripper'"),
]


@pytest.mark.parametrize(("fault", "reason", "says"), GR00T_FAULTS, ids=range(len(GR00T_FAULTS)))
def test_a_server_over_zeromq_that_fails_holds_the_robot(
    fault: Any, reason: Reason, says: str
) -> None:
    with gr00t_server() as server:
        server.faults, server.from_question = [fault], FROM
        backend = Gr00tBackend(server.address, gr00t_interface(), timeout_s=0.5)
        bench, result = _watched(PublicPolicy(backend, gr00t_interface()))
        backend.close()
    _assert_held(bench, result, reason, says)


def test_a_misfit_is_refused_before_anything_moves() -> None:
    with act_server() as server:
        backend = ActBackend(server.address, timeout_s=5.0, tries=1)
        odd = interface(**ACT, cameras={"image": {"camera": "frnt"}})
        robot = StillRobot()
        bench = Bench(policy=PublicPolicy(backend, odd), robot=robot)
        for dry_run in (False, True):
            with pytest.raises(ConfigError, match="Did you mean 'front'"):
                bench.runtime.run(COMMAND, SEED, dry_run=dry_run)
            assert robot.stopped
        backend.close()
    assert robot.sent == []
    assert server.asked == []


def _settings(tmp_path: Path, source: str, data: dict[str, Any], *more: str) -> list[str]:
    path = tmp_path / "interface.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    chosen = [f"policy={source}", f"policy.interface={path}", "memory.file=null"]
    return [*chosen, f"episode.directory={tmp_path / 'runs'}", *more]


@contextmanager
def _served(kind: str) -> Iterator[tuple[str, dict[str, Any], Callable[[], int]]]:
    """Yield a source, its interface, and what counts its answers."""
    camera = {"camera": "front", "size": [224, 224], "fit": "stretch"}
    if kind == "gr00t":
        with gr00t_server() as zeromq:
            found = gr00t_interface(cameras={"video.image": camera})
            data = found.model_dump(mode="json")
            data["actions"]["execute"] = 4
            yield f"gr00t://{zeromq.address}", data, lambda: zeromq.actions
        return
    rows = None if kind == "openvla" else 8
    with act_server(rows) as server:
        key = "image" if rows is None else "full_image"
        actions = {"horizon": rows or 1, "execute": rows or 1}
        found = interface(**ACT, cameras={key: camera}, actions=actions)
        yield f"{kind}://{server.address}", found.model_dump(mode="json"), lambda: len(server.asked)


@pytest.mark.parametrize(("kind", "execute"), [("openvla", 1), ("openvla-oft", 8), ("gr00t", 4)])
def test_a_policy_that_moves_at_random_fails_in_the_right_code(
    tmp_path: Path, kind: str, execute: int
) -> None:
    spent = ["budget.seconds=4", "budget.replans=1", "monitor.stuck_s=2"]
    recorder = Recorder()
    with _served(kind) as (source, data, answers):
        config = load_config(None, _settings(tmp_path, source, data, *spent))
        agent = Agent(config)
        try:
            result = agent.runtime(SEED, [recorder]).run(COMMAND, SEED)
            assert agent.caveat is not None
            assert source in agent.caveat
            truth = agent.truth
            assert truth is not None
            assert truth.truth().held is None
        finally:
            agent.close()
        ticks = [tick for tick in recorder.of(Ticked) if tick.chunk.success is None]
        assert answers() == pytest.approx(len(ticks) / execute, abs=2)
    assert result.outcome is MissionOutcome.NEEDS_HELP
    assert {r.verdict.reason for r in result.results} <= {Reason.TIMEOUT, Reason.STUCK}
    assert result.question is not None
    assert all(tick.strain is None for tick in ticks)
    [started] = recorder.of(MissionStarted)
    origin = started.metadata["policy_origin"]
    assert origin["source"] == source
    assert origin["interface"]["name"] == "Test"
    assert started.metadata["calibration"] is None
    assert started.metadata["policy"] != weights_hash(Path("skills/checkpoints/tabletop"))


def test_the_command_refuses_a_misfit_with_exit_code_2(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with act_server() as server:
        settings = ["--set", f"policy=openvla://{server.address}"]
        settings += ["--set", "policy.interface=openvla_bridge", "--set", "memory.file=null"]
        settings += ["--set", f"episode.directory={tmp_path}", "--seed", "20"]
        assert main(["run", COMMAND, *settings]) == 2
        assert "actions.rate_hz: the model gives 5 rows a second" in capfd.readouterr().err
        assert main(["run", COMMAND, "--dry-run", *settings]) == 2
    assert server.asked == []


def test_the_doctor_says_whether_the_server_answers_and_fits(tmp_path: Path) -> None:
    with _served("openvla") as (source, data, _):
        settings = _settings(tmp_path, source, data)
        check = public(load_config(None, settings))
        assert check.ok
        assert check.detail == "Test answers and fits the robot"
        misfit = load_config(None, [*settings, "policy.interface=openvla_bridge"])
        check = public(misfit)
        assert not check.ok
        assert "actions.rate_hz" in check.detail
    check = public(load_config(None, [*settings, "policy.timeout_s=1"]))
    assert not check.ok
    assert "is lost, asked" in check.detail
    assert check.mend


def test_what_is_missing_is_said_before_a_server_is_asked() -> None:
    with pytest.raises(ConfigError, match=r"policy.interface.*openvla_bridge"):
        Agent(Config.model_validate({"policy": "gr00t://localhost:1"}))
    unset = {"source": "openvla://localhost:1", "interface": "bosun", "key_env": "NOT_SET_XYZ"}
    with pytest.raises(ConfigError, match="NOT_SET_XYZ"):
        Agent(Config.model_validate({"policy": unset}))
    away = {"source": "openvla://localhost:1", "interface": "bosun", "tries": 1}
    with pytest.raises(PolicyLost, match="localhost:1 is lost"):
        Agent(Config.model_validate({"policy": away}))
