"""Random missions, replayed in both ways: `python -m tests.benchmarks.replays --episodes 50`.

Commands are drawn from seeds, in a calm world and in five troubled ones in turn, every third
mission goes on in the world that the one before it left, and every sixth is stopped by hand. Then
each episode is done again in the world, and decided anew over what was recorded with nothing
changed. Exit code 1 if a tick, an event or a decision differs, or deciding takes longer than a
fifth of the mission. Episodes that are there already are replayed and not made anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tqdm import tqdm

from agent.build import Agent
from agent.config import load_config
from agent.doubles import Recorder
from agent.episode.reader import Episode, read_episode
from agent.events import Event, Ticked
from agent.mission import Mission, run_mission
from agent.replay.check import check
from agent.replay.decisions import Reviewer
from skills.evaluate.commands import draw_command, initial_scene

FASTER = 5.0
"""How many times faster than the robot's clock decisions must be gone through."""
_SEED = 1_700_000
_WORLDS: tuple[list[str], ...] = (
    [],
    ["drop_per_s=0.3"],
    ["shift_cm=2.0"],
    ["nudge_per_s=0.2"],
    ["blank_s=4.0", "camera=front"],
    ["delay_ticks=2", "jam=0.5"],
)
_FIXTURES = {"drawer": "open the drawer", "button": "press the button"}


class _Hand:
    """Stops the robot some ticks into a mission."""

    def __init__(self, agent: Agent, after: int) -> None:
        self._agent, self._left = agent, after

    def on_event(self, event: Event) -> None:
        self._left -= isinstance(event, Ticked)
        if self._left == 0:
            self._agent.robot.stop()


def command_for(seed: int) -> str:
    """Return a command that makes sense in the scene of a seed, or one that must be asked about."""
    drawn = draw_command(seed, 1 + seed % 2) or draw_command(seed, 1)
    there = [text for name, text in _FIXTURES.items() if name in initial_scene(seed).objects]
    if there and (drawn is None or seed % 3 == 0):
        return there[seed % len(there)]
    return drawn.text if drawn is not None else "put the purple block on the plate"


def record(folder: Path, count: int) -> None:
    """Run the missions whose episodes are not there yet."""
    for world, settings in enumerate(_WORLDS):
        numbers = [n for n in range(count) if n % len(_WORLDS) == world]
        if all((folder / f"{n:03}").exists() for n in numbers):
            continue
        overrides = [f"robot.disturbances.{setting}" for setting in settings]
        agent = Agent(load_config(None, ["memory.file=null", "budget.replans=2", *overrides]))
        for turn, number in enumerate(tqdm(numbers, f"missions in world {world}", leave=False)):
            # The first of a world has none to go on in.
            seed = None if turn % 3 == 2 else _SEED + number
            listeners = [_Hand(agent, 5 + number % 20)] if turn % 6 == 5 else [Recorder()]
            command = command_for(_SEED + numbers[turn - (seed is None)])
            run_mission(agent, Mission(command, seed, folder / f"{number:03}"), listeners)
        agent.close()


def main() -> int:
    """Record, replay, print one JSON object, and say by the exit code whether every bar is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--out", type=Path, default=Path("runs/replays"), help="where they lie")
    asked = parser.parse_args()
    record(asked.out, asked.episodes)
    episodes = [read_episode(asked.out / f"{n:03}") for n in range(asked.episodes)]
    mission_s = sum(e.result.seconds for e in episodes if e.result is not None)
    differing, ticks, check_s = [], 0, time.perf_counter()
    for episode in tqdm(episodes, "check"):
        found = check(episode)
        ticks += found.ticks
        if not found.same:
            differing.append((str(episode.path), str(found.world or found.divergence)))
    check_s = time.perf_counter() - check_s
    decided, decide_s = _decide(episodes)
    print(
        json.dumps(
            {
                "episodes": len(episodes),
                "outcomes": [e.outcome.value if e.outcome else None for e in episodes],
                "ticks": sum(e.tick_count for e in episodes),
                "ticks_checked": ticks,
                "mission_s": round(mission_s, 1),
                "check_s": round(check_s, 1),
                "check_differs": differing,
                "decisions_s": round(decide_s, 1),
                "decisions_times_real_time": round(mission_s / decide_s, 2),
                "decisions_differ": decided,
            }
        )
    )
    return int(bool(differing or decided) or mission_s < FASTER * decide_s)


def _decide(episodes: list[Episode]) -> tuple[list[tuple[str, str]], float]:
    """Return which episodes would be decided otherwise, and how long all took without loading."""
    reviewer, differing = Reviewer(), []
    reviewer(episodes[0])
    began = time.perf_counter()
    for episode in tqdm(episodes, "decisions"):
        found = reviewer(episode)
        if found.differences or found.ticks != episode.tick_count:
            differing.append((str(episode.path), str(found.differences[:1])))
    seconds = time.perf_counter() - began
    reviewer.close()
    return differing, seconds


if __name__ == "__main__":
    sys.exit(main())
