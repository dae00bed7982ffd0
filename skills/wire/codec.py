"""Messages of numbers, texts and arrays as bytes, as openpi's clients and servers write them.

msgpack, in which an array is a mapping of four binary keys and a NumPy scalar one of three. What
comes from outside is bounded in depth, in number of items and in every length before memory is
spent on it, and nothing in it is ever run: there is no pickle on this wire.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import msgpack
import numpy as np
import numpy.typing as npt

from agent.errors import WireError

MAX_BYTES = 16 * 2**20
"""Of one message: three pictures of 1280 x 720 px and all that goes with them."""
MAX_DEPTH = 16
MAX_ITEMS = 65_536
"""Elements of all lists and mappings of a message together; arrays count as one."""
MAX_LENGTH = 2048
"""Of one list; msgpack takes memory for as many items as a list says that it has, and lists may
stand in lists."""
RESET, TAKES_RESET = "reset", "takes_reset"
"""Key with which a client begins a subgoal, and that of metadata which says that it may. These are
ours: openpi's own servers know neither."""
_MAX_AXES = 8
_ARRAY, _SCALAR, _DATA, _DTYPE, _SHAPE = (
    b"__ndarray__",
    b"__npgeneric__",
    b"data",
    b"dtype",
    b"shape",
)
_DTYPES = re.compile(r"\|b1|[|<>=]?[iu]1|[<>=][iuf][248]|[|<>=]?S\d{1,5}|[<>=]?U\d{1,5}")
"""As `dtype.str` writes booleans, integers, floats and texts."""
_SCALARS: Mapping[str, tuple[type, ...]] = {
    "b": (bool,),
    "i": (int,),
    "u": (int,),
    "f": (int, float),
    "S": (bytes,),
    "U": (str,),
}
"""Kind of a data type -> what stands for one value of it."""


def encode(value: Any) -> bytes:
    """Return a value as a message.

    Args:
        value: None, a boolean, a number, a text, bytes, an array or scalar of NumPy, or a list or
            mapping of such.

    Raises:
        WireError: It holds something else, an array of objects, records or complex numbers above
            all.
    """
    try:
        return bytes(msgpack.packb(value, default=_plain))
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(f"This cannot be sent to another process: {error}.") from error


def decode(message: bytes) -> Any:
    """Return what a message says; the inverse of `encode`, with lists for tuples.

    Arrays are read-only and have the byte order they were sent with.

    Raises:
        WireError: It is not one, too large, or holds what does not fit together; the sentence says
            where.
    """
    if len(message) > MAX_BYTES:
        raise WireError(f"A message has {len(message)} bytes; {MAX_BYTES} are the most.")
    count = _Count()
    try:
        value = msgpack.unpackb(
            message,
            object_pairs_hook=count.mapping,
            list_hook=count.sequence,
            ext_hook=_no_extension,
            max_array_len=MAX_LENGTH,
            max_map_len=MAX_LENGTH,
        )
    except (ValueError, msgpack.UnpackException) as error:
        told = str(error) or type(error).__name__
        raise WireError(f"The message is not msgpack: {told.rstrip('.')}.") from error
    return _read(value, "the message", MAX_DEPTH)


def _plain(value: Any) -> Any:
    """Return an array or scalar as the mapping that stands for it."""
    if not isinstance(value, np.ndarray | np.generic):
        raise TypeError(f"{type(value).__name__} is neither data nor an array")
    dtype = value.dtype.str
    if not _DTYPES.fullmatch(dtype):
        raise TypeError(f"an array of {value.dtype} is not one of numbers or texts")
    if isinstance(value, np.ndarray):
        return {_ARRAY: True, _DATA: value.tobytes(), _DTYPE: dtype, _SHAPE: value.shape}
    return {_SCALAR: True, _DATA: value.item(), _DTYPE: dtype}


