"""What starts with a mission: the language model's packages only where one plans."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parent.parent
_PROGRAM = """
import builtins, json, sys

FOREIGN = ("langchain", "langchain_core", "langchain_openai", "openai", "jinja2")
importing, found = builtins.__import__, []

def watched(name, *rest, **named):
    importer = sys._getframe(1).f_globals.get("__name__", "")
    if name.partition(".")[0] in FOREIGN and importer.partition(".")[0] in ("agent", "skills"):
        found.append(f"{importer} imports {name}")
    return importing(name, *rest, **named)

builtins.__import__ = watched
from agent.cli import main

code = main(["run", "turn on the lamp", "--seed", "20", "--dry-run", "--json", *sys.argv[1:]])
print(json.dumps({"code": code, "found": found, "loaded": sorted({*FOREIGN} & {*sys.modules})}))
"""


def started(folder: Path, *words: str) -> dict[str, Any]:
    """Return a run's exit code, the packages loaded, and which of our modules asked for one."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_a_grammar_run_imports_nothing_of_a_language_model(tmp_path: Path) -> None:
    told = started(tmp_path)
    assert told["code"] == 0
    assert told["found"] == []
    # The policy's transformers loads Jinja2 for its own sake wherever that is installed.
    assert set(told["loaded"]) <= {"jinja2"}


def test_the_watch_over_imports_sees_those_of_a_model(tmp_path: Path) -> None:
    pytest.importorskip("langchain")
    url = "http://127.0.0.1:9/v1"
    told = started(tmp_path, "--planner", "openai:x", f"--set=planner.base_url={url}")
    assert told["code"] == 3
    assert any(line.endswith("imports jinja2") for line in told["found"])
    assert "langchain_openai" in told["loaded"]
