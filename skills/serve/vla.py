"""Bosun's own network, for clients in other processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import agent
from agent.action_space import ActionSpace
from agent.protocols import Policy
from skills.checkpoint import load_checkpoint, weights_hash
from skills.dataset import CAMERAS
from skills.interface.schema import ActionOutput, CameraInput, Interface, Part, StateInput
from skills.policy.configuration import VLAConfig
from skills.policy.modeling import VLA
from skills.policy.policy import VLAPolicy
from skills.serve.inputs import GRIPPER, JOINTS, PICTURES, POSE, TIME, observation_of
from skills.serve.session import Session

BOSUN = "bosun"
"""What our servers call themselves in their metadata."""
_ACTION = ("dx [m]", "dy [m]", "dz [m]", "rx [rad]", "ry [rad]", "rz [rad]", "gripper [0..1]")


def interface_of(config: VLAConfig) -> Interface:
    """Return what one of our networks expects and gives, lossless on both ways."""
    return Interface(
        name="Bosun",
        cameras={
            key: CameraInput(camera=camera, size=CAMERAS[camera])
            for key, camera in PICTURES.items()
        },
        state={
            JOINTS: StateInput(parts=(Part.JOINTS,), joints=7, dtype="float64"),
            POSE: StateInput(parts=(Part.EE_POSITION, Part.EE_QUATERNION_WXYZ), dtype="float64"),
            GRIPPER: StateInput(parts=(Part.GRIPPER,), dtype="float64"),
            TIME: StateInput(parts=(Part.TIME,), dtype="float64"),
        },
        actions=ActionOutput(
            space=ActionSpace.DELTA_EE,
            dim=len(_ACTION),
            horizon=config.horizon,
            rate_hz=round(1.0 / config.dt_s, 6),
        ),
    )


class VLAService:
    """Shares one network among clients; what a subgoal leaves behind is each client's own."""

    def __init__(
        self, folder: Path, around: Callable[[Callable[[], Policy]], Policy] | None = None
    ) -> None:
        """Load the weights.

        Args:
            folder: The checkpoint.
            around: Makes of what makes a policy the one that is asked; None leaves it as it is.

        Raises:
            CheckpointError: The folder is missing, foreign or damaged.
        """
        self._model = load_checkpoint(folder, VLA, VLAConfig.model_type)
        self._around = around or (lambda make: make())
        interface = interface_of(self._model.config)
        self._metadata = {
            "server": BOSUN,
            "version": agent.__version__,
            "interface": interface.model_dump(mode="json"),
            "action_space": interface.actions.space.value,
            "action": list(_ACTION),
            "rate_hz": interface.actions.rate_hz,
            "horizon": interface.actions.horizon,
            "weights": weights_hash(folder),
        }

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Our name and version, the interface as data, what actions are, and the weights' hash."""
        return self._metadata

    def session(self) -> Session:
        """Return a policy over the shared weights."""
        return _VLASession(lambda: self._around(lambda: VLAPolicy(self._model)))


class _VLASession:
    """One client's policy."""

    def __init__(self, make_policy: Callable[[], Policy]) -> None:
        self._make_policy = make_policy
        self._policy: Policy | None = None
        self._began = 0.0

    def reset(self, prompt: str) -> None:
        """Begin a subgoal with a policy that remembers nothing, not even other prompts."""
        self._policy, self._began = None, time.monotonic()

    def infer(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return actions and heads.

        Raises:
            WireError: It is not what the policy takes.
        """
        elapsed_s = time.monotonic() - self._began
        prompt, observation = observation_of(inputs, otherwise_s=elapsed_s)
        if self._policy is None:
            self._policy = self._make_policy()
            self._policy.reset(prompt)
        began = time.monotonic()
        chunk = self._policy.infer(observation)
        return {
            "actions": chunk.actions,
            "spread": chunk.spread,
            "progress": chunk.progress,
            "success": chunk.success,
            "policy_timing": {"infer_ms": (time.monotonic() - began) * 1e3},
        }
