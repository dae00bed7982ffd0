"""What clients must tell Bosun's own policy, and how that becomes an observation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.errors import WireError, unknown
from agent.types import Observation, Vector
from skills.dataset import CAMERAS

JOINTS, POSE = "observation/joint_position", "observation/ee_pose"
GRIPPER, TIME, PROMPT = "observation/gripper_position", "observation/time", "prompt"
PICTURES = {f"observation/{camera}_image": camera for camera in CAMERAS}
"""Key -> the camera whose picture stands there."""
_LONGEST_PROMPT = 1000
_ROUNDING = 1e-2
"""How far a quaternion's length may be from 1."""
_OVERSHOOT = 0.1
"""How far outside 0..1 an opening may be measured; fingers give way a little."""


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What stands under one key.

    Attributes:
        shape: Of the array.
        meaning: In words, with units.
        picture: Whether it is uint8; else it is float32 or float64.
    """

    shape: tuple[int, ...]
    meaning: str
    picture: bool = False

    @property
    def told(self) -> str:
        kind = "uint8" if self.picture else "float32 or float64"
        return f"{self.shape} {kind}, {self.meaning}"

    def fits(self, value: Any) -> bool:
        if not isinstance(value, np.ndarray) or value.shape != self.shape:
            return False
        # A client may send numbers in another byte order.
        known = (np.uint8,) if self.picture else (np.float32, np.float64)
        return value.dtype.newbyteorder("=") in known


_EXPECTED = {
    **{
        key: _Numbers((*CAMERAS[camera], 3), f"the {camera} camera's RGB picture", picture=True)
        for key, camera in PICTURES.items()
    },
    JOINTS: _Numbers((7,), "the joints in rad"),
    POSE: _Numbers((7,), "the tool's position in m and its orientation as a quaternion wxyz"),
    GRIPPER: _Numbers((1,), "the gripper's opening, 0 closed to 1 open"),
    TIME: _Numbers((1,), "the time in s"),
}
_OPTIONAL = frozenset({TIME})


def observation_of(inputs: Mapping[str, Any], otherwise_s: float) -> tuple[str, Observation]:
    """Return the prompt and the observation that a client sent.

    Args:
        inputs: As `_EXPECTED` says, and `prompt`.
        otherwise_s: The time, s, where the client does not tell it.

    Raises:
        WireError: A key is missing or unknown, or its value is not what is expected; the sentence
            names the key.
    """
    for key in inputs:
        if key not in _EXPECTED and key != PROMPT:
            raise WireError(unknown("key", str(key), [*_EXPECTED, PROMPT, "reset"]))
    prompt = inputs.get(PROMPT, "")
    if not prompt.strip() or len(prompt) > _LONGEST_PROMPT:
        raise WireError(
            f"{PROMPT}: a text of 1 to {_LONGEST_PROMPT} characters is expected that says what "
            'shall be done, such as "pick up the red block".'
        )
    for key, expected in _EXPECTED.items():
        if key not in inputs and key not in _OPTIONAL:
            raise WireError(f"{key}: it is missing; {expected.told}, is expected.")
        if key in inputs and not expected.fits(inputs[key]):
            raise WireError(f"{key}: {expected.told}, is expected, not {_came(inputs[key])}.")
    numbers = {key: _finite(inputs, key) for key in (JOINTS, POSE, GRIPPER, TIME) if key in inputs}
    length = float(np.linalg.norm(numbers[POSE][3:]))
    if abs(length - 1.0) > _ROUNDING:
        raise WireError(f"{POSE}: a quaternion wxyz has length 1, not {length:.3g}.")
    opening = float(numbers[GRIPPER][0])
    if not -_OVERSHOOT <= opening <= 1.0 + _OVERSHOOT:
        raise WireError(f"{GRIPPER}: 0 is closed and 1 is open, so {opening:.3g} is neither.")
    return str(prompt), Observation(
        time_s=float(numbers[TIME][0]) if TIME in numbers else otherwise_s,
        # What came over a wire is read-only, which torch warns of.
        images={camera: inputs[key].copy() for key, camera in PICTURES.items()},
        joint_pos=numbers[JOINTS],
        ee_pose=numbers[POSE],
        gripper=opening,
    )


def _finite(inputs: Mapping[str, Any], key: str) -> Vector:
    vector: Vector = inputs[key].astype(np.float64)
    if not np.all(np.isfinite(vector)):
        raise WireError(f"{key}: every number must be finite, but {vector.tolist()} came.")
    return vector


def _came(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.dtype}"
    return type(value).__name__
