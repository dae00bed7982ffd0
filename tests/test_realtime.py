"""A mission whose chunks are inferred beside the ticks, in a world on the wall clock."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.config import load_config
from agent.doubles import Recorder
from agent.episode.reader import read_episode
from agent.errors import ConfigError
from agent.events import MissionStarted, Ticked
from agent.mission import Mission, run_mission

ADDED_S = 0.15
SETTINGS = (
    "memory.file=null",
    "robot.realtime=true",
    f"policy.added_latency_s={ADDED_S}",
    "policy.realtime.latency_s=0.2",
)


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of the mission, what was heard of it, and how long it took by the wall's clock."""

    summary: dict[str, Any]
    heard: Recorder
    folder: Path
    wall_s: float
    threads: list[str]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    from agent.build import Agent

    folder = tmp_path_factory.mktemp("realtime") / "episode"
    agent, heard = Agent(load_config(None, SETTINGS)), Recorder()
    agent.robot.reset(20)
    began = time.perf_counter()
    summary = run_mission(agent, Mission("press the button", 20, folder), [heard])
    wall_s = time.perf_counter() - began
    agent.close()
    threads = [thread.name for thread in threading.enumerate()]
    yield Ran(summary, heard, folder, wall_s, threads)


def test_it_succeeds_with_a_policy_that_is_late(ran: Ran) -> None:
    assert ran.summary["outcome"] == "success" and ran.summary["world_success"] is True
    assert ran.wall_s >= ran.summary["seconds"] - 0.1
    assert not [name for name in ran.threads if name.startswith("policy")]


def test_what_was_declared_and_measured_is_in_the_summary(ran: Ran) -> None:
    chunks = ran.summary["chunks"]
    assert (chunks["horizon"], chunks["dt_s"], chunks["starves"]) == (6, 0.1, False)
    assert chunks["measured_latency_s"]["p50"] >= ADDED_S
    assert chunks["age_s"]["p50"] >= 0.1
    assert chunks["inferences"] >= 5
    assert json.loads((ran.folder / "summary.json").read_text()) == ran.summary
    [started] = ran.heard.of(MissionStarted)
    assert started.metadata["chunks"].items() <= chunks.items()


def test_the_episode_says_when_each_chunk_was_inferred(ran: Ran) -> None:
    then = [tick.chunk.timing for tick in ran.heard.of(Ticked)]
    assert [tick.chunk.timing for tick in read_episode(ran.folder).ticks()] == then
    assert any(timing is not None for timing in then)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--check"], "so nothing can be compared."),
        (["--decisions"], "--set policy.realtime=null asks its policy at every tick."),
    ],
)
def test_a_replay_says_that_it_would_depend_on_the_clock(
    ran: Ran, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main(["replay", str(ran.folder), *words]) == 1
    told = capsys.readouterr().err
    assert "was made in real time" in told and sentence in told and told.count("\n") == 1


def test_rtc_is_refused_for_a_policy_that_cannot() -> None:
    from agent.build import Agent

    with pytest.raises(ConfigError, match=r"policy\.realtime\.merge is rtc"):
        Agent(load_config(None, [*SETTINGS, "policy.realtime.merge=rtc"]))


def test_a_world_that_waits_is_refused() -> None:
    from agent.build import Agent

    with pytest.raises(ConfigError, match=r"--set robot\.realtime=true\.$"):
        Agent(load_config(None, [*SETTINGS, "robot.realtime=false"]))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("policy.realtime.merge=mean", "'ensemble', 'replace' or 'rtc'"),
        ("policy.realtime.every=0", "policy.realtime.every"),
        ("policy.realtime.latency_s=0", "policy.realtime.latency_s"),
        ("policy.realtime.delay=1", "policy.realtime.delay"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_config(None, [setting])
