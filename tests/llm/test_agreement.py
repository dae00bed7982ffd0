"""What a model tells from pictures, held against the world by `bosun eval monitor --vlm`."""

from __future__ import annotations

import json

import pytest

from agent.cli import main
from agent.commands.evaluate import _print
from tests.llm.processes import Server


def test_runs_are_held_against_the_world(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.script(['{"answer": "yes"}'] * 20)
    settings = [f"planner.base_url={server.base_url}", "monitor.vlm=openai:tiny-llama"]
    chosen = [f"--set={setting}" for setting in (*settings, "monitor.alpha=0.05")]
    suite = ["eval", "monitor", "--vlm", "--episodes=1", "--workers=1", *chosen]
    assert main([*suite, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["vlm_yes"] == report["vlm_calls"] == len(report["rows"])
    assert report["vlm_faults"] == 0 and report["vlm_tokens"] > 0
    for row in report["rows"]:
        assert row["vlm_agreement"] == 1 - row["failures"]


def test_the_table_has_a_line_for_the_model_under_each_skill(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen = {"vlm_yes": 3, "vlm_no": 0, "vlm_agreement": 2 / 3, "vlm_false_no": None}
    row = {"name": "pick", "episodes": 3, "successes": 2, "rate": 2 / 3, "low": 0.2, "high": 0.9}
    _print({"suite": "monitor", "seed_base": 0, "rows": [{**row, **seen}], "vlm_yes": 3})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("pick")
    assert lines[1].split(None, 1) == ["vlm", "yes 3  no 0  agreement 0.6667  false_no -"]
    assert lines[2] == "vlm_yes: 3"
