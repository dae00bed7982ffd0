"""Our client with openpi's servers: whatever they do, one sentence in time, and nothing hangs."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest
from websockets.sync.server import ServerConnection

from agent.action_space import ActionSpace
from agent.doubles import FixedEstimator
from agent.errors import PolicyInvalid, PolicyLost
from agent.monitor.limits import MonitorLimits
from agent.monitor.monitor import SubgoalMonitor
from agent.types import MissionOutcome, Reason
from skills.clients.openpi import OpenpiBackend, open_openpi
from skills.interface.schema import ActionOutput, CameraInput, Interface, Part, StateInput
from skills.public import PublicPolicy
from skills.wire.codec import MAX_BYTES
from tests.clients.openpi_server import METADATA, Behaviour, actions, openpi_server
from tests.parts import BEFORE, CONTRACTS, PICK, Bench
from tests.wire.plain_msgpack import read, written

LIMIT_S, PATIENT_S = 1.0, 30.0
"""How long an answer may take where it is late on purpose, and where it only must come, s."""
GRACE_S = 2.0
"""How much later at most it is said that it is late, on a busy machine, s."""
LATE = "it does not answer in time"
INPUTS: dict[str, Any] = {
    "observation/exterior_image_1_left": np.arange(48, dtype=np.uint8).reshape(4, 4, 3),
    "observation/joint_position": np.linspace(-1, 1, 7, dtype=np.float32),
    "observation/gripper_position": np.zeros(1, np.float32),
    "prompt": "pick up the red block",
}
DROID = Interface(
    name="a policy for DROID",
    cameras={"observation/exterior_image_1_left": CameraInput(camera="front")},
    state={
        "observation/joint_position": StateInput(parts=(Part.JOINTS,), joints=7),
        "observation/gripper_position": StateInput(parts=(Part.GRIPPER,)),
    },
    actions=ActionOutput(space=ActionSpace.DELTA_EE, dim=7, horizon=6, rate_hz=10.0),
)


def limit_s(sentence: str) -> float:
    return LIMIT_S if sentence == LATE else PATIENT_S


@contextmanager
def client(address: str, **settings: Any) -> Iterator[OpenpiBackend]:
    backend, _ = open_openpi(address, **{"timeout_s": PATIENT_S, **settings})
    try:
        yield backend
    finally:
        backend.close()


def text(connection: ServerConnection, message: bytes) -> None:
    connection.send(
        "Traceback (most recent call last):\n  File ...\nKeyError: 'observation/state'\n"
    )
    connection.close(1011, "Internal server error. Traceback included in previous frame.")


def stall(connection: ServerConnection, message: bytes) -> None:
    time.sleep(LIMIT_S + 0.5)


def trickle(connection: ServerConnection, message: bytes) -> None:
    """Send an answer a byte at a time, each long before the limit."""
    pieces = (bytes([byte]) for byte in written(actions()))

    def slowly() -> Iterator[bytes]:
        for piece in pieces:
            time.sleep(0.05)
            yield piece

    connection.send(slowly())


def die(connection: ServerConnection, message: bytes) -> None:
    connection.socket.shutdown(socket.SHUT_RDWR)


def die_in_a_frame(connection: ServerConnection, message: bytes) -> None:
    # The head of a binary frame of 1000 bytes, and three of these.
    connection.socket.sendall(b"\x82\x7e\x03\xe8abc")
    die(connection, message)


def break_the_protocol(connection: ServerConnection, message: bytes) -> None:
    connection.socket.sendall(b"\xff" * 64)
    time.sleep(0.1)


def say(answer: bytes) -> Behaviour:
    return lambda connection, message: connection.send(answer)


def give(**changed: Any) -> Behaviour:
    return say(written({**actions(), **changed}))


LOST: dict[str, tuple[Behaviour, str]] = {
    "failure": (text, "failed: KeyError: 'observation/state'"),
    "empty failure": (lambda c, m: c.send(""), "failed: it does not say why"),
    "no msgpack": (say(b"\xc1" * 9), "makes no sense: The message is not msgpack"),
    "cut off": (say(written(actions())[:-3]), "makes no sense: The message is not msgpack"),
    "nested": (say(b"\x91" * 100 + b"\x01"), "nested deeper than 16"),
    "objects": (
        say(
            written({"actions": 0}).replace(
                b"\x00", b"\x83\xc4\x0b__ndarray__\xc3\xc4\x05dtype\xa2|O\xc4\x04data\xc4\x00"
            )
        ),
        "actions: an array has data, dtype and shape",
    ),
    "too few bytes": (
        say(written(actions()).replace(b"\x92\x06\x07", b"\x92\x07\x07")),
        "actions: an array of shape (7, 7) and type float32 has 196 bytes, but 168 came",
    ),
    "no mapping": (say(written([1, 2])), "answers a list, not a mapping"),
    "too large": (say(bytes(MAX_BYTES + 1)), f"answers with more than {MAX_BYTES} bytes"),
    "stalls": (stall, LATE),
    "trickles": (trickle, LATE),
    "dies": (die, "the connection broke off"),
    "dies in a frame": (die_in_a_frame, "the connection broke off"),
    "breaks the protocol": (break_the_protocol, "the connection broke off"),
}
INVALID: dict[str, tuple[Behaviour, str]] = {
    "other key": (
        say(written({"action": np.zeros((6, 7))})),
        "There is no key of actions 'actions'; there are: action. Did you mean 'action'?",
    ),
    "texts": (give(actions=np.array(["a"])), "1 values of type <U1"),
    "a text": (give(actions="none"), "1 values of type <U4"),
    "nothing": (give(actions=None), "1 values of type object"),
    "no rows": (give(actions=np.zeros((0, 7))), "actions of shape (0, 7)"),
    "too many axes": (give(actions=np.zeros((2, 6, 7))), "actions of shape (2, 6, 7)"),
    "spread of another length": (give(spread=np.zeros(5)), "5 numbers of spread for 6 actions"),
    "a head that is a text": (give(success="yes"), "answers success that is not one number"),
    "a head that is a vector": (give(progress=np.zeros(2)), "answers progress that is not one"),
}


def test_messages_are_openpis_in_both_directions() -> None:
    with openpi_server() as server, client(server.address) as backend:
        assert backend.metadata == METADATA
        reply = backend.ask(INPUTS)
        # Not a bit more is sent than the interface says: these servers know no `reset`.
        assert server.heard == [written(INPUTS)]
        assert set(read(server.heard[0])) == set(INPUTS)
        expected = read(server.said[0])["actions"]
        assert reply.actions.dtype == np.float32 and np.array_equal(reply.actions, expected)
        assert (reply.spread, reply.progress, reply.success) == (None, None, None)


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<i8"])
@pytest.mark.parametrize("shape", [(1, 6, 7), (6, 7), (7,)])
def test_actions_come_in_several_shapes_and_types(dtype: str, shape: tuple[int, ...]) -> None:
    given = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    with openpi_server({"actions": given}) as server, client(server.address) as backend:
        reply = backend.ask(INPUTS)
    assert reply.actions.shape == ((1, 7) if len(shape) == 1 else (6, 7))
    assert np.array_equal(reply.actions.ravel(), given.ravel())


def test_actions_under_several_keys_are_joined_and_heads_are_taken() -> None:
    given = {
        "arm": np.ones((6, 6)),
        "hand": np.zeros((6, 1)),
        "spread": np.arange(6.0),
        "progress": np.float32(0.5),
        "success": np.array([0.25]),
    }
    with (
        openpi_server(given) as server,
        client(server.address, keys=("arm", "hand")) as backend,
    ):
        reply = backend.ask(INPUTS)
    assert np.array_equal(reply.actions, [[1, 1, 1, 1, 1, 1, 0]] * 6)
    assert reply.spread is not None and reply.spread.tolist() == [0, 1, 2, 3, 4, 5]
    assert (reply.progress, reply.success) == (0.5, 0.25)


@pytest.mark.parametrize("name", LOST)
def test_what_cannot_be_read_is_lost(name: str) -> None:
    behaviour, sentence = LOST[name]
    limit = limit_s(sentence)
    with (
        openpi_server(behaviour=behaviour) as server,
        client(server.address, timeout_s=limit) as backend,
    ):
        began = time.monotonic()
        with pytest.raises(PolicyLost) as lost:
            backend.ask(INPUTS)
        assert time.monotonic() - began < limit + GRACE_S
    said = str(lost.value)
    assert not isinstance(lost.value, PolicyInvalid)
    assert sentence in said and server.address in said and "\n" not in said


@pytest.mark.parametrize("name", INVALID)
def test_what_is_no_chunk_is_invalid(name: str) -> None:
    behaviour, sentence = INVALID[name]
    with (
        openpi_server(behaviour=behaviour) as server,
        client(server.address) as backend,
        pytest.raises(PolicyInvalid) as invalid,
    ):
        backend.ask(INPUTS)
    assert sentence in str(invalid.value) and server.address in str(invalid.value)


def test_a_late_answer_is_never_the_next_one() -> None:
    def late_at_first(connection: ServerConnection, message: bytes) -> None:
        number = len(server.heard)
        if number == 1:
            time.sleep(LIMIT_S + 0.1)
        server.reply(connection, actions(number=number))

    with (
        openpi_server(behaviour=late_at_first) as server,
        client(server.address, timeout_s=LIMIT_S) as backend,
    ):
        with pytest.raises(PolicyLost, match="does not answer in time"):
            backend.ask(INPUTS)
        backend.reset()
        assert backend.ask(INPUTS).actions[0, 0] == 2.0
        time.sleep(0.3)
        assert backend.ask(INPUTS).actions[0, 0] == 3.0
        assert server.connections == 2


def test_an_answer_nobody_asked_for_is_dropped_with_its_connection() -> None:
    def twice(connection: ServerConnection, message: bytes) -> None:
        for _ in range(2):
            server.reply(connection, actions(number=len(server.heard)))

    with openpi_server(behaviour=twice) as server, client(server.address) as backend:
        for number in (1.0, 2.0, 3.0):
            assert backend.ask(INPUTS).actions[0, 0] == number
            time.sleep(0.05)
        assert server.connections == 3


def test_a_connection_that_breaks_is_made_anew() -> None:
    def dies_at_every_other(connection: ServerConnection, message: bytes) -> None:
        if len(server.heard) % 2:
            die(connection, message)
        else:
            server.reply(connection, actions(number=len(server.heard)))

    with (
        openpi_server(behaviour=dies_at_every_other) as server,
        client(server.address) as backend,
    ):
        assert [backend.ask(INPUTS).actions[0, 0] for _ in range(2)] == [2.0, 4.0]
        assert server.connections == 3


def test_tries_have_an_end() -> None:
    with (
        openpi_server(behaviour=die) as server,
        client(server.address, tries=3) as b,
    ):
        with pytest.raises(PolicyLost, match=r"broke off \(tried 3 times"):
            b.ask(INPUTS)
        assert len(server.heard) == 3


def test_a_server_that_reads_nothing_holds_nobody_up() -> None:
    """Its buffers fill, so that it is sending that takes too long."""
    with (
        raw(lambda peer: handshake(peer, read_on=False)) as address,
        client(address, timeout_s=LIMIT_S) as backend,
    ):
        began = time.monotonic()
        with pytest.raises(PolicyLost, match="does not answer in time"):
            backend.ask({"image": np.zeros(MAX_BYTES - 2**16, np.uint8)})
        assert time.monotonic() - began < LIMIT_S + GRACE_S


def test_another_policy_after_a_restart_is_not_taken_for_the_same() -> None:
    metadata: dict[str, Any] = {"weights": "a"}
    peers: list[socket.socket] = []

    def answers(peer: socket.socket) -> None:
        peers.append(peer)
        handshake(peer, metadata)

    with raw(answers) as address, client(address) as backend:
        metadata["weights"] = "b"
        peers[0].shutdown(socket.SHUT_RDWR)
        with pytest.raises(PolicyLost, match="serves another policy than before"):
            backend.ask(INPUTS)


def handshake(peer: socket.socket, metadata: Any = METADATA, *, read_on: bool = True) -> None:
    """Open a websocket by hand and say something, then read on or not until the client goes."""
    import base64
    import hashlib

    sent = next(
        line for line in asked(peer).split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
    )
    key = sent.split(b":")[1].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key).digest())
    message = written(dict(metadata))
    peer.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + bytes([0x82, len(message)]) + message
    )
    if read_on:
        while peer.recv(4096):
            continue
    else:
        time.sleep(LIMIT_S + GRACE_S)


def asked(peer: socket.socket) -> bytes:
    """Return what a client asks before it opens a websocket."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += peer.recv(1)
    return head


