"""Bosun's policy over the wire: the same bits, to several clients, whatever one of them does."""

from __future__ import annotations

import asyncio
import http.client
import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from agent.errors import PolicyLost, WireError
from agent.resources import resource
from agent.skilled import POLICY_CHECKPOINT
from skills.checkpoint import weights_hash
from skills.clients.openpi import OpenpiBackend, open_openpi
from skills.interface.files import load_interface
from skills.policy.policy import VLAPolicy
from skills.serve.server import PolicyServer, ServerLimits
from tests.serve.processes import Served
from tests.serve.samples import PHRASE, assert_same, inputs, observations
from tests.wire.plain_msgpack import read, written
from tests.wire.test_codec import mutated

SEEN = observations(6)
OTHER = "open the drawer"
FRAMES = 200


@contextmanager
def client(address: str, **settings: Any) -> Iterator[OpenpiBackend]:
    backend, _ = open_openpi(address, **{"timeout_s": 30.0, **settings})
    try:
        yield backend
    finally:
        backend.close()


@contextmanager
def socket_to(address: str, **settings: Any) -> Iterator[ClientConnection]:
    """Connect as any websocket client does, and take in the metadata."""
    with connect(f"ws://{address}", compression=None, max_size=None, legacy=True, **settings) as c:
        c.recv(timeout=30)
        yield c


def test_metadata_say_all_that_a_client_needs(served: Served) -> None:
    backend, interface = open_openpi(served.address)
    backend.close()
    assert interface is not None
    shipped = load_interface("bosun")
    # The file leaves the pictures as they come; the server knows their size.
    assert {key: camera.camera for key, camera in interface.cameras.items()} == {
        key: camera.camera for key, camera in shipped.cameras.items()
    }
    assert interface.state == shipped.state and interface.actions == shipped.actions
    assert interface.cameras["observation/front_image"].size == (120, 160)
    said = backend.metadata
    assert said["weights"] == weights_hash(resource(POLICY_CHECKPOINT))
    assert (said["server"], said["takes_reset"]) == ("bosun", True)
    assert (said["action_space"], said["rate_hz"], said["horizon"]) == ("delta_ee", 10.0, 6)
    assert len(said["action"]) == 7 and said["version"]


def test_a_subgoal_over_the_wire_is_one_in_process_bit_for_bit(
    served: Served, unserved: VLAPolicy
) -> None:
    with client(served.address) as backend:
        for _ in range(2):
            backend.reset()
            unserved.reset(PHRASE)
            for seen in SEEN:
                assert_same(backend.ask(inputs(seen)), unserved.infer(seen))


def test_another_prompt_begins_a_subgoal_and_so_does_a_connection(
    served: Served, unserved: VLAPolicy
) -> None:
    with client(served.address) as backend:
        for phrase in (PHRASE, OTHER, PHRASE):
            unserved.reset(phrase)
            for seen in SEEN[:2]:
                assert_same(backend.ask(inputs(seen, phrase)), unserved.infer(seen))
    unserved.reset(PHRASE)
    with client(served.address) as backend:
        assert_same(backend.ask(inputs(SEEN[2])), unserved.infer(SEEN[2]))


def test_clients_share_no_memory(served: Served) -> None:
    policies = {p: VLAPolicy.from_checkpoint(resource(POLICY_CHECKPOINT)) for p in (PHRASE, OTHER)}
    with client(served.address) as first, client(served.address) as second:
        for phrase in policies:
            policies[phrase].reset(phrase)
        for seen in SEEN:
            for backend, phrase in ((first, PHRASE), (second, OTHER)):
                assert_same(backend.ask(inputs(seen, phrase)), policies[phrase].infer(seen))


