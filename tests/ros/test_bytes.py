"""What we put on the wire is what rosbags, an implementation of its own, reads and writes."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from agent.ros.idl import TYPES

STORES = {name: get_typestore(name) for name in (Stores.ROS2_HUMBLE, Stores.ROS2_JAZZY)}
TRIES = 100
TEXTS = ("", "a", "red block", "rød blok", "赤いブロック", "\n\t\\\"'", "🤖" * 50, "x" * 1000)
FLOATS = (0.0, -0.0, 1.5, float("nan"), float("inf"), -float("inf"), 5e-324, 1.7e308, 0.1)
WIDTHS = {"int32": 32, "int64": 64, "uint8": 8, "uint32": 32}

Tree = Any
"""A message's fields by name; numbers, text, lists and trees."""


def _base(kind: str, rng: random.Random) -> Any:
    if kind == "string":
        return rng.choice(TEXTS)
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "float64":
        return rng.choice((*FLOATS, rng.gauss(0.0, 1.0)))
    if kind == "float32":
        return float(np.float32(rng.choice((*FLOATS[:-2], rng.gauss(0.0, 1.0)))))
    bits = WIDTHS[kind]
    low = 0 if kind.startswith("u") else -(2 ** (bits - 1))
    return rng.choice((low, low + 2**bits - 1, rng.randrange(low, low + 2**bits)))


def _field(store: Typestore, spec: Any, rng: random.Random) -> Tree:
    node, of = spec
    if node is Nodetype.BASE:
        return _base(of[0], rng)
    if node is Nodetype.NAME:
        return _tree(store, of, rng)
    assert node is Nodetype.SEQUENCE
    length = rng.choice((0, 0, 1, 2, 3, 7, 50))
    if of[0] == (Nodetype.BASE, ("uint8", 0)):
        return rng.randbytes(length)
    return [_field(store, of[0], rng) for _ in range(length)]


def _tree(store: Typestore, kind: str, rng: random.Random) -> Tree:
    return {name: _field(store, spec, rng) for name, spec in store.fielddefs[kind][1]}


def _ours(store: Typestore, kind: str, tree: Tree) -> Any:
    def made(spec: Any, value: Tree) -> Any:
        node, of = spec
        if node is Nodetype.NAME:
            return _ours(store, of, value)
        if node is Nodetype.SEQUENCE and not isinstance(value, bytes):
            return [made(of[0], one) for one in value]
        return value

    specs = dict(store.fielddefs[kind][1])
    return TYPES[kind](**{name: made(specs[name], value) for name, value in tree.items()})


def _theirs(store: Typestore, kind: str, tree: Tree) -> Any:
    def made(spec: Any, value: Tree) -> Any:
        node, of = spec
        if node is Nodetype.NAME:
            return _theirs(store, of, value)
        if isinstance(value, bytes):
            return np.frombuffer(value, np.uint8)
        if node is Nodetype.SEQUENCE and of[0][1][0] == "float64":
            return np.array(value, np.float64)
        return [made(of[0], one) for one in value] if node is Nodetype.SEQUENCE else value

    specs = dict(store.fielddefs[kind][1])
    return store.types[kind](**{name: made(specs[name], value) for name, value in tree.items()})


def _read(message: Any, tree: Tree) -> Tree:
    """Return what a message of either side holds, with the names of a tree."""
    if isinstance(tree, dict):
        return {name: _read(getattr(message, name), value) for name, value in tree.items()}
    if isinstance(tree, bytes):
        return bytes(message)
    if isinstance(tree, list):
        assert len(message) == len(tree)
        return [_read(*pair) for pair in zip(message, tree, strict=True)]
    return message.item() if isinstance(message, np.generic) else message


@pytest.mark.parametrize("version", STORES)
@pytest.mark.parametrize("kind", TYPES)
def test_each_side_reads_what_the_other_writes(kind: str, version: Stores) -> None:
    store, rng = STORES[version], random.Random(kind)
    for _ in range(TRIES):
        tree = _tree(store, kind, rng)
        ours = _ours(store, kind, tree).serialize()
        theirs = bytes(store.serialize_cdr(_theirs(store, kind, tree), kind))
        assert ours == theirs
        for message in (store.deserialize_cdr(ours, kind), TYPES[kind].deserialize(theirs)):
            # NaN is not equal to itself, but written alike.
            assert repr(_read(message, tree)) == repr(tree)


@pytest.mark.parametrize("version", STORES)
@pytest.mark.parametrize("kind", TYPES)
def test_names_and_their_order_are_those_of_ros(kind: str, version: Stores) -> None:
    names = [name for name, _ in STORES[version].fielddefs[kind][1]]
    assert list(TYPES[kind].__annotations__) == names
    package, _, name = kind.rpartition("/msg/")
    assert TYPES[kind].__idl_typename__ == f"{package}::msg::dds_::{name}_"
    STORES[version].deserialize_cdr(TYPES[kind]().serialize(), kind)


def test_a_large_image_keeps_every_byte() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)
    fields = {"height": 1080, "width": 1920, "encoding": "rgb8", "step": 5760}
    kind = "sensor_msgs/msg/Image"
    ours = TYPES[kind](**fields, data=pixels.tobytes())
    store = STORES[Stores.ROS2_JAZZY]
    theirs: Any = store.deserialize_cdr(ours.serialize(), kind)
    assert np.array_equal(theirs.data, pixels.ravel())
    assert TYPES[kind].deserialize(bytes(store.serialize_cdr(theirs, kind))) == ours


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("builtin_interfaces/msg/Time", {"nanosec": -1}),
        ("builtin_interfaces/msg/Time", {"sec": 2**31}),
        ("std_msgs/msg/String", {"data": 1}),
        ("sensor_msgs/msg/JointState", {"position": ["a"]}),
        ("sensor_msgs/msg/Image", {"height": 1.5}),
    ],
)
def test_what_a_field_cannot_hold_is_not_written(kind: str, fields: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=f"Failed to encode member {next(iter(fields))}"):
        TYPES[kind](**fields).serialize()
