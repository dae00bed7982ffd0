from __future__ import annotations

import io
import pickle
import time
from collections.abc import Iterator
from typing import Any

import msgpack
import numpy as np
import pytest

from agent.errors import ConfigError, PolicyInvalid, PolicyLost
from skills.clients.gr00t import Gr00tBackend
from skills.clients.npy import packed, unpacked
from skills.interface.encode import encode
from skills.interface.schema import Interface
from tests.clients.gr00t_server import Gr00tServer, gr00t_server, npy
from tests.interface.samples import interface, observation


def expected(**changed: Any) -> Interface:
    """Return what the server's model expects and gives."""
    standard: dict[str, Any] = {
        "nested": False,
        "cameras": {"video.image": {"camera": "front"}},
        "state": {
            "state.pose": {"parts": ["ee_position", "ee_rotation_vector"]},
            "state.gripper": {"parts": ["gripper"]},
        },
        "prompt": {"key": "language.annotation.human.task"},
        "actions": {"keys": ["pose", "gripper"], "horizon": 8},
    }
    return interface(**{**standard, **changed})


INPUTS = encode(expected(), observation(), "pick up the red block")


@pytest.fixture
def server() -> Iterator[Gr00tServer]:
    with gr00t_server() as running:
        yield running


def _backend(server: Gr00tServer, found: Interface | None = None, **settings: Any) -> Gr00tBackend:
    return Gr00tBackend(server.address, found or expected(), **{"timeout_s": 5.0, **settings})


def test_it_is_asked_as_its_policy_wants(server: Gr00tServer) -> None:
    backend = _backend(server)
    backend.reset()
    backend.reset()
    actions = backend.ask(INPUTS).actions
    backend.close()
    backend.close()
    assert actions.shape == (8, 7)
    assert actions.dtype == np.float32
    assert 0 < np.abs(actions).max() <= 0.01
    endpoints = [endpoint for endpoint, _ in server.asked]
    assert endpoints == ["ping", "get_modality_config", "reset", "reset", "get_action"]
    told = server.asked[-1][1]["observation"]
    np.testing.assert_array_equal(told["video"]["image"][0, 0], INPUTS["video.image"])
    np.testing.assert_array_equal(told["state"]["pose"][0, 0], INPUTS["state.pose"])
    assert told["language"]["annotation.human.task"] == [["pick up the red block"]]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"cameras": {"video.imag": {"camera": "front"}}}, "Did you mean 'image'"),
        ({"state": {"state.pose": {"parts": ["ee_position"]}}}, "also expects state.gripper"),
        ({"prompt": {"key": "language.task"}}, "There is no language key 'task'"),
        ({"prompt": {"key": "task"}}, "There is no task key"),
        ({"actions": {"keys": ["pose", "grip"]}}, "Did you mean 'gripper'"),
        ({"actions": {"keys": ["pose", "gripper"], "horizon": 16}}, "have 8 rows, not 16"),
    ],
)
def test_another_model_than_the_interface_says_is_refused(
    server: Gr00tServer, changed: dict[str, Any], says: str
) -> None:
    backend = _backend(server, expected(**changed))
    with pytest.raises(ConfigError, match=says):
        backend.reset()
    backend.close()


@pytest.mark.parametrize("served", [{}, {"video": 3}, {"video": {"modality_keys": ["image"]}}])
def test_a_server_that_says_nothing_of_its_model_is_refused(
    server: Gr00tServer, served: Any
) -> None:
    server.modalities = served
    backend = _backend(server)
    with pytest.raises(ConfigError, match="does not serve what the interface Test says"):
        backend.reset()
    backend.close()


def test_a_token_is_shown_and_never_told(server: Gr00tServer) -> None:
    server.token = "very-secret"
    backend = _backend(server)
    with pytest.raises(PolicyLost, match="Unauthorized"):
        backend.reset()
    backend.close()
    backend = _backend(server, key="very-secret")
    backend.reset()
    server.faults = [{"error": "very-secret is wrong"}]
    with pytest.raises(PolicyLost) as refused:
        backend.ask(INPUTS)
    assert "secret" not in str(refused.value)
    backend.close()


