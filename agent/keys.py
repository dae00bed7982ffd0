"""The key to a remote service: out of the environment or a file, and to no other server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from agent.errors import ConfigError

NO_KEY = "none"
"""What a local server is given, for OpenAI's client insists on a key."""


class Keyed(Protocol):
    """Settings that say which server is asked and where the key to it is."""

    @property
    def base_url(self) -> str | None:
        """Address of the server, where it is not the provider's own."""
        ...

    @property
    def key_env(self) -> str | None:
        """Environment variable that holds the key; None means the provider's own."""
        ...

    @property
    def key_file(self) -> Path | None:
        """File that holds the key and nothing else."""
        ...


def key_of(settings: Keyed, usual: str, what: str, section: str) -> str:
    """Return a key; the provider's own goes to no other server, unless asked for by name.

    Args:
        settings: Where the key is.
        usual: Environment variable of the provider's own.
        what: Who needs it, to begin a sentence with.
        section: Of the configuration, where the settings are.

    Raises:
        ConfigError: There is none; its sentence holds no key.
    """
    if settings.key_file is not None:
        try:
            return settings.key_file.read_text().strip()
        except OSError as error:
            raise ConfigError(
                f"{section}.key_file {settings.key_file} cannot be read: {error.strerror}."
            ) from error
    if settings.key_env is None and settings.base_url is not None:
        return NO_KEY
    name = settings.key_env or usual
    if name not in os.environ:
        raise ConfigError(
            f"{what} needs a key: set the environment variable {name}, or {section}.key_file."
        )
    return os.environ[name]
