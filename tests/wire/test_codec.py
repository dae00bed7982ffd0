"""Messages are openpi's, byte for byte; whatever else comes is refused in one sentence."""

from __future__ import annotations

import random
import subprocess
import sys
import tracemalloc
from typing import Any

import msgpack
import numpy as np
import pytest

from agent.errors import WireError
from skills.wire.codec import MAX_BYTES, MAX_DEPTH, MAX_ITEMS, decode, encode
from tests.wire.plain_msgpack import read, written

RNG = np.random.default_rng(0)
OBSERVATION: dict[str, Any] = {
    "observation/image": RNG.integers(0, 256, (12, 16, 3), np.uint8),
    "observation/state": RNG.normal(size=8),
    "observation/gripper": np.float32(0.25),
    "prompt": "pick up the red block",
    "nested": {"mask": np.array([True, False]), "names": np.array(["left", "ö"]), "n": [1, 2.5]},
    "empty": np.zeros((0, 7), np.float32),
    "corner": np.array(3, ">i8"),
    "none": None,
    "yes": np.bool_(True),
    "big": np.uint64(2**64 - 1),
}
FRAMES = 4000


def same(left: Any, right: Any) -> bool:
    """Return whether two values are equal, types, byte orders and bits included."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, np.ndarray | np.generic):
        return (left.dtype, left.shape, left.tobytes()) == (
            right.dtype,
            right.shape,
            right.tobytes(),
        )
    return type(left) is type(right) and bool(left == right)


def test_messages_are_those_of_the_description_byte_for_byte() -> None:
    assert encode(OBSERVATION) == written(OBSERVATION)
    assert same(decode(written(OBSERVATION)), OBSERVATION)
    assert same(read(encode(OBSERVATION)), OBSERVATION)


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "<i2", ">u4", "<i8", "<f2", ">f4", "<f8", "S3"])
@pytest.mark.parametrize("shape", [(), (1,), (0, 3), (2, 3, 4)])
def test_arrays_come_back_bit_for_bit(dtype: str, shape: tuple[int, ...]) -> None:
    array = RNG.integers(0, 2, shape).astype(dtype)
    assert same(decode(encode({"a": array})), {"a": array})


@pytest.mark.parametrize("value", [np.str_("block"), np.bytes_(b"ab"), np.float64(0.1)])
def test_scalars_that_are_pythons_own_come_back_as_these(value: np.generic) -> None:
    assert encode(value) == written(value) == msgpack.packb(value.item())
    assert same(decode(encode(value)), value.item())


def test_what_is_no_number_keeps_its_bits() -> None:
    odd = np.array([np.nan, -np.inf, -0.0, 5e-324])
    assert same(decode(encode({"a": odd})), {"a": odd})


def test_views_are_sent_as_what_they_show() -> None:
    picture = OBSERVATION["observation/image"]
    assert same(decode(encode({"a": picture[::-1, ::2]})), {"a": picture[::-1, ::2].copy()})


@pytest.mark.parametrize(
    "value",
    [
        np.array([object()]),
        np.array([1j]),
        np.zeros(2, [("a", "i4")]),
        np.complex64(1j),
        np.datetime64("2026-01-01"),
        object(),
        {"deep": [{1, 2}]},
        2**70,
    ],
)
def test_what_is_no_data_is_not_sent(value: Any) -> None:
    with pytest.raises(WireError, match=r"^This cannot be sent"):
        encode({"a": value})


def array(**changed: Any) -> dict[bytes, Any]:
    stored = {b"__ndarray__": True, b"data": bytes(24), b"dtype": "<f4", b"shape": [2, 3]}
    return {**stored, **{key.encode(): value for key, value in changed.items()}}


def scalar(data: Any, dtype: Any) -> dict[bytes, Any]:
    return {b"__npgeneric__": True, b"data": data, b"dtype": dtype}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (array(shape=[2, 4]), "has 32 bytes, but 24 came"),
        (array(shape=[2**40, 2**40]), "but 24 came"),
        (array(shape=[-2, -3]), "whole numbers from 0 on"),
        (array(shape=[True, 6]), "whole numbers from 0 on"),
        (array(shape=[2.0, 3]), "whole numbers from 0 on"),
        (array(shape=6), "at most 8 lengths"),
        (array(shape=[1] * 9), "at most 8 lengths"),
        (array(shape=[0, 2**62], data=b""), "no axis of an array is longer"),
        (array(data="text"), "data are bytes, not str"),
        (array(data=None), "data are bytes, not NoneType"),
        (array(dtype="O"), "not 'O'; objects, records"),
        (array(dtype="|O"), "not '|O'; objects, records"),
        (array(dtype="|V8"), r"not '|V8'"),
        (array(dtype="<c8"), "not '<c8'"),
        (array(dtype="i4,i4"), "not 'i4,i4'"),
        (array(dtype="<M8[s]"), r"not '<M8[s]'"),
        (array(dtype="float32"), "not 'float32'"),
        (array(dtype=["<f4"]), "not list"),
        (array(dtype="<f4" * 20), "not str"),
        (array(more=1), "and nothing else"),
        ({b"__ndarray__": True}, "and nothing else"),
        (scalar(1.5, "<i4"), "stands for no value of type int32"),
        (scalar(True, "<f4"), "stands for no value of type float32"),
        (scalar(1, "|b1"), "stands for no value of type bool"),
        (scalar(300, "|u1"), "300 does not fit into uint8"),
        (scalar(b"x", "|O"), "objects, records"),
        ({b"__npgeneric__": True, b"data": 1}, "and nothing else"),
        ({b"other": 1}, "which is no text"),
        (msgpack.Timestamp(1), "a Timestamp, which nobody reads"),
        (msgpack.ExtType(5, b"pickle"), "extension type 5"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(value: Any, sentence: str) -> None:
    with pytest.raises(WireError) as refused:
        decode(msgpack.packb({"observation/image": value}))
    said = str(refused.value)
    assert sentence in said and said.count("\n") == 0
    assert "observation/image" in said or "extension" in said


def test_a_number_too_large_for_its_type_is_infinite_and_warns_of_nothing() -> None:
    assert decode(msgpack.packb(scalar(1e300, "<f4"))) == np.float32(np.inf)


def nested(levels: int) -> bytes:
    return b"\x91" * levels + b"\x01"


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (b"", "not msgpack"),
        (b"\xc1", "not msgpack"),
        (encode(OBSERVATION)[:-1], "incomplete"),
        (encode(OBSERVATION) + b"\x00", "extra data"),
        (b"\x81\xa1\xff\x01", "utf-8"),
        (b"\x81\x01\x01", "map key"),
        (b"\x82\xa1a\x01\xa1a\x02", "the same key twice"),
        (nested(MAX_DEPTH + 1), "deeper than 16"),
        (nested(100_000), "not msgpack"),
        (b"\xdd\xff\xff\xff\xff", "exceeds max_array_len"),
        (b"\xdf\xff\xff\xff\xff", "exceeds max_map_len"),
        (b"\xc6\xff\xff\xff\xff", "not msgpack"),
        (msgpack.packb([[0] * 2000] * 40), f"more than {MAX_ITEMS} items"),
        (bytes(MAX_BYTES + 1), "are the most"),
    ],
)
def test_what_is_no_message_is_refused(message: bytes, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        decode(message)


def test_the_deepest_message_is_read() -> None:
    value = decode(nested(MAX_DEPTH))
    for _ in range(MAX_DEPTH):
        (value,) = value
    assert value == 1


def mutated(message: bytes, rng: random.Random) -> bytes:
    """Return a message with some bytes changed, left out, put in, doubled or cut off."""
    data = bytearray(message)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0 if place < len(data):
                data[place] = rng.randrange(256)
            case 1:
                del data[place : place + rng.randint(1, 8)]
            case 2:
                data[place:place] = rng.randbytes(rng.randint(1, 8))
            case 3:
                data[place:place] = data[place : place + rng.randint(1, 64)]
            case 4 if rng.random() < 0.2:
                del data[place:]
    return bytes(data)


def test_mutated_messages_are_read_or_refused_and_nothing_else() -> None:
    rng, message = random.Random(8), encode(OBSERVATION)
    read_anyway = 0
    for _ in range(FRAMES):
        try:
            value = decode(mutated(message, rng))
        except WireError as refused:
            assert "\n" not in str(refused) and len(str(refused)) < 400
        else:
            read_anyway += 1
            encode(value)
    # A byte of a picture or a text may change without harm; most changes are noticed.
    assert 0 < read_anyway < FRAMES / 2


def test_random_bytes_are_read_or_refused_and_nothing_else() -> None:
    rng = random.Random(9)
    for _ in range(FRAMES):
        try:
            decode(rng.randbytes(rng.randint(1, 200)))
        except WireError as refused:
            assert "\n" not in str(refused)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"\xdc\x08\x00" * 1000, id="lists that promise many items"),
        pytest.param(b"\xdc\x08\x00" + b"\x90" * 2_000_000, id="more items than are allowed"),
        pytest.param(b"\x91" * 2_000_000, id="depth"),
        pytest.param(
            b"\xdc\x03\xe8" + (b"\xdc\x03\xe8" + b"\x90" * 1000) * 1000,
            id="empty lists by the million",
        ),
    ],
)
def test_a_small_message_takes_little_memory(message: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            decode(message)
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()


def test_it_needs_numpy_and_msgpack_only() -> None:
    code = "import sys, skills.wire.codec; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"numpy", "msgpack"} <= loaded
    assert not loaded & {
        "pydantic",
        "torch",
        "transformers",
        "websockets",
        "pickle5",
        "cloudpickle",
    }
