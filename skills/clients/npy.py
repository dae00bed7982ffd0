"""Arrays in MessagePack as GR00T's servers have them: whole NumPy files, never pickled."""

from __future__ import annotations

import io
import math
from tokenize import TokenError
from typing import Any

import msgpack
import numpy as np

_MARK, _DATA = "__ndarray_class__", "as_npy"
_KINDS = "biuf"
"""Kinds of numbers that are read."""
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""Version of the format -> what reads a header; NumPy writes numbers in one of these."""


def packed(value: Any) -> bytes:
    """Return plain values and arrays as MessagePack."""
    data: bytes = msgpack.packb(value, default=_plain)
    return data


def unpacked(data: bytes) -> Any:
    """Return what MessagePack holds, arrays among it.

    Raises:
        ValueError: It is none, or an array in it is not what it says of itself.
    """
    try:
        return msgpack.unpackb(data, object_hook=_array)
    except (msgpack.UnpackException, msgpack.StackError, UnicodeDecodeError) as error:
        raise ValueError(str(error) or "it is cut off") from error


def _plain(value: Any) -> dict[str, Any]:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{type(value).__name__} is neither a plain value nor an array")
    file = io.BytesIO()
    np.save(file, value, allow_pickle=False)
    return {_MARK: True, _DATA: file.getvalue()}


def _array(found: dict[Any, Any]) -> Any:
    """Return the array a mapping stands for; another mapping as it is."""
    if _MARK not in found:
        return found
    data = found.get(_DATA)
    if not isinstance(data, bytes):
        raise ValueError("an array has no data")
    file = io.BytesIO(data)
    # Its size is looked at first: NumPy makes room for whatever the header says.
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"an array is written in version {version} of NumPy's format")
    try:
        shape, _, dtype = _HEADERS[version](file)
    # A header is text that NumPy has Python's parser read.
    except (MemoryError, RecursionError, TokenError) as error:
        raise ValueError("an array's header cannot be read") from error
    if dtype.kind not in _KINDS:
        raise ValueError(f"an array is of type {dtype}")
    if math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise ValueError(f"an array of shape {shape} has {len(data) - file.tell()} bytes")
    return np.load(io.BytesIO(data), allow_pickle=False)
