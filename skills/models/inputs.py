"""What a model is asked, taken apart again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def at(inputs: Mapping[str, Any], key: str) -> Any:
    """Return what stands at a key of an interface; one with dots may be a key within keys.

    Raises:
        KeyError: Nothing does.
    """
    if key in inputs:
        return inputs[key]
    value: Any = inputs
    for part in key.split("."):
        value = value[part]
    return value