@contextmanager
def raw(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve plain TCP with one thread for each client."""
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def one(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            serve(peer)

    def accept() -> None:
        while not ended.is_set():
            with suppress(TimeoutError):
                peer, _ = listener.accept()
                peer.settimeout(5.0)
                threads.append(threading.Thread(target=one, args=(peer,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
            accepting.join()
            for thread in threads:
                thread.join()


def http(status: str, body: str = "") -> Callable[[socket.socket], None]:
    answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

    def serve(peer: socket.socket) -> None:
        asked(peer)
        peer.sendall(answer)

    return serve


def trickling(peer: socket.socket) -> None:
    for _ in range(30):
        peer.sendall(b"H")
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("serve", "sentence"),
    [
        (lambda peer: peer.shutdown(socket.SHUT_RDWR), "the connection broke off"),
        (lambda peer: time.sleep(LIMIT_S + 0.3), LATE),
        (trickling, LATE),
        (lambda peer: peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), "the connection broke off"),
        (http("200 OK", "a page"), "it answers HTTP 200 a page"),
        (http("503 Service Unavailable", "full\n"), "it answers HTTP 503 full"),
        (http("401 Unauthorized", "no"), "wants a key"),
        (
            lambda peer: handshake(peer, {"interface": {"name": 3}}),
            "makes no sense: its metadata: ",
        ),
        (
            lambda peer: handshake(peer, {"interface": 3}),
            "makes no sense: its metadata: ",
        ),
    ],
)
def test_what_is_no_policy_server_is_said(
    serve: Callable[[socket.socket], None], sentence: str
) -> None:
    with raw(serve) as address:
        began = time.monotonic()
        with pytest.raises(PolicyLost) as lost:
            open_openpi(address, timeout_s=limit_s(sentence))
        assert time.monotonic() - began < limit_s(sentence) + GRACE_S
    assert sentence in str(lost.value) and "\n" not in str(lost.value)


def test_where_nobody_listens_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(PolicyLost, match=r"nobody listens there \(tried 2 times"):
        open_openpi(address, timeout_s=PATIENT_S, tries=2)


def test_closing_can_be_done_twice_and_leaves_no_thread() -> None:
    with openpi_server() as server:
        before = threading.active_count()
        for _ in range(5):
            with client(server.address) as backend:
                backend.ask(INPUTS)
                backend.close()
        deadline = time.monotonic() + 2.0
        while threading.active_count() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert threading.active_count() == before


def mission(backend: OpenpiBackend) -> tuple[Bench, Reason, str]:
    """Run a mission on the still robot, watched as always, and return why it ended and in words."""
    monitor = SubgoalMonitor(CONTRACTS, FixedEstimator([BEFORE]), MonitorLimits())
    bench = Bench(policy=PublicPolicy(backend, DROID), monitor=monitor)
    result = bench.runtime.run("pick up the red block", 0)
    assert result.outcome is MissionOutcome.STOPPED and bench.robot.stopped
    assert result.results[-1].subgoal == PICK and result.question is not None
    return bench, result.results[-1].verdict.reason, result.question


def after_three(behaviour: Behaviour) -> Behaviour:
    """Return what answers three observations well, and then behaves so."""
    count = 0

    def behave(connection: ServerConnection, message: bytes) -> None:
        nonlocal count
        count += 1
        if count <= 3:
            connection.send(written(actions()))
        else:
            behaviour(connection, message)

    return behave


@pytest.mark.parametrize("name", LOST)
def test_a_mission_whose_policy_is_lost_ends_with_the_arm_held(name: str) -> None:
    behaviour, sentence = LOST[name]
    with (
        openpi_server(behaviour=after_three(behaviour)) as server,
        client(server.address, timeout_s=limit_s(sentence)) as backend,
    ):
        bench, reason, question = mission(backend)
    assert reason is Reason.POLICY_LOST and len(bench.robot.sent) == 3
    assert sentence in question


INVALID_ACTIONS: dict[str, tuple[Behaviour, str]] = {
    **INVALID,
    "NaN": (give(actions=np.full((6, 7), np.nan)), "largest_action: nan"),
    "infinite": (give(actions=np.full((6, 7), 1e300)), "largest_action: inf"),
    "NaN in a head": (give(success=float("nan")), "success: nan"),
    "too short": (give(actions=np.zeros((2, 7))), "actions of shape (2, 7)"),
    "too narrow": (give(actions=np.zeros((6, 5))), "actions of shape (6, 5)"),
}


@pytest.mark.parametrize("name", INVALID_ACTIONS)
def test_a_mission_whose_policy_makes_no_sense_ends_with_the_arm_held(name: str) -> None:
    behaviour, sentence = INVALID_ACTIONS[name]
    with (
        openpi_server(behaviour=after_three(behaviour)) as server,
        client(server.address) as backend,
    ):
        bench, reason, question = mission(backend)
    assert reason is Reason.POLICY_INVALID and len(bench.robot.sent) == 3
    assert sentence in question
