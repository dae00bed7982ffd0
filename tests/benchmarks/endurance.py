"""Missions without end in one process: `python -m tests.benchmarks.endurance --missions 1000`.

Short commands in fresh scenes, each with its episode, which is removed again, and every tenth with
a film. Exit code 1 if memory or open files grow.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import threading
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tqdm import tqdm

from agent.build import Agent
from agent.config import load_config
from agent.mission import Mission, run_mission
from skills.evaluate.commands import initial_scene
from tests.benchmarks.listening import resident_mb

MAX_GROWTH_MB = 20.0
"""Of the median from the first half to the second, a tenth of the way, when everything is loaded,
left out."""
_SEED = 1_800_000
_COMMANDS = {"button": "press the button", "drawer": "open the drawer"}


def handles() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def commands(count: int) -> list[tuple[str, int]]:
    """Return so many commands with the seeds of scenes that have what they name."""
    found: list[tuple[str, int]] = []
    seed = _SEED
    while len(found) < count:
        there = initial_scene(seed).objects
        found += [(text, seed) for name, text in _COMMANDS.items() if name in there]
        seed += 1
    return found[:count]


def main() -> int:
    """Run the missions, print one JSON object, and say by the exit code whether all stays flat."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missions", type=int, default=1000)
    asked = parser.parse_args()
    memory: list[float] = []
    files: list[float] = []
    threads: list[float] = []
    took: list[float] = []
    good = 0
    agent = Agent(load_config(None, ["memory.file=null"]))
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number, (command, seed) in enumerate(tqdm(commands(asked.missions))):
            film = folder / "film.mp4" if number % 10 == 0 else None
            began = time.perf_counter()
            summary = run_mission(agent, Mission(command, seed, folder / "episode", film))
            took.append(time.perf_counter() - began)
            # A drawer that is open already needs no plan, and there is nothing to score.
            good += summary["outcome"] == "success" and summary["world_success"] is not False
            shutil.rmtree(folder / "episode")
            memory.append(resident_mb())
            files.append(handles())
            threads.append(threading.active_count())
    agent.close()
    settled = slice(asked.missions // 10, None)
    grown = {
        name: _growth(values[settled])
        for name, values in {
            "memory_mb": memory,
            "files": files,
            "threads": threads,
            "seconds": took,
        }.items()
    }
    print(
        json.dumps(
            {
                "missions": asked.missions,
                "succeeded": good,
                "peak_mb": round(max(memory)),
                "grew_by": grown,
            }
        )
    )
    flat = grown["memory_mb"] <= MAX_GROWTH_MB and grown["files"] <= 0 and grown["threads"] <= 0
    return int(not flat)


def _growth(values: list[float]) -> float:
    """Return by how much the median of the second half is above that of the first."""
    half = len(values) // 2
    return round(median(values[half:]) - median(values[:half]), 3)


if __name__ == "__main__":
    sys.exit(main())
