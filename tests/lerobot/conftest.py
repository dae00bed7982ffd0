"""LeRobot's own environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build/lerobot/bin/python"
"""Where `make lerobot-env` puts it."""


@pytest.fixture(scope="session")
def lerobot_python() -> Path:
    """Return the Python of LeRobot's environment."""
    named = os.environ.get("BOSUN_LEROBOT_PYTHON")
    python = Path(named) if named else BUILT
    if named and not python.is_file():
        pytest.fail(f"BOSUN_LEROBOT_PYTHON names {python}, which is not there.")
    if not python.is_file():
        pytest.skip("LeRobot has no environment; make one with `make lerobot-env`.")
    return python


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