def _file(header: bytes) -> dict[str, Any]:
    """Return a NumPy file that says of itself what it is not."""
    padded = header + b" " * (117 - len(header)) + b"\n"
    data = b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded
    return {"__ndarray_class__": True, "as_npy": data}


HUGE = _file(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }")
OBJECTS = _file(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }")
POSE, OPEN = npy(np.zeros((1, 8, 6), np.float32)), npy(np.zeros((1, 8, 1), np.float32))
FAULTS: list[tuple[Any, type[Exception], str]] = [
    ({"error": "CUDA out of\nmemory"}, PolicyLost, "CUDA out of memory"),
    ("slow", PolicyLost, "has not answered for 0.3 s"),
    (b"ERROR", PolicyLost, "cannot be read"),
    (b"", PolicyLost, "cannot be read"),
    (b"\x91" * 5000, PolicyLost, "cannot be read"),
    (b"\xdd\xff\xff\xff\xff", PolicyLost, "cannot be read"),
    (pickle.dumps([1]), PolicyLost, "cannot be read"),
    ([{"pose": HUGE, "gripper": OPEN}, {}], PolicyLost, "has 0 bytes"),
    ([{"pose": OBJECTS, "gripper": OPEN}, {}], PolicyLost, "type object"),
    ([{"pose": {"__ndarray_class__": True}}, {}], PolicyLost, "has no data"),
    ([{"pose": {"__ndarray_class__": True, "as_npy": b"x"}}, {}], PolicyLost, "cannot be read"),
    ([{"pose": _file(b"((")}, {}], PolicyLost, "header cannot be read"),
    ([{"pose": _file(b"-" * 9000 + b"1")}, {}], PolicyLost, "header cannot be read"),
    ([], PolicyInvalid, "no actions by name"),
    (3, PolicyInvalid, "no actions by name"),
    ([{"pose": POSE}, {}], PolicyInvalid, "There is no action 'gripper'"),
    ([{"pose": POSE, "gripper": npy(np.zeros((1, 7, 1)))}, {}], PolicyInvalid, "lengths"),
    ([{"pose": POSE, "gripper": npy(np.array(["a"]))}, {}], PolicyLost, "type <U1"),
    ([{"pose": POSE, "gripper": "wide"}, {}], PolicyInvalid, "type <U4"),
]


@pytest.mark.parametrize(("fault", "kind", "says"), FAULTS, ids=range(len(FAULTS)))
def test_whatever_goes_wrong_is_one_sentence_in_time(
    server: Gr00tServer, fault: Any, kind: type[Exception], says: str
) -> None:
    backend = _backend(server)
    backend.reset()
    backend._timeout_s = 0.3
    server.faults = [fault]
    began = time.perf_counter()
    with pytest.raises(kind, match=says) as refused:
        backend.ask(INPUTS)
    assert time.perf_counter() - began < 4.0
    assert type(refused.value) is kind
    assert "\n" not in str(refused.value)
    assert server.address in str(refused.value)
    backend._timeout_s = 5.0
    # What was late is not taken for the answer to the next question.
    assert backend.ask(INPUTS).actions.shape == (8, 7)
    backend.close()


def test_an_answer_that_is_too_large_is_not_read(server: Gr00tServer) -> None:
    backend = _backend(server)
    backend.reset()
    backend._timeout_s = 0.5
    server.faults = [msgpack.packb(b"x" * 5_000_000)]
    with pytest.raises(PolicyLost, match="has not answered"):
        backend.ask(INPUTS)
    backend.close()


def test_nobody_there() -> None:
    with gr00t_server() as server:
        address = server.address
    backend = Gr00tBackend(address, expected(), timeout_s=0.3)
    with pytest.raises(PolicyLost, match=f"{address} has not answered for 0.3 s"):
        backend.reset()
    backend.close()


@pytest.mark.parametrize("dtype", ["|b1", "|u1", "<i8", ">f8", "<f2"])
def test_arrays_survive_both_ways(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    found = unpacked(packed({"a": [array]}))["a"][0]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    theirs = msgpack.unpackb(packed(array))
    np.testing.assert_array_equal(np.load(io.BytesIO(theirs["as_npy"])), array)
