"""A process of LeRobot's Python that serves a policy, started and ended from here."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import skills
from agent.errors import CheckpointError, ConfigError, PolicyLost
from skills.backend import Reply
from skills.clients.openpi import OpenpiBackend, open_openpi
from skills.serve.server import LOOPBACK

START_S = 300.0
"""How long LeRobot may take to be imported and a policy to be loaded, s."""
_STOP_S = 5.0
_BOOT = "import sys; sys.path.append(sys.argv[1]); from skills.lerobot.host import main; main()"
"""Bosun's own folder comes last, so that LeRobot finds the versions it needs in its own."""


class LeRobotBackend:
    """Asks a policy of LeRobot's in a process of its own; a `Backend`.

    Attributes:
        log: The file in which the process says what it does; it stays.
    """

    def __init__(
        self,
        folder: Path,
        python: Path,
        device: str = "cpu",
        keys: Sequence[str] = ("action",),
        timeout_s: float = 15.0,
        start_s: float = START_S,
    ) -> None:
        """Start the process and wait until it listens.

        Args:
            folder: Of the policy, as LeRobot's `save_pretrained` left it.
            python: Of an environment that has LeRobot.
            device: In PyTorch's words.
            keys: Where the actions are in its answers.
            timeout_s: How long an answer may take, s.
            start_s: How long it may take to listen, s.

        Raises:
            ConfigError: There is no such Python.
            CheckpointError: LeRobot cannot load the policy.
            PolicyLost: The process ends, or does not listen in time.
        """
        self._process: subprocess.Popen[bytes] | None = None
        self._client: OpenpiBackend | None = None
        handle, name = tempfile.mkstemp(prefix="bosun-lerobot-", suffix=".log")
        self.log = Path(name)
        with os.fdopen(handle, "wb") as log:
            self._process = _started(folder, python, device, log.fileno())
        with ExitStack() as failed:
            failed.callback(self.close)
            address = f"{LOOPBACK}:{self._port(start_s)}"
            self._client, _ = open_openpi(address, keys=keys, timeout_s=timeout_s)
            failed.pop_all()

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the process says of the policy: kind, parameters, inputs and outputs."""
        return {} if self._client is None else self._client.metadata

    @property
    def pid(self) -> int | None:
        """Number of the process, None once it is closed."""
        return None if self._process is None else self._process.pid

    def reset(self) -> None:
        """Begin a subgoal.

        Raises:
            PolicyLost: The process is gone.
        """
        self._open().reset()

    def ask(self, inputs: Mapping[str, Any]) -> Reply:
        """Return what the policy answers.

        Raises:
            PolicyLost: The process is gone, late or failed.
        """
        return self._open().ask(inputs)

    def close(self) -> None:
        """End the process; idempotent."""
        if self._client is not None:
            self._client.close()
            self._client = None
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def _open(self) -> OpenpiBackend:
        if self._client is None:
            raise PolicyLost("LeRobot's process has been ended.")
        return self._client

    def _port(self, start_s: float) -> int:
        """Return where the process listens."""
        process = self._process
        assert process is not None and process.stdout is not None
        said, out = list[bytes](), process.stdout
        reader = threading.Thread(target=lambda: said.append(out.readline()))
        reader.start()
        reader.join(start_s)
        if reader.is_alive():
            process.kill()
            reader.join()
            raise PolicyLost(
                f"LeRobot has not loaded the policy in {start_s:g} s; its log is {self.log}."
            )
        told: dict[str, Any] = json.loads(said[0]) if said[0].startswith(b"{") else {}
        if "error" in told:
            raise CheckpointError(str(told["error"]))
        if "port" not in told:
            raise PolicyLost(
                f"LeRobot's process ended before it listened: {self._last_words()} "
                f"Its log is {self.log}."
            )
        return int(told["port"])

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1].rstrip(".") + "." if said else "it said nothing."


def _started(folder: Path, python: Path, device: str, log: int) -> subprocess.Popen[bytes]:
    root = Path(skills.__file__).parents[1]
    try:
        return subprocess.Popen(
            [python, "-P", "-c", _BOOT, root, folder.absolute(), device],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            # Ctrl-C is for whoever started it, which then ends it.
            start_new_session=True,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )
    except OSError as error:
        raise ConfigError(
            f"policy.python must be the Python of an environment with LeRobot, but {python} cannot "
            f"be run: {error.strerror}."
        ) from error
