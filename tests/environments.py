"""Environments of other packages, which tests run in processes of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def python_of(name: str) -> Path:
    """Return the Python of an environment; without one the test is skipped.

    `make NAME-env` makes it, and the variable BOSUN_NAME_PYTHON names another one.
    """
    variable = f"BOSUN_{name.upper()}_PYTHON"
    named = os.environ.get(variable)
    python = Path(named) if named else ROOT / f"build/{name}/bin/python"
    if named and not python.is_file():
        pytest.fail(f"{variable} names {python}, which is not there.")
    if not python.is_file():
        pytest.skip(f"There is no environment of {name}; make one with `make {name}-env`.")
    return python
