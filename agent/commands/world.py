"""`bosun world`: the simulated table as a robot for other processes."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from agent.config import load_config
from agent.resources import resource

CONFIG = "configs/ros2_world.yaml"
"""The configuration taken when none is named; the agent takes the same."""


def world(args: argparse.Namespace) -> int:
    """Run the world in real time until Ctrl-C, and say how well it kept its pace."""
    from agent.robots.bus_world import BusWorld
    from agent.ros.opening import open_bus

    config = load_config(args.config or resource(CONFIG), args.overrides).robot
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ros = config.ros2
    bus = open_bus(ros.transport, ros.domain, ros.loopback)
    try:
        table = BusWorld(config, bus, args.seed)
        sys.stderr.write(
            f"A table with a Panda is on the bus, in scene {args.seed}; it takes joint targets on "
            f"{ros.command.topic}. Ctrl-C ends it.\n"
        )
        try:
            table.run(ended.is_set)
        finally:
            table.close()
    finally:
        bus.close()
    sys.stderr.write(f"{table.account}\n")
    return 0
