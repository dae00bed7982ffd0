"""Missions over the bus in real time: `python -m tests.benchmarks.bus_missions [--episodes 20]`.

The world runs in a process of its own. Counted are missions that succeed by the world's truth, how
regular the ticks are by the wall clock, how old pictures are when they come, how long it takes from
a picture to the command that rests on it, and how often a picture was passed over.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np

from agent.build import Agent
from agent.config import Config, load_config
from agent.events import Event, SubgoalStarted, Ticked
from agent.mission import Mission, run_mission
from agent.ros.bus import Bus, Qos
from agent.ros.messages import COMPRESSED, JOINTS, seconds_of
from agent.ros.opening import open_bus
from skills.evaluate.commands import draw_command
from tests.robots.ros2.world import ROOT, World
from tests.ros.domains import OWN

_SEED_BASE = 1_000_000


class Ticks:
    """How long it takes from tick to tick of a subgoal, by the wall clock and by the robot's."""

    def __init__(self) -> None:
        self.wall_s: list[float] = []
        self.robot_s: list[float] = []
        self._last: tuple[float, float] | None = None

    def on_event(self, event: Event) -> None:
        if isinstance(event, SubgoalStarted):
            self._last = None
        if isinstance(event, Ticked) and event.sent is not None:
            now = time.monotonic(), event.time_s
            if self._last is not None:
                self.wall_s.append(now[0] - self._last[0])
                self.robot_s.append(now[1] - self._last[1])
            self._last = now


class Ages:
    """How old messages are when they come, s by the system's clock."""

    def __init__(self, bus: Bus, config: Config) -> None:
        self.pictures: list[float] = []
        self.commands: list[float] = []
        self._period_s = 1.0 / config.robot.ros2.rate_hz
        camera = next(iter(config.robot.ros2.cameras.values()))
        bus.listen(camera.topic, COMPRESSED, Qos(reliable=False, depth=10), self._on_picture)
        bus.listen(config.robot.ros2.command.topic, JOINTS, Qos(depth=10), self._on_command)

    def _on_picture(self, message: Any) -> None:
        self.pictures.append(time.time() - seconds_of(message.header.stamp))

    def _on_command(self, message: Any) -> None:
        # Its stamp is when joints shall be there: a period after the picture.
        self.commands.append(time.time() - seconds_of(message.header.stamp) + self._period_s)


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Return the usual, the rare and the worst, ms."""
    return {
        "p50_ms": round(float(np.percentile(seconds, 50)) * 1e3, 1),
        "p99_ms": round(float(np.percentile(seconds, 99)) * 1e3, 1),
        "max_ms": round(max(seconds) * 1e3, 1),
    }


def measure(episodes: int, domain: int) -> dict[str, Any]:
    """Return what came of so many missions."""
    overrides = (f"robot.ros2.domain={domain}", "memory.file=null")
    config = load_config(ROOT / "configs/ros2_world.yaml", overrides)
    ticks, outcomes, seed = Ticks(), list[bool](), _SEED_BASE
    agent = Agent(config)
    with closing(open_bus("dds", domain, loopback=True)) as bus:
        ages = Ages(bus, config)
        try:
            while len(outcomes) < episodes:
                seed += 1
                if (command := draw_command(seed, objects=1)) is not None:
                    told = run_mission(agent, Mission(command.text, seed), [ticks])
                    outcomes.append(told["world_success"] is True)
        finally:
            agent.close()
    return {
        "missions": len(outcomes),
        "successes": sum(outcomes),
        "ticks": len(ticks.wall_s),
        "interval": spread(ticks.wall_s),
        "passed_over": float(np.mean(np.array(ticks.robot_s) > 1.5 / config.robot.ros2.rate_hz)),
        "picture_age": spread(ages.pictures),
        "picture_to_command": spread(ages.commands),
    }


def main() -> int:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=20)
    asked = parser.parse_args()
    world = World(OWN)
    world.ready()
    told = measure(asked.episodes, OWN)
    told["world"] = world.end()[1].strip()
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
