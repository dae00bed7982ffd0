"""Missions killed at random moments: `python -m tests.benchmarks.kills [--times 100] [--real 5]`.

A child process runs one mission after another, logs each, and tells of every tick through a pipe as
soon as the writer has been told of it. The parent kills it with SIGKILL at a random moment, reads
what it left, and starts the next one in the same folder. Most missions are of doubles, with images
as large as the simulated cameras'; `--real` of them are of the simulated arm. Exit code 1 if an
episode does not open, if more than the last second of ticks is lost, or if an episode that was
there before is not as it was.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

import numpy as np

from agent.doubles import ScriptedMonitor, StillRobot
from agent.episode.library import clean, is_running
from agent.episode.reader import read_episode
from agent.episode.verify import verify
from agent.episode.writer import EpisodeWriter
from agent.events import Event, Ticked
from agent.types import Observation, Vector
from tests.parts import DONE, Bench

MAX_LOST = 10
"""Ticks; at 10 Hz, those of a second."""
_ROOT = Path(__file__).parents[2]
_PACE_S = 0.03
"""How long a tick of the doubles takes, s: about as long as one of the simulated arm."""
_COMMAND = "put the red block in the drawer and close it"
_LONGEST_S = {False: 3.0, True: 12.0}
"""Before so long after its first tick a child is killed, s; whether it is the simulated arm."""


class PacedRobot(StillRobot):
    """A robot that takes time, and sees pictures as large and as busy as the simulated ones."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        self._pictures = {
            name: np.kron(
                rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8),
                np.ones((8, 8, 1), np.uint8),
            )
            ^ rng.integers(0, 4, (height, width, 3), dtype=np.uint8)
            for name, height, width in (("front", 120, 160), ("wrist", 96, 96))
        }

    def observe(self) -> Observation:
        seen = super().observe()
        shift = round(seen.time_s * 10)
        moved = {name: np.roll(image, shift, 1) for name, image in self._pictures.items()}
        return replace(seen, images=moved)

    def act(self, action: Vector) -> Vector:
        time.sleep(_PACE_S)
        return super().act(action)


class Progress:
    """Tells of every tick through a pipe that nothing buffers, after the writer was told."""

    def __init__(self, folder: Path) -> None:
        self._name, self._ticks = folder.name, 0

    def on_event(self, event: Event) -> None:
        if isinstance(event, Ticked):
            self._ticks += 1
            os.write(1, f"{self._name} {self._ticks}\n".encode())


def child(directory: Path, real: bool) -> None:
    """Run missions, each with an episode of its own, for ever."""
    run = _simulated() if real else _doubled
    for number in range(1_000_000):
        folder = directory / f"{os.getpid()}-{number}"
        with EpisodeWriter(folder) as writer:
            run(writer, Progress(folder), number)


def _doubled(writer: EpisodeWriter, progress: Progress, number: int) -> None:
    # Missions are short, so that some are killed while they begin or end.
    monitor = ScriptedMonitor([DONE], ticks=4)
    bench = Bench(robot=PacedRobot(), monitor=monitor, subscribers=[writer, progress])
    bench.runtime.run("put the red block in the blue bowl", number)


def _simulated() -> Callable[[EpisodeWriter, Progress, int], None]:
    from agent.build import Agent
    from agent.config import load_config

    agent = Agent(load_config(None, ["memory.file=null"]))

    def run(writer: EpisodeWriter, progress: Progress, number: int) -> None:
        agent.runtime(20 + number, [writer, progress]).run(_COMMAND, 20 + number)

    return run


def killed(directory: Path, after_s: float, real: bool = False) -> dict[str, int]:
    """Run a child until so long after its first tick, kill it, and return the ticks it told of."""
    command = [sys.executable, "-m", "tests.benchmarks.kills", "--child", str(directory)]
    process = subprocess.Popen(
        [*command, "--real", str(int(real))], cwd=_ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    told: dict[str, int] = {}
    timer: Timer | None = None
    try:
        for line in process.stdout:
            name, ticks = line.split()
            told[name] = int(ticks)
            if timer is None:
                timer = Timer(after_s, process.send_signal, [signal.SIGKILL])
                timer.start()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    return told


def lost(directory: Path, told: dict[str, int]) -> int:
    """Return the most ticks that an episode of a killed child lost; raise if one is not sound."""
    most = 0
    for name, ticks in told.items():
        episode = read_episode(directory / name)
        assert not is_running(episode.path), f"{name} is still locked"
        assert len(list(episode.ticks())) == episode.tick_count
        findings = [str(finding) for finding in verify(episode.path)]
        if name != list(told)[-1]:
            assert episode.complete and not findings, findings
        # A tick may be in the file before the child has told of it.
        assert episode.tick_count <= ticks + 1, f"{name} has ticks that nobody told of"
        assert all("never closed" in f or "cannot be read" in f for f in findings), findings
        most = max(most, ticks - episode.tick_count)
    return most


def hashes(directory: Path) -> dict[Path, str]:
    """Return what every episode in a folder is now."""
    files = directory.glob("*/episode.mcap")
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def main() -> int:
    parser = argparse.ArgumentParser(description="Missions killed at random moments.")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--real", type=int, default=5, help="how many are of the simulated arm")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child is not None:
        child(args.child, bool(args.real))
    rng, losses, before = random.Random(0), [], dict[Path, str]()
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        for number in range(args.times):
            real = number < args.real
            told = killed(directory, rng.uniform(0.0, _LONGEST_S[real]), real)
            losses.append(lost(directory, told))
            now = hashes(directory)
            assert {path: now.get(path) for path in before} == before, "an episode has changed"
            before = now
            sys.stdout.write(f"kill {number + 1}: {sum(told.values())} ticks, {losses[-1]} lost\n")
        assert len(clean(directory, 0)) == len(before), "a lock outlived its process"
    late = sum(ticks > MAX_LOST for ticks in losses)
    sys.stdout.write(
        f"{args.times} kills, {len(before)} episodes, all open; ticks lost: at most {max(losses)},"
        f" mean {np.mean(losses):.2f}; more than {MAX_LOST}: {late}\n"
    )
    return int(late > 0)


if __name__ == "__main__":
    sys.exit(main())
