"""From an emergency stop to standstill: `python -m tests.benchmarks.emergency_stop [--stops 100]`.

The world runs in a process of its own; here the arm circles over the table as fast as the shield
lets it, over the bus. True is published on `/emergency_stop` by another participant at random
moments, and the joint states tell when no joint turns faster than 0.02 rad/s any more, on the
clock of this machine. Exit code 1 if the bar is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from contextlib import closing, suppress
from typing import Any

import numpy as np

from agent.config import load_config
from agent.embodiment import open_robot
from agent.errors import RobotStopped
from agent.protocols import Robot
from agent.ros.bus import Bus, Qos
from agent.ros.messages import JOINTS, seconds_of
from agent.ros.opening import open_bus
from agent.types import Observation, Vector
from tests.robots.ros2.world import ROOT, World
from tests.ros.domains import OWN

MAX_STILL_S = 0.2
STILL_RAD_S = 0.02
"""About a degree a second."""
_LEAST_RAD_S = 0.2
"""An arm that turns slower than this as it is stopped says nothing."""
_CENTRE = np.array([0.46, 0.0, 0.32])
_RADIUS_M = 0.08
_RESTS_S = 0.8
"""How long the arm is watched after a stop, s."""


class Watch:
    """Keeps how fast the fastest joint turned, and when, s since 1970 and rad/s."""

    def __init__(self, bus: Bus, topic: str, arm: int) -> None:
        self.turned: list[tuple[float, float]] = []
        self._arm = arm
        bus.listen(topic, JOINTS, Qos(depth=10), self._on_message)

    def still(self, since_s: float) -> float | None:
        """Return how long after a time the last joint came to rest; None where nothing turned."""
        before = [speed for at, speed in self.turned if since_s - 0.1 < at <= since_s]
        if not before or before[-1] < _LEAST_RAD_S:
            return None
        turning = [at for at, speed in self.turned if at > since_s and speed > STILL_RAD_S]
        return max([0.0, *(at - since_s for at in turning)])

    def _on_message(self, message: Any) -> None:
        fastest = float(np.abs(message.velocity[: self._arm]).max())
        self.turned.append((seconds_of(message.header.stamp), fastest))


def circle_until_stopped(robot: Robot, speed_m_s: float) -> None:
    """Circle as fast as told, until somebody stops the robot."""
    with suppress(RobotStopped):
        while True:
            robot.act(_along(robot.observe(), speed_m_s / robot.spec.rate_hz))


def _along(seen: Observation, step_m: float) -> Vector:
    """Return one action along the circle and towards it."""
    outward = (seen.ee_pose[:3] - _CENTRE)[:2]
    distance = max(float(np.linalg.norm(outward)), 1e-6)
    outward /= distance
    way = np.array([-outward[1], outward[0]]) + outward * (1 - distance / _RADIUS_M)
    action = np.array([0.0] * 6 + [1.0])
    action[:2] = way / np.linalg.norm(way) * step_m
    return action


def measure(stops: int, domain: int) -> list[float]:
    """Return how long each stop took, s."""
    config = load_config(ROOT / "configs/ros2_world.yaml", (f"robot.ros2.domain={domain}",))
    ros, took = config.robot.ros2, list[float]()
    rng = np.random.default_rng(0)
    with (
        closing(open_bus("dds", domain, loopback=True)) as bus,
        closing(open_robot(config.robot, lambda: False)) as robot,
    ):
        watch = Watch(bus, ros.joints.topic, len(ros.joints.names))
        press = bus.advertise(ros.emergency_stop or "", "std_msgs/msg/Bool", Qos())
        make = bus.message("std_msgs/msg/Bool")
        pressed_s = [0.0]

        def press_now() -> None:
            pressed_s.append(time.time())
            press(make(data=True))

        step = min(config.shield.max_speed_m_s, float(robot.spec.high[0]) * robot.spec.rate_hz)
        while len(took) < stops:
            robot.reset(None if took else 0)
            watch.turned.clear()
            threading.Timer(rng.uniform(0.8, 1.3), press_now).start()
            circle_until_stopped(robot, step)
            press(make(data=False))
            time.sleep(_RESTS_S)
            if (still_s := watch.still(pressed_s[-1])) is not None:
                took.append(still_s)
    return took


def main() -> int:
    """Measure, print one JSON object, and say by the exit code whether the bar is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=100)
    asked = parser.parse_args()
    world = World(OWN)
    world.ready()
    took = measure(asked.stops, OWN)
    p95_s = float(np.percentile(took, 95))
    told = {
        "stops": len(took),
        "still_p50_s": float(np.percentile(took, 50)),
        "still_p95_s": p95_s,
        "still_max_s": max(took),
        "world": world.end()[1].strip(),
    }
    missed = not p95_s < MAX_STILL_S
    sys.stdout.write(json.dumps({**told, "missed": missed}, indent=1) + "\n")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
