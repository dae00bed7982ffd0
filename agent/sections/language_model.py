"""What a language model may be called."""

from __future__ import annotations

MODELS = ("openai:MODEL", "ollama:MODEL", "recorded:EPISODE")
"""What a language model may be called, to show how."""


def names_a_model(kind: str) -> bool:
    """Return whether a name is `provider:model`."""
    provider, _, name = kind.partition(":")
    return bool(provider and name)
