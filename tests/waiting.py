"""Waiting for what other threads and processes do, for as long as a busy machine may take."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(there: Callable[[], object], limit_s: float = 20.0) -> None:
    """Return as soon as something holds; it is an error if it does not within so many seconds."""
    end_s = time.monotonic() + limit_s
    while not there():
        assert time.monotonic() < end_s, "It did not come about."
        time.sleep(0.01)
