"""Measures how long messages take over DDS from one process to another.

`python -m tests.benchmarks.bus` sends every type in turn, at 10 and at 30 Hz, on loopback, and
prints a line of JSON per type and rate: the bytes of a message, how many were sent and came, and
from before the call that publishes to the receiver's own function the median, the 99th percentile
and the longest time, all in ms. Pictures are 128 and 224 pixels wide, of noise, which packs worst.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from agent.ros import messages
from agent.ros.bus import Bus, Qos
from agent.ros.checks import samples
from agent.ros.dds import DdsBus
from agent.types import Image

RATES_HZ = (10, 30)
_WARM_UP = 20
"""Messages that are sent first, while the processes find each other."""
_ROOT = Path(__file__).parents[2]
_DOMAIN = 99


def measure(count: int) -> None:
    """Print what `python -m tests.benchmarks.bus` prints.

    Args:
        count: How many messages of a type are sent at a rate.
    """
    with closing(DdsBus(_DOMAIN, loopback=True)) as bus:
        for name, (kind, message) in _payloads(bus).items():
            for rate_hz in RATES_HZ:
                row = {"message": name, "hz": rate_hz, "bytes": len(message.serialize())}
                print(json.dumps({**row, **_sent(bus, kind, message, rate_hz, count)}), flush=True)


def _payloads(bus: Bus) -> dict[str, tuple[str, Any]]:
    """Return messages by what they are, each with its type."""
    names = [f"joint_{number}" for number in range(9)]
    joints = messages.joint_state(bus, 1.0, names, np.zeros(9), np.zeros(9))
    told: dict[str, tuple[str, Any]] = {kind: (kind, m) for kind, m in samples(bus).items()}
    told[messages.JOINTS] = messages.JOINTS, joints
    for width in (128, 224):
        image: Image = np.random.default_rng(0).integers(0, 256, (width, width, 3), np.uint8)
        for name, kind, message in (
            ("raw", messages.IMAGE, messages.raw_image(bus, image, 1.0)),
            ("png", messages.COMPRESSED, messages.compressed_image(bus, image, 1.0)),
            ("jpeg", messages.COMPRESSED, messages.compressed_image(bus, image, 1.0, 90)),
        ):
            told[f"{kind} {name} {width}"] = kind, message
    del told[messages.IMAGE], told[messages.COMPRESSED]
    return told


def _sent(bus: Bus, kind: str, message: Any, rate_hz: float, count: int) -> dict[str, Any]:
    """Send messages at a rate to another process, and return how long they took."""
    receiver = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.bus", "--receive", kind],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert receiver.stdout is not None
    receiver.stdout.readline()
    publish = bus.advertise("/benchmark", kind, Qos())
    sent_s = []
    begin_s = time.monotonic()
    for number in range(_WARM_UP + count):
        time.sleep(max(0.0, begin_s + number / rate_hz - time.monotonic()))
        sent_s.append(time.monotonic())
        publish(message)
    time.sleep(0.5)
    told, _ = receiver.communicate()
    came_s = json.loads(told)[-count:]
    # The clock is the machine's, so that two processes may be compared.
    took_ms = 1000.0 * (np.array(came_s) - sent_s[-len(came_s) :])
    median, late, last = np.percentile(took_ms, [50, 99, 100])
    return {
        "sent": count,
        "came": len(came_s),
        "p50_ms": round(median, 2),
        "p99_ms": round(late, 2),
        "max_ms": round(last, 2),
    }


def _receive(kind: str) -> None:
    """Print when messages came, once the standard input ends."""
    came_s: list[float] = []
    with closing(DdsBus(_DOMAIN, loopback=True)) as bus:
        bus.listen("/benchmark", kind, Qos(), lambda message: came_s.append(time.monotonic()))
        print("ready", flush=True)
        sys.stdin.read()
    print(json.dumps(came_s))


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100, help="of each type and rate")
    parser.add_argument("--receive", metavar="TYPE", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.receive:
        _receive(args.receive)
    else:
        measure(args.messages)


if __name__ == "__main__":
    _main()
