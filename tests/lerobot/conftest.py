"""LeRobot's own environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.environments import ROOT, python_of


@pytest.fixture(scope="session")
def lerobot_python() -> Path:
    """Return the Python of LeRobot's environment."""
    return python_of("lerobot")


def run_lerobot(python: Path, script: str, home: Path, *arguments: Path) -> None:
    """Run a script of this folder by LeRobot's Python, without a network."""
    done = subprocess.run(
        [python, ROOT / "tests/lerobot" / script, *arguments],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
