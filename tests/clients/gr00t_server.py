"""A server as GR00T's is described: ZeroMQ REQ/REP, MessagePack, arrays as whole NumPy files.

It checks what it is asked as GR00T's policy does, answers random actions, or fails as told.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgpack
import numpy as np
import zmq

MODALITIES: dict[str, dict[str, Any]] = {
    "video": {"delta_indices": [0], "modality_keys": ["image"]},
    "state": {"delta_indices": [0], "modality_keys": ["pose", "gripper"]},
    "action": {"delta_indices": list(range(8)), "modality_keys": ["pose", "gripper"]},
    "language": {"delta_indices": [0], "modality_keys": ["annotation.human.task"]},
}


def npy(array: np.ndarray) -> dict[str, Any]:
    """Write an array as GR00T's serializer does."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return {"__ndarray_class__": True, "as_npy": file.getvalue()}


def _array(found: dict[str, Any]) -> Any:
    if "__ndarray_class__" not in found:
        return found
    return np.load(io.BytesIO(found["as_npy"]), allow_pickle=False)


class Gr00tServer:
    """Keeps what it was `asked`, endpoint after endpoint.

    Attributes:
        faults: What goes wrong with the actions asked for, one after another; "" is nothing, bytes
            and values are answers.
        from_question: Number of actions from which on the last fault stays.
        token: What it wants to be shown.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.faults: list[Any] = []
        self.from_question: int | None = None
        self.token: str | None = None
        self.modalities = MODALITIES
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.REP)
        port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.address = f"127.0.0.1:{port}"
        self.running = True
        self._rng = np.random.default_rng(3)

    @property
    def actions(self) -> int:
        """How many actions it was asked for."""
        return sum(endpoint == "get_action" for endpoint, _ in self.asked)

    def run(self) -> None:
        while self.running:
            if not self.socket.poll(20):
                continue
            question = msgpack.unpackb(self.socket.recv(), object_hook=_array)
            answer = self._answer(question)
            packed = answer if isinstance(answer, bytes) else msgpack.packb(answer)
            self.socket.send(packed)
        self.socket.close(0)
        self.context.term()

    def _answer(self, question: dict[str, Any]) -> Any:
        if self.token is not None and question.get("api_token") != self.token:
            return {"error": "Unauthorized: Invalid API token"}
        endpoint: str = question["endpoint"]
        data: dict[str, Any] = question.get("data", {})
        self.asked.append((endpoint, data))
        match endpoint:
            case "ping":
                return {"status": "ok", "message": "Server is running"}
            case "reset":
                return {}
            case "get_modality_config":
                return {
                    name: {"__ModalityConfig_class__": True, "as_json": config}
                    for name, config in self.modalities.items()
                }
            case "get_action":
                return self._act(data["observation"])
        return {"error": f"Unknown endpoint: {endpoint}"}

    def _act(self, observation: dict[str, Any]) -> Any:
        fault = ""
        if self.from_question is not None:
            fault = self.faults[-1] if self.actions > self.from_question else ""
        elif self.faults:
            fault = self.faults.pop(0)
        if fault == "slow":
            time.sleep(0.6)
        elif not (isinstance(fault, str) and fault == ""):
            return fault
        try:
            _check(observation)
        except AssertionError as error:
            return {"error": str(error)}
        rows = self._rng.uniform(-0.01, 0.01, (1, 8, 7)).astype(np.float32)
        return [{"pose": npy(rows[..., :6]), "gripper": npy(rows[..., 6:])}, {}]


def _check(observation: dict[str, Any]) -> None:
    """Hold an observation against what GR00T's policy demands of it."""
    for key in MODALITIES["video"]["modality_keys"]:
        video = observation["video"][key]
        assert video.dtype == np.uint8, "video must be uint8"
        assert video.ndim == 5, "video must be (B, T, H, W, C)"
    for key in MODALITIES["state"]["modality_keys"]:
        state = observation["state"][key]
        assert state.dtype == np.float32, "state must be float32"
        assert state.ndim == 3, "state must be (B, T, D)"
    [[task]] = observation["language"]["annotation.human.task"]
    assert isinstance(task, str), "language must be text"


@contextmanager
def gr00t_server() -> Iterator[Gr00tServer]:
    """Serve in a thread."""
    server = Gr00tServer()
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.running = False
        thread.join()