class _Count:
    """Counts what lists and mappings hold while they are read, and ends reading at the limit."""

    def __init__(self) -> None:
        self._items = 0

    def sequence(self, items: list[Any]) -> list[Any]:
        self._add(len(items))
        return items

    def mapping(self, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        self._add(len(pairs))
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            raise WireError("A mapping in the message has the same key twice.")
        return mapping

    def _add(self, items: int) -> None:
        self._items += items
        if self._items > MAX_ITEMS:
            raise WireError(
                f"The message has more than {MAX_ITEMS} items in lists and mappings; "
                "send numbers as arrays."
            )


def _no_extension(code: int, data: bytes) -> Any:
    raise WireError(f"The message holds msgpack's extension type {code}, which nobody reads.")


def _read(value: Any, where: str, depth: int) -> Any:
    """Return a value with arrays in place of the mappings that stand for them."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if depth == 0:
        raise WireError(f"The message is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, list):
        return [_read(item, where, depth - 1) for item in value]
    if not isinstance(value, dict):
        raise WireError(f"In {where} stands a {type(value).__name__}, which nobody reads.")
    if _ARRAY in value:
        return _array(value, where)
    if _SCALAR in value:
        return _scalar(value, where)
    for key in value:
        if not isinstance(key, str):
            raise WireError(f"In {where} stands the key {key!r}, which is no text.")
    return {key: _read(item, key, depth - 1) for key, item in value.items()}


def _array(stored: Mapping[Any, Any], where: str) -> npt.NDArray[Any]:
    if stored.keys() != {_ARRAY, _DATA, _DTYPE, _SHAPE}:
        raise WireError(f"{where}: an array has data, dtype and shape, and nothing else.")
    dtype, shape, data = _dtype(stored[_DTYPE], where), stored[_SHAPE], stored[_DATA]
    if not isinstance(data, bytes):
        raise WireError(f"{where}: an array's data are bytes, not {type(data).__name__}.")
    if not (isinstance(shape, list) and len(shape) <= _MAX_AXES):
        raise WireError(f"{where}: a shape is a list of at most {_MAX_AXES} lengths.")
    # Python takes booleans for integers, and msgpack does not.
    if not all(type(length) is int and length >= 0 for length in shape):
        raise WireError(f"{where}: a shape holds whole numbers from 0 on, not {shape}.")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise WireError(
            f"{where}: an array of shape {tuple(shape)} and type {dtype} has "
            f"{math.prod(shape) * dtype.itemsize} bytes, but {len(data)} came."
        )
    if max(shape, default=0) > MAX_BYTES:
        # Beside a length of 0 another one takes no bytes, and NumPy overflows.
        raise WireError(f"{where}: no axis of an array is longer than {MAX_BYTES}.")
    return np.ndarray(tuple(shape), dtype, data)


def _scalar(stored: Mapping[Any, Any], where: str) -> np.generic:
    if stored.keys() != {_SCALAR, _DATA, _DTYPE}:
        raise WireError(f"{where}: a NumPy scalar has data and dtype, and nothing else.")
    dtype, data = _dtype(stored[_DTYPE], where), stored[_DATA]
    # A boolean is no number here, although Python takes it for one.
    if not isinstance(data, _SCALARS[dtype.kind]) or isinstance(data, bool) != (dtype.kind == "b"):
        raise WireError(f"{where}: {type(data).__name__} stands for no value of type {dtype}.")
    try:
        with np.errstate(over="ignore"):
            scalar: np.generic = dtype.type(data)
    except OverflowError:
        raise WireError(f"{where}: {data} does not fit into {dtype}.") from None
    return scalar


def _dtype(name: Any, where: str) -> np.dtype[Any]:
    if not (isinstance(name, str) and _DTYPES.fullmatch(name)):
        told = repr(name) if isinstance(name, str) and len(name) < 40 else type(name).__name__
        raise WireError(
            f"{where}: an array holds booleans, integers, floats or texts, not {told}; objects, "
            "records and complex numbers are not sent."
        )
    return np.dtype(name)
