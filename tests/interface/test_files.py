from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.errors import ConfigError
from agent.robots.tabletop.robot import SPEC
from agent.types import Observation
from skills.interface.encode import encode
from skills.interface.files import interface_of, load_interface, names
from skills.interface.misfits import misfits
from tests.interface.samples import interface, observation

TABLETOP: Observation = observation(120, 160)
"""Cameras and joints as the simulated arm has them."""
FITS = {"bosun", "lerobot_act", "pi0"}
MISFITS = {
    "gr00t_libero": ["cameras.video.wrist_image"],
    "openpi_droid": [
        "cameras.observation/wrist_image_left",
        "actions.space",
        "actions.rate_hz",
    ],
    "openpi_libero": ["cameras.observation/wrist_image"],
    "openvla_bridge": ["actions.rate_hz"],
    "openvla_oft_libero": ["cameras.wrist_image"],
    "smolvla": ["cameras.observation.images.camera2", "state.observation.state", "actions.space"],
}


def test_it_is_known_of_every_shipped_one_whether_it_fits_the_simulated_arm() -> None:
    assert set(names()) == FITS | set(MISFITS)


@pytest.mark.parametrize("name", names())
def test_a_shipped_one_reads_and_survives_a_round_trip(name: str) -> None:
    found = load_interface(name)
    text = yaml.safe_dump(found.model_dump(mode="json"), sort_keys=False)
    again = interface_of(yaml.safe_load(text), "again")
    assert again == found
    assert again.digest == found.digest


@pytest.mark.parametrize("name", sorted(FITS))
def test_what_fits_the_simulated_arm_can_be_asked(name: str) -> None:
    found = load_interface(name)
    assert misfits(found, SPEC, TABLETOP) == []
    told = encode(found, TABLETOP, "pick up the red block")
    assert found.prompt.key in told


@pytest.mark.parametrize(("name", "keys"), MISFITS.items())
def test_what_does_not_fit_the_simulated_arm_is_named(name: str, keys: list[str]) -> None:
    found = misfits(load_interface(name), SPEC, TABLETOP)
    assert [sentence.partition(": ")[0] for sentence in found] == keys


def _written(path: Path, **changed: Any) -> str:
    data = interface().model_dump(mode="json")
    path.write_text(yaml.safe_dump({**data, **changed}))
    return str(path)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"camera": {}}, "There is no key 'camera'; there are: .*Did you mean 'cameras'"),
        ({"cameras": {}}, "cameras: "),
        (
            {"cameras": {"image": {"camra": "front"}}},
            r"'cameras.image.camra'.*Did you mean 'cameras.image.camera'",
        ),
        ({"cameras": {"image": {"camera": "front", "fit": "squeeze"}}}, "cameras.image.fit"),
        ({"cameras": {"image": {"camera": "front", "size": [0, 224]}}}, "cameras.image.size"),
        ({"state": {"s": {"parts": ["joints"]}}}, "joints must be given"),
        ({"state": {"s": {"parts": ["elbow"]}}}, r"state.s.parts.0"),
        ({"state": {"s": {"parts": ["gripper"], "pad": 0}}}, "state.s.pad"),
        ({"state": {"s": {"parts": ["ee_position"], "pad": 2}}}, "has 3 numbers already"),
        ({"state": {"s": {"parts": ["ee_position"], "numbers": [3]}}}, "from 0 to 2"),
        ({"state": {"s": {"parts": ["ee_position"], "tool": [1, 1, 0, 0]}}}, "length 1"),
        (
            {"state": {"s": {"parts": ["gripper"], "gripper": [{"closed": 0}, {"closed": 0}]}}},
            "gripper has 2 entries, but is a part 1 times",
        ),
        ({"prompt": {"form": "go"}}, "form must hold"),
        ({"constants": {"image": "x"}}, "key 'image' is taken twice"),
        ({"constants": {"image.left": "x"}}, "key 'image' is taken twice"),
        ({"actions": {"space": "delta_ee"}}, "actions.dim: field required"),
        (
            {"actions": {"space": "delta_ee", "dim": 8, "horizon": 4, "rate_hz": 10}},
            "delta_ee has 7 numbers",
        ),
        (
            {"state_statistics": {"s": {"kind": "bounds", "low": [0], "high": [1]}}},
            "there is no state 's'",
        ),
        (
            {"action_statistics": {"kind": "bounds", "low": [0], "high": [1]}},
            "action_statistics are of 1 numbers, but actions have 7",
        ),
        (
            {"action_statistics": {"kind": "bounds", "low": [0], "high": [1, 2]}},
            "of one length",
        ),
    ],
)
def test_a_wrong_file_is_told_in_one_sentence_with_its_name(
    tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    path = _written(tmp_path / "mine.yaml", **changed)
    with pytest.raises(ConfigError, match=says) as refused:
        load_interface(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_what_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'openpi_libero'"):
        load_interface("openpi_libro")
    path = _written(tmp_path / "mine.yaml")
    with pytest.raises(ConfigError, match=f"Did you mean '{path}'"):
        load_interface(str(tmp_path / "mime.yaml"))


@pytest.mark.parametrize("text", [b"name: [", b"\xff\xfe", b"- 1", b"3", b""])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text)
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        load_interface(str(path))
