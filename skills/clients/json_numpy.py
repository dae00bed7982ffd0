"""Arrays in JSON, as the Python package json-numpy writes them."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any

import numpy as np

_KINDS = "biuf"
"""Kinds of numbers that are read: what holds references or is of any other size is not."""


def dumps(value: Any) -> str:
    """Return JSON text of plain values and arrays."""
    return json.dumps(value, default=_plain)


def loads(text: str | bytes) -> Any:
    """Return what JSON text holds, arrays among it.

    Raises:
        ValueError: It is not JSON, or an array in it is not what it says of itself.
    """
    try:
        return json.loads(text, object_hook=_array)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _plain(value: Any) -> dict[str, Any]:
    if not isinstance(value, np.ndarray | np.generic):
        raise TypeError(f"{type(value).__name__} is neither a plain value nor an array")
    array = np.ascontiguousarray(value)
    return {
        "__numpy__": base64.b64encode(array.tobytes()).decode("ascii"),
        "dtype": array.dtype.str,
        "shape": list(np.shape(value)),
    }


def _array(found: dict[str, Any]) -> Any:
    """Return the array a mapping stands for; another mapping as it is."""
    if "__numpy__" not in found:
        return found
    text, kind, shape = (found.get(key) for key in ("__numpy__", "dtype", "shape"))
    try:
        # A text only: numpy would take many other things for a description of a type.
        dtype = np.dtype(kind) if isinstance(kind, str) else None
    except TypeError:
        dtype = None
    if dtype is None or dtype.kind not in _KINDS:
        raise ValueError(f"an array is of type {kind!r}")
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"an array is of shape {shape!r}")
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except binascii.Error as error:
        raise ValueError("an array's data are not base64") from error
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"an array of shape {shape} and type {kind} has {len(data)} bytes")
    return np.frombuffer(data, dtype).reshape(shape)
