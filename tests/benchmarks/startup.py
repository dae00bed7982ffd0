"""Measures what the language model's packages add to a mission's first plan.

`python -m tests.benchmarks.startup` starts the tests' server and then `bosun run --dry-run` again
and again, each in a process of its own, with the grammar planner and with a model that gives a
canned reply, in turn. It prints a line of JSON, all in seconds: every run, the medians, what the
server itself takes for the canned reply, and what the model's packages add beyond that.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tests.llm.processes import Server
from tests.llm.tiny_llama import make_tiny_llama
from tests.planner.chats import steps

_ROOT = Path(__file__).parents[2]
_COMMAND = ["run", "turn on the lamp", "--seed", "20", "--dry-run", "--json"]
_REPLY = json.dumps(steps(("press", {"object": "button"}), reply="I will press the button."))


def measure(server: Server, folder: Path, runs: int) -> dict[str, Any]:
    """Return what `python -m tests.benchmarks.startup` prints.

    Args:
        server: Where the model is asked.
        folder: Where missions may write.
        runs: How often each planner plans in a process of its own.
    """
    model = ["--planner", "openai:tiny-llama", f"--set=planner.base_url={server.base_url}"]

    def with_grammar() -> None:
        _plan(folder)

    def with_model() -> None:
        server.script([_REPLY])
        _plan(folder, *model)

    # The first runs write Python's compiled files and fill the disk's cache.
    with_grammar()
    server.clear()
    with_model()
    [asked] = server.requests()
    grammar, models, answers = [], [], []
    for _ in range(runs):
        grammar.append(_seconds(with_grammar))
        models.append(_seconds(with_model))
        server.script([_REPLY])
        answers.append(_seconds(lambda: server.stream(asked["body"])))
    taken = {"grammar_s": grammar, "model_s": models, "answer_s": answers}
    medians = {what: median(seconds) for what, seconds in taken.items()}
    added = medians["model_s"] - medians["answer_s"] - medians["grammar_s"]
    return {"runs": taken, "medians": medians, "added_s": round(added, 3)}


def _plan(folder: Path, *words: str) -> None:
    """Plan once in a fresh process.

    Raises:
        RuntimeError: It did not plan what it should.
    """
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", *_COMMAND, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or [step["skill"] for step in json.loads(done.stdout)["plan"]] != ["press"]:
        raise RuntimeError(f"{words!r} ended with {done.returncode}: {done.stdout}{done.stderr}")


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return round(time.perf_counter() - began, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Server(folder, make_tiny_llama(folder / "tiny-llama")) as server:
            measured = measure(server, folder, args.runs)
    sys.stdout.write(json.dumps(measured) + "\n")


if __name__ == "__main__":
    main()
