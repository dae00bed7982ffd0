"""The configuration a script is run with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.config import Config, load_config
from agent.script.load import Script

_FORGETFUL = "memory.file=null"
"""Every case is judged by itself: what it comes to does not depend on those before it."""


def configured(script: Script, path: Path | None, overrides: Sequence[str]) -> Config:
    """Return a script's configuration.

    Args:
        script: Its own settings go before the file's.
        path: A configuration file, None for the shipped one.
        overrides: Settings such as `"budget.replans=3"`, which go before all others.

    Raises:
        ConfigError: A file, key or value is wrong, or the settings do not fit each other.
    """
    own = script.mission.set.model_dump(mode="json", exclude_unset=True)
    return load_config(path, [_FORGETFUL, *_settings(own), *overrides])


def _settings(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield nested values as settings."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _settings(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}={json.dumps(value)}"