def test_clients_at_the_same_time_get_their_own_answers(
    served: Served, unserved: VLAPolicy
) -> None:
    expected = {}
    for number in range(4):
        unserved.reset(PHRASE)
        expected[number] = [unserved.infer(seen) for seen in observations(5, seed=number)]
    wrong: list[BaseException] = []

    def drive(number: int) -> None:
        try:
            with client(served.address) as backend:
                for seen, chunk in zip(observations(5, seed=number), expected[number], strict=True):
                    assert_same(backend.ask(inputs(seen)), chunk)
        except (AssertionError, PolicyLost) as error:
            wrong.append(error)

    threads = [threading.Thread(target=drive, args=(number,)) for number in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_numbers_may_be_float32_and_time_left_out(served: Served) -> None:
    told = inputs(SEEN[0])
    del told["observation/time"]
    for key, value in told.items():
        if isinstance(value, np.ndarray) and value.dtype == np.float64:
            told[key] = value.astype(">f4")
    with client(served.address) as backend:
        assert np.isfinite(backend.ask(told).actions).all()


@pytest.mark.parametrize("opening", [-0.02, 1.05])
def test_fingers_may_give_way_a_little(served: Served, opening: float) -> None:
    with client(served.address) as backend:
        told = {**inputs(SEEN[0]), "observation/gripper_position": np.array([opening])}
        assert np.isfinite(backend.ask(told).actions).all()


def test_answers_tell_how_long_they_took(served: Served) -> None:
    with socket_to(served.address) as c:
        for number in range(2):
            c.send(written(inputs(SEEN[0])))
            answer = read(c.recv(timeout=30, decode=False))
            timing = answer["server_timing"]
            assert 0 < answer["policy_timing"]["infer_ms"] <= timing["infer_ms"] < 5000
            assert ("prev_total_ms" in timing) == (number > 0)
        assert timing["prev_total_ms"] > 0


WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"observation/front_image": np.zeros((240, 320, 3), np.uint8)},
        "observation/front_image: (120, 160, 3) uint8, the front camera's RGB picture, is "
        "expected, not (240, 320, 3) uint8.",
    ),
    (
        {"observation/wrist_image": np.zeros((3, 96, 96), np.uint8)},
        "observation/wrist_image: (96, 96, 3) uint8",
    ),
    (
        {"observation/wrist_image": np.zeros((96, 96, 3), np.float32)},
        "is expected, not (96, 96, 3) float32.",
    ),
    ({"observation/front_image": "a picture"}, "is expected, not str."),
    (
        {"observation/joint_position": np.zeros(6)},
        "observation/joint_position: (7,) float32 or float64, the joints in rad, is expected, not "
        "(6,) float64.",
    ),
    ({"observation/joint_position": [0.0] * 7}, "is expected, not list."),
    ({"observation/joint_position": np.zeros(7, int)}, "is expected, not (7,) int64."),
    ({"observation/joint_position": np.full(7, np.nan)}, "every number must be finite"),
    ({"observation/ee_pose": np.ones(7)}, "a quaternion wxyz has length 1, not 2."),
    ({"observation/gripper_position": np.array([85.0])}, "0 is closed and 1 is open, so 85"),
    ({"observation/time": 3.0}, "observation/time: (1,) float32 or float64, the time in s"),
    ({"observation/time": np.array([np.inf])}, "every number must be finite"),
    ({"observation/joint_positions": np.zeros(7)}, "Did you mean 'observation/joint_position'?"),
    ({"observation/state": np.zeros(8)}, "There is no key 'observation/state'; there are:"),
    ({"prompt": ""}, "prompt: a text of 1 to 1000 characters is expected"),
    ({"prompt": "a" * 1001}, "prompt: a text of 1 to 1000 characters is expected"),
    ({"prompt": 3}, "prompt: a text is expected, not int."),
]


@pytest.mark.parametrize(("changed", "sentence"), WRONG)
def test_what_the_policy_does_not_take_is_said_by_key(
    served: Served, changed: dict[str, Any], sentence: str
) -> None:
    with client(served.address) as backend, pytest.raises(PolicyLost) as lost:
        backend.ask({**inputs(SEEN[0]), **changed})
    assert sentence in str(lost.value) and "\n" not in str(lost.value)


