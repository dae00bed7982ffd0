"""What a robot senses and is told, in the words of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from agent.types import Observation, Vector
from skills.interface.normalisation import normalised
from skills.interface.pictures import picture
from skills.interface.schema import Gripper, Interface, Part, StateInput, Statistics

_UNTURNED = (1.0, 0.0, 0.0, 0.0)


def encode(interface: Interface, observation: Observation, phrase: str) -> dict[str, Any]:
    """Return what the model is asked.

    Args:
        interface: What it expects; it must fit the robot, which `misfits` tells.
        observation: What the robot senses.
        phrase: What it is to do.
    """
    told: dict[str, Any] = {
        key: picture(camera, observation.images[camera.camera])
        for key, camera in interface.cameras.items()
    }
    for key, state in interface.state.items():
        told[key] = _state(state, interface.state_statistics.get(key), observation)
    prompt = interface.prompt
    told[prompt.key] = prompt.form.replace("{phrase}", phrase.lower() if prompt.lower else phrase)
    told.update(interface.constants)
    return _nested(told) if interface.nested else told


def _state(
    expected: StateInput, statistics: Statistics | None, observation: Observation
) -> npt.NDArray[Any]:
    """Return one vector of the state."""
    grippers = iter(expected.grippers)
    values = np.concatenate(
        [
            np.array([_gripper(observation, next(grippers))])
            if part is Part.GRIPPER
            else _part(part, expected, observation)
            for part in expected.parts
        ]
    )
    if expected.numbers is not None:
        values = values[list(expected.numbers)]
    if statistics is not None:
        values = normalised(statistics, values)
    padded = np.zeros(expected.pad or len(values), expected.dtype)
    padded[: len(values)] = values
    return padded


def _part(part: Part, expected: StateInput, observation: Observation) -> Vector:
    if part is Part.JOINTS:
        return observation.joint_pos
    if part is Part.TIME:
        return np.array([observation.time_s])
    if part is Part.EE_POSITION:
        position: Vector = observation.ee_pose[:3] + np.array(expected.origin)
        return position
    wxyz: Vector = observation.ee_pose[3:]
    # As it was measured, to the last bit, where the model's tool is the robot's.
    if expected.tool != _UNTURNED:
        turned = _rotation(wxyz) * _rotation(np.array(expected.tool))
        wxyz = turned.as_quat(scalar_first=True)
    if part is Part.EE_QUATERNION_XYZW:
        wxyz = wxyz[[1, 2, 3, 0]]
    if part in (Part.EE_QUATERNION_WXYZ, Part.EE_QUATERNION_XYZW):
        return wxyz
    turn: Vector = (
        _rotation_vector(wxyz)
        if part is Part.EE_ROTATION_VECTOR
        else _rotation(wxyz).as_euler("xyz")
    )
    return turn


def _rotation_vector(wxyz: Vector) -> Vector:
    """Return (3,) rad, from 0 to a whole turn long, that does not jump near half a turn."""
    if wxyz[np.argmax(np.abs(wxyz))] < 0:
        wxyz = -wxyz
    sine = float(np.linalg.norm(wxyz[1:]))
    if sine == 0.0:
        return np.zeros(3)
    vector: Vector = wxyz[1:] / sine * 2.0 * np.arctan2(sine, wxyz[0])
    return vector


def _gripper(observation: Observation, gripper: Gripper) -> float:
    """Return the model's number for how far the gripper is open."""
    closed, opened = gripper.closed, gripper.open
    return float(closed + observation.gripper * (opened - closed))


def _rotation(wxyz: Vector) -> Rotation:
    return Rotation.from_quat(wxyz, scalar_first=True)


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return keys with dots as keys within keys."""
    nested: dict[str, Any] = {}
    for dotted, value in flat.items():
        *above, key = dotted.split(".")
        place = nested
        for name in above:
            place = place.setdefault(name, {})
        place[key] = value
    return nested
