"""GR00T's servers, which answer MessagePack over ZeroMQ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.errors import ConfigError, MissingDependency, PolicyInvalid, PolicyLost, unknown
from agent.remote import told
from skills.backend import Reply
from skills.clients.npy import packed, unpacked
from skills.clients.rows import rows_of
from skills.interface.schema import Interface

if TYPE_CHECKING:
    import zmq

_LARGEST = 4_000_000
"""Bytes an answer may have."""
_MODALITIES = ("video", "state", "language")
"""What an observation is made of; keys of an interface begin with one of them and a dot."""


class Gr00tBackend:
    """Asks one question at a time; a connection on which an answer is late is thrown away.

    ZeroMQ pairs answers with questions by their order alone. After a late one every answer would be
    taken for that to the next question, so the next one goes over a fresh connection.
    """

    def __init__(
        self, address: str, interface: Interface, *, timeout_s: float, key: str = ""
    ) -> None:
        """Keep the address; nothing is sent yet.

        Args:
            address: `host:port`.
            interface: What the model expects and gives.
            timeout_s: How long an answer may take, s.
            key: Sent as `api_token`; empty for none.

        Raises:
            MissingDependency: ZeroMQ is not installed.
        """
        try:
            import zmq
        except ImportError as error:
            raise MissingDependency(
                "GR00T's servers need packages that are not installed; run "
                "`pip install -c constraints.txt -e '.[gr00t]'`."
            ) from error
        self._server = f"The policy's server at {address}"
        self._address, self._timeout_s, self._key = address, timeout_s, key
        self._interface, self._checked = interface, False
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None

    def reset(self) -> None:
        """Begin a subgoal; before the first one, look whether the server serves such a model.

        Raises:
            PolicyLost: The server does not answer.
            ConfigError: Its model expects or gives something else than the interface says.
        """
        if not self._checked:
            self._asked("ping")
            self._check(self._asked("get_modality_config"))
            self._checked = True
        self._asked("reset", {"options": None})

    def ask(self, inputs: Mapping[str, Any]) -> Reply:
        """Return what the model answers.

        Raises:
            PolicyLost: It does not, not in time, or nothing that can be read.
            PolicyInvalid: It is no table of numbers.
        """
        answer = self._asked("get_action", {"observation": _batch(inputs), "options": None})
        actions = answer[0] if isinstance(answer, list) and answer else None
        if not isinstance(actions, dict):
            raise PolicyInvalid(f"{self._server} answers no actions by name.")
        keys = self._interface.actions.keys
        missing = [key for key in keys if key not in actions]
        if missing:
            raise PolicyInvalid(
                f"{self._server}: {unknown('action', missing[0], map(str, actions))}"
            )
        parts = [rows_of(actions[key], self._server) for key in keys]
        if len({len(part) for part in parts}) > 1:
            raise PolicyInvalid(f"{self._server} answers actions of different lengths.")
        return Reply(np.concatenate(parts, axis=1))

    def close(self) -> None:
        """Close the connection; idempotent."""
        self._drop()
        self._context.term()

    def _asked(self, endpoint: str, data: Mapping[str, Any] | None = None) -> Any:
        """Return the answer of one endpoint."""
        import zmq

        question: dict[str, Any] = {"endpoint": endpoint}
        if data is not None:
            question["data"] = data
        if self._key:
            question["api_token"] = self._key
        socket = self._connected()
        try:
            socket.send(packed(question))
            if not socket.poll(round(self._timeout_s * 1e3)):
                self._drop()
                raise PolicyLost(f"{self._server} has not answered for {self._timeout_s:g} s.")
            data_back = socket.recv()
        except zmq.ZMQError as error:
            self._drop()
            raise PolicyLost(f"{self._server} is lost: {told(error, self._key)}.") from error
        try:
            answer = unpacked(data_back)
        except ValueError as error:
            said = told(error, self._key)
            raise PolicyLost(f"{self._server} answers what cannot be read: {said}.") from error
        if isinstance(answer, dict) and "error" in answer:
            said = told(ValueError(str(answer["error"])), self._key)
            raise PolicyLost(f"{self._server} cannot work with what it was asked: {said}.")
        return answer

    def _connected(self) -> zmq.Socket[bytes]:
        import zmq

        if self._socket is None:
            self._socket = self._context.socket(zmq.REQ)
            self._socket.setsockopt(zmq.LINGER, 0)
            self._socket.setsockopt(zmq.MAXMSGSIZE, _LARGEST)
            self._socket.setsockopt(zmq.SNDTIMEO, round(self._timeout_s * 1e3))
            self._socket.connect(f"tcp://{self._address}")
        return self._socket

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _check(self, served: Any) -> None:
        """Hold the interface against what the server says of its model."""
        wrong = list(_differences(self._interface, served if isinstance(served, dict) else {}))
        if wrong:
            raise ConfigError(
                f"{self._server} does not serve what the interface {self._interface.name} says: "
                f"{' '.join(wrong)}"
            )


def _differences(interface: Interface, served: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an interface and a server's model differ in, one sentence each."""
    told_keys = {key.partition(".")[0]: set[str]() for key in _told(interface)}
    for key in _told(interface):
        modality, _, name = key.partition(".")
        told_keys[modality].add(name)
    for modality in sorted({*told_keys, *_MODALITIES} - {"action"}):
        expected = _names(served, modality)
        for name in sorted(told_keys.get(modality, set()) - expected):
            yield unknown(f"{modality} key", name, expected)
        for name in sorted(expected - told_keys.get(modality, set())):
            yield f"The model also expects {modality}.{name}."
    known = _names(served, "action")
    for name in interface.actions.keys:
        if name not in known:
            yield unknown("action key", name, known)
    horizon = len(_modality(served, "action").get("delta_indices", ()))
    if horizon < interface.actions.horizon:
        yield f"Its chunks have {horizon} rows, not {interface.actions.horizon}."


def _told(interface: Interface) -> list[str]:
    return [*interface.cameras, *interface.state, interface.prompt.key]


def _names(served: Mapping[str, Any], modality: str) -> set[str]:
    return set(map(str, _modality(served, modality).get("modality_keys", ())))


def _modality(served: Mapping[str, Any], modality: str) -> Mapping[str, Any]:
    """Return what a server says of one modality; nothing where it says nothing."""
    found = served.get(modality)
    inner = found.get("as_json", found) if isinstance(found, dict) else None
    return inner if isinstance(inner, dict) else {}


def _batch(inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return an observation as a batch of one, one moment long."""
    observation: dict[str, dict[str, Any]] = {modality: {} for modality in _MODALITIES}
    for key, value in inputs.items():
        modality, _, name = key.partition(".")
        whole = value[None, None] if isinstance(value, np.ndarray) else [[value]]
        observation.setdefault(modality, {})[name] = whole
    return observation
