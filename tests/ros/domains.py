"""A ROS domain of this process's own, so that tests that run at once do not hear each other."""

from __future__ import annotations

import os

OWN = 1 + os.getpid() % 100
"""Beyond 101, ports would be taken from what the system lends to connections."""
