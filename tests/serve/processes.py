"""`bosun serve` in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_END_S = 30.0


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs.

    Attributes:
        address: `host:port`.
        pid: Of its process.
    """

    address: str
    pid: int


def bosun_serve(*words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start `bosun serve` with these words after it."""
    return subprocess.Popen(
        [sys.executable, "-m", "agent.cli", "serve", *words],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(
    *words: str, env: Mapping[str, str] | None = None, kill: bool = False
) -> Iterator[Served]:
    """Serve within the context, at a port that is free.

    Args:
        words: After `bosun serve`.
        env: Environment variables besides those of this process.
        kill: Whether it is killed in the end, or dies before; else it must end well when
            interrupted.
    """
    with bosun_serve("--port", "0", *words, env=env) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("Serving the policy at ws://"), process.stderr.read()
            yield Served(line.split("://")[1].split(";")[0], process.pid)
        except BaseException:
            kill = True
            raise
        finally:
            process.send_signal(signal.SIGKILL if kill else signal.SIGINT)
            said = process.communicate(timeout=_END_S)
        assert kill or (process.returncode, said) == (0, ("", ""))
