from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from agent.types import Image
from skills.interface.encode import encode
from skills.interface.pictures import picture
from skills.interface.schema import CameraInput
from tests.interface.samples import interface, observation

SEEN = observation()


def _state(**state: Any) -> np.ndarray:
    told = encode(interface(state={"state": state}), SEEN, "go")
    vector: np.ndarray = told["state"]
    return vector


def _white(height: int, width: int) -> Image:
    return np.full((height, width, 3), 255, np.uint8)


@pytest.mark.parametrize(
    ("height", "width", "inner"),
    # What openpi's clients make of these sizes, by their published rule: sides are divided by the
    # larger ratio and rounded down, and the margin's half is rounded down.
    [(120, 160, (28, 196, 0, 224)), (180, 320, (49, 175, 0, 224)), (321, 77, (0, 224, 85, 138))],
)
def test_a_picture_is_padded_as_openpi_does(
    height: int, width: int, inner: tuple[int, int, int, int]
) -> None:
    shown = picture(CameraInput(camera="front", size=(224, 224)), _white(height, width))
    assert shown.shape == (224, 224, 3)
    assert shown.dtype == np.uint8
    top, bottom, left, right = inner
    assert (shown[top:bottom, left:right] == 255).all()
    assert shown.astype(int).sum() == 255 * 3 * (bottom - top) * (right - left)


def test_a_picture_is_cut_or_stretched() -> None:
    image = _white(100, 200)
    image[:, :50] = image[:, 150:] = 0
    cut = picture(CameraInput(camera="front", size=(50, 50), fit="cut"), image)
    assert (cut == 255).all()
    stretched = picture(CameraInput(camera="front", size=(100, 100), fit="stretch"), image)
    assert (stretched[:, 30:70] == 255).all()
    assert (stretched[:, :20] == 0).all()


def test_the_middle_is_cropped_before_it_is_resized() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[10:90, 10:90] = 255
    shown = picture(CameraInput(camera="front", size=(224, 224), crop=0.8), image)
    assert (shown == 255).all()


@pytest.mark.parametrize(
    ("flip", "corner"),
    [("none", (0, 0)), ("horizontal", (0, -1)), ("vertical", (-1, 0)), ("both", (-1, -1))],
)
def test_pictures_are_turned_over(flip: Any, corner: tuple[int, int]) -> None:
    shown = picture(CameraInput(camera="front", flip=flip), SEEN.images["front"])
    assert (shown[corner] == SEEN.images["front"][0, 0]).all()
    assert shown.flags.c_contiguous


def test_layout_and_unit() -> None:
    expected = CameraInput(camera="front", layout="chw", unit=True)
    shown = picture(expected, SEEN.images["front"])
    assert shown.shape == (3, 120, 160)
    assert shown.dtype == np.float32
    assert shown[1, 7, 9] == np.float32(SEEN.images["front"][7, 9, 1]) / np.float32(255)


def test_every_part_of_the_state() -> None:
    rotation = Rotation.from_quat(SEEN.ee_pose[3:], scalar_first=True)
    parts: dict[str, np.ndarray] = {
        "ee_position": SEEN.ee_pose[:3],
        "ee_quaternion_wxyz": SEEN.ee_pose[3:],
        "ee_quaternion_xyzw": SEEN.ee_pose[[4, 5, 6, 3]],
        "ee_rotation_vector": rotation.as_rotvec(),
        "ee_euler_xyz": np.array([3.0, 0.2, -0.4]),
        "joints": SEEN.joint_pos,
        "gripper": np.array([0.25]),
        "time": np.array([1.5]),
    }
    for name, values in parts.items():
        joints = 7 if name == "joints" else None
        told = _state(parts=[name], joints=joints, dtype="float64")
        np.testing.assert_allclose(told, values, atol=1e-12, err_msg=name)
    told = _state(parts=list(parts), joints=7)
    assert told.dtype == np.float32
    np.testing.assert_allclose(told, np.concatenate(list(parts.values())), atol=1e-6)


