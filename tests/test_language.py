"""Which language models a configuration opens, and what they are given."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.cli import main
from agent.config import Config, load_config
from agent.errors import ConfigError
from agent.language import LanguageModels, _checking

_SERVER = ["planner.base_url=http://127.0.0.1:9/v1", "planner.key_env=OPENAI_API_KEY"]
_LIMITS = ["planner.limit_s=7", "planner.tries=2"]


def _config(*settings: str) -> Config:
    return load_config(None, [*settings])


def test_by_default_there_are_none() -> None:
    with ExitStack() as closing:
        models = LanguageModels(_config(), closing)
        mission = models.mission(lambda: False, ())
    assert (mission.planner, mission.checker, models.digest) == (None, None, None)


@pytest.mark.parametrize("planner", ["grammar", "openai:large"])
def test_a_model_that_checks_is_opened_as_the_planners(planner: str) -> None:
    made = _checking(
        _config(f"planner.kind={planner}", "monitor.vlm=openai:small", *_SERVER, *_LIMITS)
    )
    assert made is not None
    assert (made.kind, made.limit_s, made.tries) == ("openai:small", 7, 2)
    assert (made.base_url, made.key_env) == ("http://127.0.0.1:9/v1", "OPENAI_API_KEY")


def test_another_provider_gets_neither_the_server_nor_the_key() -> None:
    made = _checking(
        _config("planner.kind=openai:large", "monitor.vlm=ollama:small", *_SERVER, *_LIMITS)
    )
    assert made is not None
    assert (made.base_url, made.key_env, made.key_file) == (None, None, None)
    assert (made.limit_s, made.tries) == (7, 2)


def test_a_model_may_check_what_the_grammar_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    with ExitStack() as closing:
        models = LanguageModels(_config("monitor.vlm=openai:small", *_SERVER), closing)
        mission = models.mission(lambda: False, ())
        assert mission.planner is None and mission.checker is not None
        assert models.mission(lambda: False, ()).checker is not mission.checker
        assert models.digest


@pytest.mark.parametrize("name", ["small", "openai:", ":small", "grammar"])
def test_what_names_no_model_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"monitor\.vlm"):
        _config(f"monitor.vlm='{name}'")


def test_a_missing_key_is_said_before_anything_moves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    words = ["run", "turn on the lamp", "--set", "monitor.vlm=openai:small"]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "'openai:small'" in said and "OPENAI_API_KEY" in said and said.count("\n") == 1
