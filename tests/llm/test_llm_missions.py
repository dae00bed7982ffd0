"""Missions planned by a language model over HTTP, from the command line, in the real world."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.build import Agent
from agent.cli import main
from agent.config import load_config
from agent.resources import resource
from tests.llm.processes import Proxy, Server
from tests.planner.chats import steps
from tests.scenes import scene

KEY = "sk-planted-77aa01bc"
PRESS = json.dumps(steps(("press", {"object": "button"}), reply="I will press the button."))
COMMAND = ["run", "turn on the lamp", "--seed", "20", "--planner", "openai:tiny-llama"]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)


def settings_of(url: str) -> dict[str, Any]:
    return {"base_url": url, "key_env": "OPENAI_API_KEY", "limit_s": 20}


def run(url: str, *words: str) -> int:
    """Run one command whose planner is the model at a URL; its episode lies in `episode`."""
    chosen = [f"--set=planner.{key}={value}" for key, value in settings_of(url).items()]
    return main([*COMMAND, "--episode", "episode", *chosen, *words])


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(capsys.readouterr().out)
    return summary


def test_a_mission_planned_by_a_model_is_run_logged_and_replayed_without_it(
    server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    server.script([PRESS])
    assert run(server.base_url, "--json") == 0
    summary = printed(capsys)
    assert summary["outcome"] == "success" and summary["world_success"] is True
    assert [step["phrase"] for step in summary["plan"]] == ["press the button"]
    logged = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY.encode() not in logged

    server.clear()
    assert main(["replay", "episode", "--check", "--json"]) == 0
    check = printed(capsys)
    assert check["divergence"] is None and check["changed"] == []
    assert check["events"] > 20

    assert main(["replay", "episode", "--decisions", "--json"]) == 0
    assert printed(capsys)["differences"] == []
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    template = resource("prompts/scene.j2").read_text()
    (prompts / "scene.j2").write_text(f"{template}\nBe quick.")
    assert main(["replay", "episode", "--decisions", "--prompt", str(prompts), "--json"]) == 1
    first = printed(capsys)["differences"][0]
    assert (first["kind"], first["tick"], first["then"]) == ("plan", 0, "press the button")
    assert "Be quick." in first["now"] and first["cause"].startswith("prompts was ")
    assert server.requests() == []


def test_the_reply_is_heard_on_the_console_once(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.script([PRESS])
    assert run(server.base_url, "--dry-run") == 0
    assert capsys.readouterr().out.count("I will press the button.") == 1


@pytest.mark.parametrize("fault", ["401", "free-text", "half-json", "no-choices"])
def test_a_fault_ends_in_a_question_and_nothing_moves(
    proxy: Proxy, fault: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(proxy.url(fault), "--json") == 3
    said = capsys.readouterr()
    summary = json.loads(said.out)
    assert summary["outcome"] == "needs_help" and summary["subgoals"] == []
    assert summary["question"].startswith("openai:tiny-llama ")
    logged = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY.encode() not in logged and KEY not in said.out + said.err


def test_what_is_spoken_is_brought_to_the_model_where_the_grammar_is_at_a_loss(
    server: Server, proxy: Proxy
) -> None:
    for url, said, skills, requests in (
        (server.base_url, "open the drawer", ["open"], 0),
        (server.base_url, "let there be light", ["press"], 1),
        (proxy.url("401"), "let there be light", [], 0),
    ):
        server.clear()
        server.script([PRESS])
        settings = [f"planner.{key}={value}" for key, value in settings_of(url).items()]
        agent = Agent(load_config(None, ["planner.kind=openai:tiny-llama", *settings]))
        try:
            # A stop ends the wait for a reply of the mission it stops, not of the next command.
            agent.robot.stop()
            plan = agent.understand(said, scene("red block", "drawer", "button"))
        finally:
            agent.close()
        assert [subgoal.skill for subgoal in plan.subgoals] == skills
        assert len(server.requests()) == requests
        assert bool(plan.question) is not bool(skills)


def test_the_grammar_takes_over_where_the_config_says_so(
    proxy: Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(proxy.url("401"), "--set=planner.fallback=grammar", "--dry-run", "--json") == 0
    assert printed(capsys)["plan"][0]["skill"] == "press"


def test_the_demo_shows_the_question_the_answer_and_the_plan(
    server: Server, tmp_path: Path
) -> None:
    config = tmp_path / "local.yaml"
    config.write_text(f"planner: {{kind: openai:tiny-llama, base_url: {server.base_url}}}\n")
    server.script([PRESS])
    demo = resource("demos/04_free_speech_plan.py")
    words = [sys.executable, str(demo), str(config), "a little light, please"]
    shown = subprocess.run(words, cwd=demo.parents[1], capture_output=True, text=True, check=True)
    told = shown.stdout
    parts = ["== plan", '"a little light, please"', "== answer", '"skill": "press"', "Planned"]
    places = [told.index(part) for part in parts]
    assert places == sorted(places)
