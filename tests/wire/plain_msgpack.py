"""openpi's messages written and read from their description alone, with none of Bosun's code.

An array is the mapping `__ndarray__`: true, `data`: its bytes in C order, `dtype`: NumPy's own name
of the type, `shape`; a scalar is `__npgeneric__`: true, `data`: the value, `dtype`. These keys are
binary. All else is plain msgpack, which takes NumPy's texts, bytes and float64 for Python's.
"""

from __future__ import annotations

from typing import Any

import msgpack
import numpy as np


def written(value: Any) -> bytes:
    """Return a message."""
    return bytes(msgpack.Packer().pack(_marked(value)))


def read(message: bytes) -> Any:
    """Return what a message says."""
    return _unmarked(msgpack.unpackb(message))


def _marked(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        inside = {b"data": value.tobytes("C"), b"dtype": value.dtype.str, b"shape": value.shape}
        return {b"__ndarray__": True, **inside}
    if isinstance(value, np.generic) and not isinstance(value, float | str | bytes):
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(item) for item in value]
    return value


def _unmarked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unmarked(item) for item in value]
    if not isinstance(value, dict):
        return value
    if b"__ndarray__" in value:
        flat = np.frombuffer(value[b"data"], np.dtype(value[b"dtype"]))
        return flat.reshape(value[b"shape"])
    if b"__npgeneric__" in value:
        return np.array(value[b"data"], value[b"dtype"])[()]
    return {key: _unmarked(item) for key, item in value.items()}
