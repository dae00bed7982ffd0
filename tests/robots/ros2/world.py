"""`bosun world --ros` in a process of its own."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


class World:
    """A world on a domain, until it is ended.

    Attributes:
        domain: Its number.
        refusal: What it must say in the end that it refused; empty where it was told no nonsense.
    """

    def __init__(self, domain: int, *settings: str, seed: int = 20) -> None:
        overrides = [word for setting in settings for word in ("--set", setting)]
        self.domain, self.refusal = domain, ""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agent.cli", "world", "--ros", "--seed", str(seed), *overrides],
            cwd=ROOT,
            env={**os.environ, "ROS_DOMAIN_ID": str(domain)},
            stderr=subprocess.PIPE,
            text=True,
        )
        # It does not outlive whoever fails to end it.
        atexit.register(self._process.kill)

    def ready(self) -> str:
        """Return what it says once it is on the bus."""
        assert self._process.stderr is not None
        return self._process.stderr.readline()

    def end(self) -> tuple[int, str]:
        """Interrupt it and return its exit code and what it said in the end."""
        self._process.send_signal(signal.SIGINT)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for it to end by itself, and return the same."""
        said = self._process.communicate(timeout=20.0)[1]
        return self._process.returncode, said