def test_what_is_passed_on_is_not_changed_by_a_bit() -> None:
    parts = ["ee_position", "ee_quaternion_wxyz", "joints", "gripper", "time"]
    told = _state(parts=parts, joints=7, dtype="float64")
    sensed = [*SEEN.ee_pose, *SEEN.joint_pos, SEEN.gripper, SEEN.time_s]
    assert told.tobytes() == np.array(sensed).tobytes()


@pytest.mark.parametrize("tilt", [-1e-3, 1e-3])
def test_a_rotation_vector_does_not_jump_where_the_hand_points_down(tilt: float) -> None:
    pose = Rotation.from_euler("xy", [np.pi + tilt, 0.01]).as_quat(scalar_first=True)
    seen = replace(SEEN, ee_pose=np.array([0, 0, 0, *pose]))
    told = encode(interface(state={"state": {"parts": ["ee_rotation_vector"]}}), seen, "go")
    np.testing.assert_allclose(told["state"], [np.pi + tilt, 0, 0], atol=0.02)
    np.testing.assert_allclose(
        Rotation.from_rotvec(told["state"]).as_matrix(),
        Rotation.from_quat(pose, scalar_first=True).as_matrix(),
        atol=1e-6,
    )


def test_frames_and_fingers_of_another_robot() -> None:
    half = float(np.sqrt(0.5))
    told = _state(
        parts=["ee_position", "ee_quaternion_wxyz", "gripper", "gripper"],
        origin=[-0.66, 0.0, 0.912],
        tool=[half, 0.0, 0.0, half],
        gripper=[{"closed": 0.0, "open": 0.04}, {"closed": 0.0, "open": -0.04}],
        dtype="float64",
    )
    np.testing.assert_allclose(told[:3], [-0.26, -0.1, 1.212])
    turned = Rotation.from_quat(SEEN.ee_pose[3:], scalar_first=True) * Rotation.from_euler(
        "z", 90, degrees=True
    )
    got = Rotation.from_quat(told[3:7], scalar_first=True)
    assert (got * turned.inv()).magnitude() < 1e-9
    np.testing.assert_allclose(told[7:], [0.01, -0.01])


def test_some_numbers_normalised_and_padded() -> None:
    statistics = {"kind": "quantiles", "low": [-0.3, 0.0], "high": [0.1, 0.0], "mask": None}
    expected = interface(
        state={"state": {"parts": ["ee_position"], "numbers": [1, 2], "pad": 4}},
        state_statistics={"state": statistics},
    )
    told = encode(expected, SEEN, "go")["state"]
    # The second number never varied in training, so it says nothing.
    np.testing.assert_allclose(told, [0.0, 0.0, 0.0, 0.0], atol=1e-6)
    masked = {**statistics, "mask": [True, False]}
    expected = interface(
        state={"state": {"parts": ["ee_position"], "numbers": [1, 2], "pad": 4}},
        state_statistics={"state": masked},
    )
    np.testing.assert_allclose(encode(expected, SEEN, "go")["state"], [0, 0.3, 0, 0], atol=1e-6)


def test_prompts_constants_and_keys_within_keys() -> None:
    expected = interface(
        cameras={"images.cam_high": {"camera": "front"}, "images.cam_wrist": {"camera": "wrist"}},
        prompt={"key": "task", "form": "In: {phrase}?\nOut:", "lower": True},
        constants={"unnorm_key": "bridge_orig"},
    )
    told = encode(expected, SEEN, "Pick Up the {red} block")
    assert set(told) == {"images", "task", "unnorm_key"}
    assert told["task"] == "In: pick up the {red} block?\nOut:"
    assert told["unnorm_key"] == "bridge_orig"
    assert (told["images"]["cam_wrist"] == SEEN.images["wrist"]).all()
    plain = expected.model_copy(update={"nested": False})
    assert "images.cam_high" in encode(plain, SEEN, "go")
