"""A logger for libraries that tell of a lost connection, which whoever lost it tells already."""

from __future__ import annotations

import logging


def silent_logger() -> logging.Logger:
    """Return a logger that drops what it is told."""
    logger = logging.getLogger("skills.wire.connections")
    logger.disabled = True
    return logger
