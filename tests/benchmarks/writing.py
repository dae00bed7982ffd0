"""What logging costs a mission: `python -m tests.benchmarks.writing [--missions 4]`.

Missions of the simulated arm run twice each, with and without an episode, in turns; what they do is
the same, bit by bit. Measured are the time that a tick waits for the writer, as the mission's
thread sees it, its share of the run's time and of that thread's CPU time, and how much longer the
run takes. Then the ticks of the last mission are told to a writer at 10 Hz, as a real arm would.
Bars: under 2 ms a tick at p99, and 1 % of the run's time. Exit code 1 if one is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from agent.build import Agent
from agent.config import load_config
from agent.doubles import Recorder
from agent.episode.verify import verify
from agent.episode.writer import EpisodeWriter
from agent.events import Event, Ticked
from skills.evaluate.commands import draw_command

MAX_TICK_MS, MAX_SHARE = 2.0, 0.01
_SEED = 2_000_000
_RATE_HZ = 10.0
_FLOOR_S = 150e-6
"""CPU time that a tick costs the mission's thread, s."""


class Timed:
    """Passes events on to a writer and takes the time.

    Attributes:
        ticks_s: How long each tick waited for the writer, s.
        others_s: How long each other event did, s.
        cpus_s: CPU time of this thread that each tick took, s; no other process counts there.
    """

    def __init__(self, writer: EpisodeWriter) -> None:
        self._writer = writer
        self.ticks_s: list[float] = []
        self.others_s: list[float] = []
        self.cpus_s: list[float] = []

    def on_event(self, event: Event) -> None:
        cpu_s, began = time.thread_time(), time.perf_counter()
        self._writer.on_event(event)
        taken_s, cpu_s = time.perf_counter() - began, time.thread_time() - cpu_s
        if isinstance(event, Ticked):
            self.ticks_s.append(taken_s)
            self.cpus_s.append(cpu_s)
        else:
            self.others_s.append(taken_s)


class Floor:
    """Takes as much CPU time at every tick as the writer does, and nothing else.

    What that takes by the clock is what other processes on this machine do to any such stretch.

    Attributes:
        ticks_s: How long it took at each tick, s.
    """

    def __init__(self) -> None:
        self.ticks_s: list[float] = []

    def on_event(self, event: Event) -> None:
        if isinstance(event, Ticked):
            until, began = time.thread_time() + _FLOOR_S, time.perf_counter()
            while time.thread_time() < until:
                continue
            self.ticks_s.append(time.perf_counter() - began)


def _line(name: str, ticks_s: Sequence[float]) -> None:
    p50, p99, most = (1e3 * np.quantile(ticks_s, q) for q in (0.5, 0.99, 1.0))
    sys.stdout.write(f"{name}: p50 {p50:.3f} ms, p99 {p99:.3f} ms, at most {most:.3f} ms\n")


def _commands() -> Iterator[tuple[int, str]]:
    """Yield seeds, each with a command for two blocks in its scene."""
    for seed in count(_SEED):
        drawn = draw_command(seed, 2)
        if drawn is not None:
            yield seed, drawn.text


def _in_missions(agent: Agent, folder: Path, missions: int) -> tuple[bool, list[Event]]:
    """Run missions with and without an episode; return whether the bars hold, and the events."""
    ticks_s: list[float] = []
    cpus_s: list[float] = []
    wall = {True: 0.0, False: 0.0}
    cpu = {True: 0.0, False: 0.0}
    waited_s, floor = 0.0, Floor()
    recorder = Recorder()
    commands = _commands()
    for number in range(2 * missions):
        # With, without, without, with: a machine that grows slower favours neither.
        logged = number % 4 in (0, 3)
        if number % 2 == 0:
            seed, command = next(commands)
        recorder = Recorder()
        began, cpu_began = time.perf_counter(), time.thread_time()
        if logged:
            with EpisodeWriter(folder / str(number)) as writer:
                timed = Timed(writer)
                agent.runtime(seed, [recorder, timed]).run(command, seed)
                closing = time.perf_counter()
            waited_s += sum(timed.ticks_s) + sum(timed.others_s) + time.perf_counter() - closing
            ticks_s += timed.ticks_s
            cpus_s += timed.cpus_s
        else:
            agent.runtime(seed, [recorder, floor]).run(command, seed)
        wall[logged] += time.perf_counter() - began
        cpu[logged] += time.thread_time() - cpu_began
        if logged:
            assert verify(writer.path) == []
    sys.stdout.write(f"{len(ticks_s)} ticks of {missions} missions of the simulated arm\n")
    _line("  a tick waits for the writer", ticks_s)
    _line("  CPU time of that", cpus_s)
    _line("  as much CPU time with no writer", floor.ticks_s)
    if 1e3 * np.quantile(floor.ticks_s, 0.99) >= MAX_TICK_MS:
        sys.stdout.write("  this machine is too busy: even that takes longer than the bar\n")
    share = waited_s / wall[True]
    sys.stdout.write(
        f"  all that waits for the writer, its end included: {share:.2%} of the run's time\n"
        f"  run with an episode {wall[True]:.2f} s, without {wall[False]:.2f} s"
        f" ({wall[True] / wall[False] - 1:+.2%}); the mission's CPU time {cpu[True]:.2f} s and"
        f" {cpu[False]:.2f} s ({cpu[True] / cpu[False] - 1:+.2%})\n"
    )
    held = 1e3 * float(np.quantile(ticks_s, 0.99)) < MAX_TICK_MS and share < MAX_SHARE
    return held, recorder.events


def _paced(events: Sequence[Event], folder: Path) -> bool:
    """Tell events to a writer as fast as a real arm does; return whether the bars hold."""
    with EpisodeWriter(folder / "paced") as writer:
        timed, began = Timed(writer), time.perf_counter()
        for event in events:
            timed.on_event(event)
            if isinstance(event, Ticked):
                time.sleep(1 / _RATE_HZ)
        taken_s = time.perf_counter() - began
    sys.stdout.write(f"{len(timed.ticks_s)} ticks at {_RATE_HZ:.0f} Hz\n")
    _line("  a tick waits for the writer", timed.ticks_s)
    _line("  CPU time of that", timed.cpus_s)
    share = (sum(timed.ticks_s) + sum(timed.others_s)) / taken_s
    size = writer.path.stat().st_size
    sys.stdout.write(
        f"  {share:.2%} of the time; {size / len(timed.ticks_s) / 1e3:.1f} kB a tick\n"
    )
    return 1e3 * float(np.quantile(timed.ticks_s, 0.99)) < MAX_TICK_MS and share < MAX_SHARE


def main() -> int:
    parser = argparse.ArgumentParser(description="What logging costs a mission.")
    parser.add_argument("--missions", type=int, default=4, help="how many, with and without")
    args = parser.parse_args()
    agent = Agent(load_config(None, ["memory.file=null"]))
    # The first mission loads what is imported late.
    seed, command = next(_commands())
    agent.runtime(seed, []).run(command, seed)
    with TemporaryDirectory() as folder:
        held, events = _in_missions(agent, Path(folder), args.missions)
        paced = _paced(events, Path(folder))
    agent.close()
    return int(not (held and paced))


if __name__ == "__main__":
    sys.exit(main())
