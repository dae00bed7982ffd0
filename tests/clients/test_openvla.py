from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from agent.errors import PolicyInvalid, PolicyLost
from skills.clients import json_numpy
from skills.clients.openvla import ActBackend
from tests.clients.act_server import ActServer, act_server, array_json, array_of

PICTURE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
INPUTS = {
    "image": PICTURE,
    "state": np.array([0.5, -1.5], np.float32),
    "instruction": "pick up the red block",
    "unnorm_key": "bridge_orig",
}


@pytest.fixture
def server() -> Iterator[ActServer]:
    with act_server() as running:
        yield running


def _backend(server: ActServer, **settings: Any) -> ActBackend:
    return ActBackend(server.address, **{"timeout_s": 5.0, "tries": 3, **settings})


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("chunk", [None, 8])
def test_both_forms_of_both_servers(encoded: bool, chunk: int | None) -> None:
    with act_server(chunk) as server:
        backend = _backend(server, encoded=encoded)
        backend.reset()
        actions = backend.ask(INPUTS).actions
        backend.close()
        backend.close()
    assert actions.shape == (chunk or 1, 7)
    assert actions.dtype == np.float32
    assert 0 < np.abs(actions).max() <= 0.01
    [asked] = server.asked
    assert asked.keys() == INPUTS.keys()
    np.testing.assert_array_equal(asked["image"], PICTURE)
    assert asked["image"].dtype == np.uint8
    np.testing.assert_array_equal(asked["state"], INPUTS["state"])
    assert asked["unnorm_key"] == "bridge_orig"


def test_a_key_is_sent_and_never_told(server: ActServer) -> None:
    backend = _backend(server, key="very-secret")
    server.faults = ["", '["very-secret"']
    backend.ask(INPUTS)
    assert server.headers[0]["Authorization"] == "Bearer very-secret"
    server.faults = ["500"]
    with pytest.raises(PolicyLost) as refused:
        backend.ask(INPUTS)
    assert "secret" not in str(refused.value)
    backend.close()


NAN = json.dumps(array_json(np.full(7, np.nan)))
FAULTS: list[tuple[str, type[Exception], str]] = [
    ("error", PolicyLost, "answers 'error'.*its own log says why"),
    ("500", PolicyLost, "status 500: Internal Server Error"),
    ("slow", PolicyLost, "has not answered for 0.4 s"),
    ("trickle", PolicyLost, "has not answered for 0.4 s"),
    ("endless", PolicyLost, "more than 4000000 bytes"),
    ("[0.1, ", PolicyLost, "cannot be read"),
    ("\xff\xfe", PolicyLost, "cannot be read"),
    ("[" * 100_000, PolicyLost, "cannot be read"),
    ('"go away"', PolicyLost, "cannot be read"),
    ('{"__numpy__": "AAAA", "dtype": "<f4", "shape": [7]}', PolicyLost, "has 3 bytes"),
    ('{"__numpy__": "AAAA", "dtype": "|O", "shape": [1]}', PolicyLost, "type '|O'"),
    ('{"__numpy__": "AAAA", "dtype": "i4,i4", "shape": [1]}', PolicyLost, "type 'i4,i4'"),
    ('{"__numpy__": "AAAA", "dtype": [["a", "<f4"]], "shape": [1]}', PolicyLost, "an array is of"),
    ('{"__numpy__": "A!", "dtype": "<f4", "shape": [1]}', PolicyLost, "not base64"),
    ('{"__numpy__": "", "dtype": "<f4", "shape": [-1]}', PolicyLost, "of shape"),
    ('["up", "down"]', PolicyInvalid, "2 values of type <U4"),
    ("[[1, 2], [3]]", PolicyInvalid, "different lengths"),
    ("[]", PolicyInvalid, r"shape \(1, 0\)"),
    ("3.5", PolicyInvalid, r"shape \(\)"),
    ("null", PolicyInvalid, "type object"),
    ('{"actions": 3}', PolicyInvalid, "type object"),
    ("[[[[1, 2]], [[3, 4]]]]", PolicyInvalid, r"shape \(2, 1, 2\)"),
]


@pytest.mark.parametrize(("fault", "kind", "says"), FAULTS, ids=[fault[0][:20] for fault in FAULTS])
def test_whatever_goes_wrong_is_one_sentence_in_time(
    server: ActServer, fault: str, kind: type[Exception], says: str
) -> None:
    backend = _backend(server, timeout_s=5.0 if fault == "endless" else 0.4)
    server.faults = [fault]
    began = time.perf_counter()
    with pytest.raises(kind, match=says) as refused:
        backend.ask(INPUTS)
    assert time.perf_counter() - began < 4.0
    assert type(refused.value) is kind
    assert "\n" not in str(refused.value)
    assert server.address in str(refused.value)
    # The next answer is the one to the next question.
    backend._timeout_s = 5.0
    assert backend.ask(INPUTS).actions.shape == (1, 7)
    backend.close()


def test_numbers_that_are_none_are_left_for_the_monitor(server: ActServer) -> None:
    backend = _backend(server)
    server.faults = [NAN, "[1e39, 0, 0, 0, 0, 0, 1]"]
    assert np.isnan(backend.ask(INPUTS).actions).all()
    assert backend.ask(INPUTS).actions[0, 0] == np.inf
    backend.close()


@pytest.mark.parametrize("fault", ["503", "dies", "hangs up"])
def test_it_asks_again_where_that_may_help_but_not_for_ever(server: ActServer, fault: str) -> None:
    backend = _backend(server, tries=2)
    server.faults = [fault]
    assert backend.ask(INPUTS).actions.shape == (1, 7)
    server.faults = [fault, fault]
    with pytest.raises(PolicyLost, match=r"status 503|lost, asked 2 times"):
        backend.ask(INPUTS)
    assert len(server.headers) == 4
    backend.close()


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        backend = ActBackend(address, timeout_s=5.0, tries=2)
        with pytest.raises(PolicyLost, match=f"{address} is lost, asked 2 times"):
            backend.reset()
        backend.close()


@pytest.mark.parametrize("dtype", ["|b1", "|u1", "<i8", ">f8", "<f2"])
def test_arrays_survive_json_both_ways(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    text = json_numpy.dumps({"a": [array]})
    theirs = array_of(json.loads(text)["a"][0])
    ours = json_numpy.loads(json.dumps({"a": [array_json(array)]}))["a"][0]
    for found in (theirs, ours):
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


def test_headers_that_trickle_hold_nobody_up() -> None:
    """Each read is in time, and yet there are twenty seconds of them."""
    ended = threading.Event()

    def trickle(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer, suppress(OSError):
            peer.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(400):
                if ended.wait(0.05):
                    return
                peer.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=trickle, args=(listener,))
        thread.start()
        port = listener.getsockname()[1]
        backend = ActBackend(f"127.0.0.1:{port}", timeout_s=0.5, tries=1)
        began = time.monotonic()
        with pytest.raises(PolicyLost, match=r"has not answered for 0\.5 s"):
            backend.reset()
        assert time.monotonic() - began < 10.0
        backend.close()
        ended.set()
        thread.join()
