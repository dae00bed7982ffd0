"""A model that sees, over real HTTP: two pictures and a question out, one answer back."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from agent.cli import main
from agent.doubles import Recorder
from agent.episode.reader import read_episode
from agent.planner.checker import PictureChecker
from agent.planner.consultant import Allowance, Consultant
from agent.planner.prompts import Prompts
from agent.planner.providers import open_chat
from agent.protocols import Answer
from agent.sections import PlannerConfig
from tests.llm.processes import Proxy, Server
from tests.parts import PLACE

FACTS = ["in(red block, blue bowl)"]
PROMPTS = Prompts(30, 0.5)
EARLIER, LATER = np.random.default_rng(3).integers(0, 256, (2, 12, 16, 3), dtype=np.uint8)


@contextmanager
def checking(url: str, **settings: Any) -> Iterator[PictureChecker]:
    """Yield a checker that asks the model at a URL."""
    chat = open_chat(PlannerConfig(kind="openai:tiny-llama", base_url=url, **settings))
    yield PictureChecker(Consultant(chat, Allowance(10**6), Recorder().on_event), PROMPTS, 12)
    chat.close()


@pytest.mark.parametrize("structured", ["json_schema", "function_calling"])
@pytest.mark.parametrize("answer", list(Answer))
def test_both_pictures_and_the_question_arrive_and_the_answer_is_read(
    server: Server, answer: Answer, structured: str
) -> None:
    server.script([json.dumps({"answer": answer.value})])
    with checking(server.base_url, structured=structured) as checker:
        checked = checker.check(PLACE.phrase, FACTS, EARLIER, LATER, 1.0)
    assert checked is not None
    assert (checked.answer, checked.fault) == (answer, None)
    assert checked.tokens > 0
    [request] = server.requests()
    [message] = request["body"]["messages"]
    text, *pictures = message["content"]
    assert text["text"] == PROMPTS.check(PLACE.phrase, FACTS)
    assert len(pictures) == 2
    for sent, part in zip((EARLIER, LATER), pictures, strict=True):
        data = part["image_url"]["url"].removeprefix("data:image/png;base64,")
        arrived = PillowImage.open(io.BytesIO(base64.b64decode(data)))
        assert np.array_equal(np.asarray(arrived), sent)


def test_a_model_under_the_schema_can_only_give_the_three_answers(server: Server) -> None:
    with checking(server.base_url) as checker:
        checked = checker.check(PLACE.phrase, FACTS, EARLIER, LATER, 1.0)
    assert checked is not None and checked.fault is None


@pytest.mark.parametrize(
    ("fault", "code"), [("401", "unauthorized"), ("slow", "timeout"), ("half-json", "malformed")]
)
def test_a_fault_is_no_answer_in_time(proxy: Proxy, fault: str, code: str) -> None:
    began = time.monotonic()
    with checking(proxy.url(fault), limit_s=3) as checker:
        checked = checker.check(PLACE.phrase, FACTS, EARLIER, LATER, 1.0)
    assert checked is not None
    assert (checked.answer, checked.fault) == (Answer.UNKNOWN, code)
    assert time.monotonic() - began < 6


@pytest.mark.parametrize("fault", ["slow", "stalled"])
def test_a_stop_ends_the_waiting_at_once(proxy: Proxy, fault: str) -> None:
    stopped_at: list[float] = []
    began = time.monotonic()

    def halted() -> bool:
        if time.monotonic() - began < 1.0:
            return False
        stopped_at.append(time.monotonic())
        return True

    chat = open_chat(PlannerConfig(kind="openai:tiny-llama", base_url=proxy.url(fault)))
    checker = PictureChecker(Consultant(chat, Allowance(10**6), halted=halted), PROMPTS, 12)
    assert checker.check(PLACE.phrase, FACTS, EARLIER, LATER, 1.0) is None
    assert time.monotonic() - stopped_at[0] < 0.1
    chat.close()


def _mission(server: Server, *words: str) -> int:
    chosen = [f"planner.base_url={server.base_url}", "monitor.vlm=openai:tiny-llama"]
    settings = [f"--set={setting}" for setting in (*chosen, *words)]
    return main(["run", "turn on the lamp", "--seed=20", "--episode=episode", "--json", *settings])


def _printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(capsys.readouterr().out)
    return summary


def test_a_mission_that_is_checked_is_logged_and_replayed_without_the_model(
    server: Server,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    server.script(['{"answer": "yes"}'])
    assert _mission(server) == 0
    assert _printed(capsys)["outcome"] == "success"
    episode = read_episode(Path("episode"))
    [asked] = episode.consulted
    assert (asked.decision, asked.reply) == ("check", '{"answer": "yes"}')
    assert list(asked.images) == ["before", "after"]
    [pressed] = [v for v in episode.verdicts if v.subgoal.skill == "press"]
    assert pressed.verdict.evidence["vlm"] == "yes"

    server.clear()
    assert main(["replay", "episode", "--check", "--json"]) == 0
    assert _printed(capsys)["divergence"] is None
    assert server.requests() == []


@pytest.mark.parametrize(("replans", "outcome"), [(0, "needs_help"), (1, "success")])
def test_a_subgoal_that_the_model_denies_is_looked_at_again_from_home(
    server: Server,
    replans: int,
    outcome: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It does not succeed; whether the mission does is for the last look to say."""
    monkeypatch.chdir(tmp_path)
    server.script(['{"answer": "no"}'] * 12)
    _mission(server, f"budget.replans={replans}", "budget.attempts=1")
    summary = _printed(capsys)
    denied, *later = summary["subgoals"]
    assert (denied["skill"], denied["outcome"]) == ("press", "low_confidence")
    assert [step["skill"] for step in later] == ["look"] * replans
    assert summary["outcome"] == outcome
