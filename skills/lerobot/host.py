"""Serves one of LeRobot's policies from a folder; LeRobot's Python runs it, and Bosun asks.

It says on one line of its standard output where it listens, or what is wrong, and ends with its
standard input: so it never outlives whoever started it, however that one ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from agent.errors import CheckpointError, MissingDependency, WireError, unknown
from skills.serve.server import LOOPBACK, PolicyServer, ServerLimits, serve_until_interrupted
from skills.serve.session import Session

ACTION, TASK = "action", "task"
"""LeRobot's own keys of an answer and of what shall be done."""
_NEEDED = ("config.json", "model.safetensors", "policy_preprocessor.json")
_FAILURES = (ArithmeticError, AssertionError, LookupError, OSError, RuntimeError, TypeError)
"""What loading somebody else's policy raises, with ImportError and ValueError."""


class LeRobotService:
    """One policy, with the steps before and after it that were saved along."""

    def __init__(self, folder: Path, device: str) -> None:
        """Load a policy.

        Args:
            folder: As LeRobot's `save_pretrained` left it.
            device: In PyTorch's words.

        Raises:
            MissingDependency: This Python has no LeRobot.
            CheckpointError: The folder is not there, lacks something, or LeRobot cannot load it.
        """
        if find_spec("lerobot") is None:
            raise MissingDependency(
                f"{sys.executable} has no LeRobot; set policy.python to the Python of an "
                "environment that has it."
            )
        missing = [name for name in _NEEDED if not (folder / name).is_file()]
        if missing:
            raise CheckpointError(
                f"{folder} holds no policy of LeRobot's: {' and '.join(missing)} missing."
            )
        try:
            self._policy, self._before, self._after = _load(folder, device)
        except (*_FAILURES, ImportError, ValueError) as error:
            said = " ".join(str(error).split())
            raise CheckpointError(
                f"LeRobot cannot load the policy in {folder}: {type(error).__name__}: {said}"
            ) from error

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its kind, its size, and what it expects to be shown."""
        config = self._policy.config
        return {
            "policy": config.type,
            "parameters": sum(weight.numel() for weight in self._policy.parameters()),
            "inputs": {key: list(kind.shape) for key, kind in config.input_features.items()},
            "outputs": {key: list(kind.shape) for key, kind in config.output_features.items()},
        }

    def session(self) -> Session:
        """Return the one session there can be: LeRobot's policies remember within themselves."""
        return _Session(self._policy, self._before, self._after)


class _Session:
    """One client's subgoals."""

    def __init__(self, policy: Any, before: Any, after: Any) -> None:
        self._policy, self._before, self._after = policy, before, after
        self._tick = 0
        # One that looks at several ticks gathers them where it is asked for one action at a time.
        self._single = policy.config.n_obs_steps > 1

    def reset(self, prompt: str) -> None:
        """Begin a subgoal."""
        self._policy.reset()
        self._tick = 0

    def infer(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return (horizon, dim) actions with the policy's statistics undone.

        Raises:
            WireError: A key is missing, unknown, or of another shape than the policy expects.
        """
        import torch

        batch = self._before(self._batch(inputs))
        # What it draws follows from the tick, so that the same is answered the same again.
        torch.manual_seed(self._tick)
        self._tick += 1
        with torch.inference_mode():
            if self._single:
                actions = self._policy.select_action(batch)
            else:
                actions = self._policy.predict_action_chunk(batch)[0]
        return {ACTION: self._after(actions).float().cpu().numpy()}

    def _batch(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return what LeRobot's steps take: a batch of one, pictures with colours first in 0..1."""
        import torch

        expected = self._policy.config.input_features
        for key in inputs:
            if key not in expected and key != TASK:
                raise WireError(unknown("key", str(key), [*expected, TASK]))
        batch: dict[str, Any] = {TASK: [str(inputs.get(TASK, ""))]}
        for key, kind in expected.items():
            if key not in inputs:
                raise WireError(f"{key}: it is missing; {tuple(kind.shape)} is expected.")
            array = np.asarray(inputs[key])
            if array.dtype == np.uint8 and array.ndim == 3:
                array = array.transpose(2, 0, 1) / np.float32(255)
            pictured = kind.type.value == "VISUAL"
            # LeRobot resizes pictures itself where a policy wants that; their shape is free.
            fits = array.ndim == 3 and len(array) == 3 if pictured else array.shape == kind.shape
            if not fits:
                raise WireError(
                    f"{key}: {tuple(kind.shape)} is expected, not {tuple(array.shape)}."
                )
            batch[key] = torch.from_numpy(np.array(array, np.float32))[None]
        return batch


def _load(folder: Path, device: str) -> tuple[Any, Any, Any]:
    """Return a policy and the steps before and after it."""
    from skills.lerobot.torchvision import import_torchvision

    import_torchvision()
    from lerobot.configs.policies import PreTrainedConfig
    from lerobot.policies.factory import get_policy_class, make_pre_post_processors

    config = PreTrainedConfig.from_pretrained(folder)
    config.device = device
    # What would be fetched to begin training from is in the folder's own weights.
    for key, nothing in (("pretrained_backbone_weights", None), ("load_vlm_weights", False)):
        if hasattr(config, key):
            setattr(config, key, nothing)
    kind = get_policy_class(config.type)
    policy = kind.from_pretrained(folder, config=config, strict=True).to(device).eval()
    before, after = make_pre_post_processors(
        config,
        str(folder),
        preprocessor_overrides={"device_processor": {"device": device}},
    )
    return policy, before, after


@contextlib.contextmanager
def _own_output() -> Iterator[Any]:
    """Give the standard output to the one line that is said there; prints go to the log."""
    told, sys.stdout = sys.stdout, sys.stderr
    try:
        yield told
    finally:
        sys.stdout = told


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Serve the policy in the folder that is named, on the device that is named."""
    folder, device = sys.argv[-2:]
    threading.Thread(target=_end_with_input, daemon=True).start()
    with _own_output() as told:

        def say(**what: Any) -> None:
            told.write(json.dumps(what) + "\n")
            told.flush()

        try:
            service = LeRobotService(Path(folder), device)
        except (CheckpointError, MissingDependency) as error:
            say(error=str(error))
            os._exit(error.exit_code)
        # Its own start is the one that connects; one more is room to connect anew.
        server = PolicyServer(service, limits=ServerLimits(clients=2))
        serve_until_interrupted(server, LOOPBACK, 0, lambda port: say(port=port))
    # To take down all that LeRobot imports takes seconds, and there is nothing to save.
    os._exit(0)