@pytest.mark.parametrize("key", [key for key in inputs(SEEN[0]) if key != "observation/time"])
def test_what_is_missing_is_said(served: Served, key: str) -> None:
    told = inputs(SEEN[0])
    del told[key]
    with client(served.address) as backend, pytest.raises(PolicyLost, match=f"{key}: "):
        backend.ask(told)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({**inputs(SEEN[0]), "reset": 1}, "reset: true or false is expected, not int."),
        ([1, 2], "An observation is a mapping, not list."),
    ],
)
def test_what_no_client_of_ours_sends_is_said_too(
    served: Served, message: Any, sentence: str
) -> None:
    with socket_to(served.address) as c:
        c.send(written(message))
        assert c.recv(timeout=30) == sentence


def test_a_failure_is_a_text_frame_and_code_1011(served: Served) -> None:
    with socket_to(served.address) as c:
        c.send("pick up the red block")
        said = c.recv(timeout=30)
        assert said == "An observation is a binary message of msgpack, not a text."
        with pytest.raises(ConnectionClosed) as closed:
            c.recv(timeout=30)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1011


def test_fuzzed_frames_end_their_own_connection_only(served: Served, unserved: VLAPolicy) -> None:
    rng, message = random.Random(10), written(inputs(SEEN[0]))
    small = written({"prompt": PHRASE, "observation/joint_position": np.zeros(7)})
    unserved.reset(PHRASE)
    answered = refused = 0
    with client(served.address) as bystander:
        for number in range(FRAMES):
            with socket_to(served.address) as c:
                c.send(mutated(message if number % 4 == 0 else small, rng))
                said = c.recv(timeout=30)
                if isinstance(said, bytes):
                    answered += 1
                else:
                    assert "\n" not in said and 0 < len(said) < 600
                    refused += 1
            if number % 50 == 0:
                seen = SEEN[number // 50]
                assert_same(bystander.ask(inputs(seen)), unserved.infer(seen))
    # Some changes fall into a picture, and harm nobody.
    assert answered > 0 and refused > FRAMES / 2


def test_frames_that_are_too_large_or_broken_end_their_own_connection_only(served: Served) -> None:
    with client(served.address) as bystander:
        with socket_to(served.address) as c:
            with suppress(ConnectionClosed):
                c.send(bytes(2**20 + 1))
            with pytest.raises(ConnectionClosed) as closed:
                c.recv(timeout=30)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
        for rubbish in (b"\xff" * 100, b"\x82\x7e\x03\xe8abc", b""):
            with socket_to(served.address) as c:
                c.socket.sendall(rubbish)
                c.close_socket()
        bystander.ask(inputs(SEEN[0]))


def test_what_is_too_large_for_the_server_is_said(served: Served) -> None:
    with (
        client(served.address) as backend,
        pytest.raises(PolicyLost, match="takes no message as large as this"),
    ):
        backend.ask({"prompt": PHRASE, "observation/front_image": np.zeros(2**21, np.uint8)})


def test_health_is_told_to_whoever_asks(served: Served) -> None:
    asked = http.client.HTTPConnection(served.address, timeout=5)
    asked.request("GET", "/healthz")
    answer = asked.getresponse()
    assert (answer.status, answer.read()) == (200, b"OK\n")
    asked.close()


class Echo:
    """A session that answers with what it remembers, or fails as it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.thread = threading.get_ident()

    def reset(self, prompt: str) -> None:
        self.said.append(prompt)

    def infer(self, inputs: Any) -> dict[str, Any]:
        assert threading.get_ident() == self.thread
        match inputs:
            case {"fail": "wire"}:
                raise WireError("That is\nnot taken.")
            case {"fail": "value"}:
                raise ValueError("no\nsuch thing" + "!" * 1000)
            case {"wait_s": wait_s}:
                time.sleep(wait_s)
        return {"actions": np.zeros((1, 1)), "said": self.said}


class EchoService:
    def __init__(self) -> None:
        self.metadata = {"server": "echo"}

    def session(self) -> Echo:
        return Echo()


@contextmanager
def echoing(key: str | None = None, **limits: Any) -> Iterator[str]:
    """Serve echoes from a thread."""
    started, address = threading.Event(), ""
    ended: asyncio.Event
    loop: asyncio.AbstractEventLoop

    async def run() -> None:
        nonlocal address, ended, loop
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        async with PolicyServer(EchoService(), key, ServerLimits(**limits)).listening() as port:
            address = f"127.0.0.1:{port}"
            started.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert started.wait(5)
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()


def test_other_policies_are_served_by_the_same_code() -> None:
    with echoing() as address, socket_to(address) as c:
        told = [
            {"prompt": "a"},
            {"prompt": "a"},
            {"prompt": "b"},
            {"prompt": "b", "reset": True},
            {},
        ]
        for inputs, said in zip(told, ("a", "a", "ab", "abb", "abb"), strict=True):
            c.send(written(inputs))
            answer = read(c.recv(timeout=30, decode=False))
            assert "".join(answer["said"]) == said


@pytest.mark.parametrize(
    ("how", "sentence"),
    [("wire", "That is not taken."), ("value", "The policy failed: ValueError: no such thing!")],
)
def test_what_a_policy_raises_is_one_short_line(how: str, sentence: str) -> None:
    with echoing() as address, socket_to(address) as c:
        c.send(written({"fail": how}))
        said = c.recv(timeout=30)
        assert isinstance(said, str) and said.startswith(sentence)
        assert "\n" not in said and len(said) < 320


def test_the_key_must_be_shown_and_is_not_repeated() -> None:
    with echoing(key="s3cret") as address:
        with client(address, key="s3cret") as backend:
            assert backend.ask({}).actions.shape == (1, 1)
        for key, said in ((None, "wants a key"), ("other", "does not take our key")):
            with pytest.raises(PolicyLost, match=said):
                open_openpi(address, key=key)
        for header in ("Api-Key s3cre", "Api-Key", "", "Bearer s3cret", "Api-Key s3cret\u00e9"):
            with (
                pytest.raises(InvalidStatus) as refused,
                socket_to(address, additional_headers={"Authorization": header}),
            ):
                pass
            assert refused.value.response.status_code == 401
            assert b"s3cret" not in (refused.value.response.body or b"")


def test_one_client_too_many_is_refused_until_another_goes() -> None:
    with echoing(clients=2) as address:
        with (
            socket_to(address),
            socket_to(address),
            pytest.raises(PolicyLost, match="HTTP 503 This server has 2 clients"),
        ):
            open_openpi(address, tries=1)
        with client(address) as backend:
            backend.ask({})


def test_who_asks_nothing_is_let_go_and_may_come_again() -> None:
    with echoing(idle_s=1.0) as address, client(address) as backend:
        backend.ask({"prompt": "a"})
        with socket_to(address) as c:
            assert c.recv(timeout=30) == "Nothing was asked for 1 s."
        assert backend.ask({"prompt": "b"}).actions.shape == (1, 1)


def test_who_waits_for_another_client_waits_no_longer_than_it_wants() -> None:
    with echoing() as address, client(address) as slow, client(address, timeout_s=1.0) as late:
        thread = threading.Thread(target=slow.ask, args=({"wait_s": 2.0},))
        thread.start()
        time.sleep(0.1)
        with pytest.raises(PolicyLost, match="does not answer in time"):
            late.ask({})
        thread.join()
        late.reset()
        late.ask({})


def test_clients_are_told_when_the_server_goes() -> None:
    with ExitStack() as clients:
        with echoing() as address:
            c = clients.enter_context(socket_to(address))
        with pytest.raises(ConnectionClosed) as closed:
            c.recv(timeout=30)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001
