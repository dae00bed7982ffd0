"""A participant in another process: `python -m tests.ros.peer DOMAIN` sends back what it hears.

What comes on `/peer/in_0` goes out on `/peer/out_0`, and so on in the order of `TYPES`. It leaves
when its standard input ends.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.ros.bus import Qos
from agent.ros.checks import samples
from agent.ros.opening import open_bus


@contextmanager
def peer(domain: int) -> Iterator[None]:
    """Run one for as long as the context lasts."""
    process = subprocess.Popen(
        [sys.executable, "-m", __spec__.name, str(domain)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
    )
    try:
        yield
    finally:
        process.communicate(timeout=20.0)
    assert process.returncode == 0


def _echo(domain: int) -> None:
    with closing(open_bus("dds", domain, loopback=True)) as bus:
        for number, kind in enumerate(samples(bus)):
            back = bus.advertise(f"/peer/out_{number}", kind, Qos())
            bus.listen(f"/peer/in_{number}", kind, Qos(), back)
        sys.stdin.read()


if __name__ == "__main__":
    _echo(int(sys.argv[1]))
