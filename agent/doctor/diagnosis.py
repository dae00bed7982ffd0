"""Looks at everything, and says what works and how to mend what does not."""

from __future__ import annotations

from agent.config import Config
from agent.doctor import machine, speech
from agent.doctor.check import Check


def diagnose(config: Config | None = None) -> list[Check]:
    """Look at everything, required things first; drawing and loading take a few seconds.

    Args:
        config: Whose checkpoint, folders and speech to look at; None is the defaults.
    """
    config = config or Config()
    return [*machine.needed(config), *speech.parts(config), *machine.connections()]
