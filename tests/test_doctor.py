from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from transformers import PretrainedConfig

from agent.config import Config
from agent.doctor import machine, speech
from agent.doctor.check import Check
from agent.doctor.diagnosis import diagnose
from agent.monitor.calibration import FILE
from agent.resources import resource
from agent.sections import EpisodeConfig
from agent.skilled import POLICY_CHECKPOINT
from agent.speech import microphone, vad
from skills.checkpoint import WEIGHTS
from skills.perception.modeling import SceneConfig
from skills.policy.configuration import VLAConfig
from tests.ros.domains import OWN

_OPTIONAL = {"language model", "ROS 2"}


def _with_checkpoint(kind: str, folder: Path) -> Config:
    return Config.model_validate({kind: {"checkpoint": folder}})


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Check]]:
    """Diagnose with drawing replaced; give failures as back end -> reason."""

    def diagnosed(config: Config | None = None, **failures: str) -> dict[str, Check]:
        monkeypatch.setattr(speech, "parts", lambda config: [])
        monkeypatch.setattr(machine, "_draws", lambda gl: failures.get(gl, ""))
        return {check.name: check for check in diagnose(config)}

    return diagnosed


def test_at_least_one_back_end_really_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = {gl: machine._draws(gl) for gl in ("osmesa", "egl")}
    assert "" in reasons.values(), reasons


def test_a_back_end_that_is_none_says_so() -> None:
    assert "MUJOCO_GL" in machine._draws("nonsense")


def test_what_is_wrong_has_a_mend(found: Callable[..., dict[str, Check]]) -> None:
    checks = found(egl="no library", osmesa="no library")
    assert {name for name, check in checks.items() if not check.required} == _OPTIONAL
    for check in checks.values():
        assert check.detail, check
        assert check.ok != bool(check.mend), check


def test_rendering_tells_which_back_end_works(
    found: Callable[..., dict[str, Check]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    check = found(egl="no library")["off-screen OpenGL"]
    assert check.ok
    assert check.detail == "OSMesa draws; EGL does not (no library)"


def test_rendering_names_the_system_packages(
    found: Callable[..., dict[str, Check]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUJOCO_GL", "egl")
    check = found(egl="no library")["off-screen OpenGL"]
    assert not check.ok
    assert "libosmesa6" in check.mend and "libegl1" in check.mend
    assert "unset it" in check.mend


def test_a_calibration_for_other_weights_is_named(
    found: Callable[..., dict[str, Check]], tmp_path: Path
) -> None:
    copied = tmp_path / "policy"
    shutil.copytree(resource(POLICY_CHECKPOINT), copied)
    watched = _with_checkpoint("policy", copied)
    assert found(watched)["monitor calibration"].ok
    with (copied / WEIGHTS).open("ab") as weights:
        weights.write(b" ")
    check = found(watched)["monitor calibration"]
    assert not check.ok
    assert "made for weights" in check.detail
    (copied / FILE).unlink()
    assert "no calibration" in found(watched)["monitor calibration"].detail
    unwatched = {"policy": {"checkpoint": copied}, "monitor": {"alpha": None}}
    assert found(Config.model_validate(unwatched))["monitor calibration"].ok


@pytest.mark.parametrize("kind", ["policy", "scene"])
def test_missing_checkpoint_is_named(
    found: Callable[..., dict[str, Check]], tmp_path: Path, kind: str
) -> None:
    check = found(_with_checkpoint(kind, tmp_path / "none"))[f"{kind} checkpoint"]
    assert not check.ok
    assert str(tmp_path / "none") in check.detail


@pytest.mark.parametrize(("kind", "model"), [("policy", VLAConfig), ("scene", SceneConfig)])
def test_checkpoint_of_ours_is_accepted(
    found: Callable[..., dict[str, Check]],
    tmp_path: Path,
    kind: str,
    model: type[PretrainedConfig],
) -> None:
    model().save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    check = found(_with_checkpoint(kind, tmp_path))[f"{kind} checkpoint"]
    assert check.ok, check
    other = {"policy": "scene", "scene": "policy"}[kind]
    assert not found(_with_checkpoint(other, tmp_path))[f"{other} checkpoint"].ok


def test_episodes_need_room_and_leave(
    found: Callable[..., dict[str, Check]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(episode=EpisodeConfig(directory=tmp_path / "not" / "yet"))
    assert found(config)["episodes"].ok
    assert not (tmp_path / "not").exists()

    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(free=2**20))
    assert "GiB" in found(config)["episodes"].mend
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "not writable" in found(config)["episodes"].detail


def test_keys_are_never_told(
    found: Callable[..., dict[str, Check]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:a-secret@localhost/v1")
    check = found()["language model"]
    assert check.ok
    assert "a-secret" not in check.detail


def _parts(**settings: object) -> dict[str, Check]:
    config = Config.model_validate({"speech": settings})
    checks = {check.name: check for check in speech.parts(config)}
    for check in checks.values():
        assert check.detail, check
        assert check.ok != bool(check.mend), check
        assert not check.required
    return checks


def _has(*devices: str) -> SimpleNamespace:
    """Return a library of sound on a machine with these microphones and a loudspeaker."""
    inputs = [{"name": name, "max_input_channels": 1} for name in devices]
    speaker = {"name": "speaker", "max_input_channels": 0}
    return SimpleNamespace(query_devices=lambda: [speaker, *inputs])


@pytest.mark.parametrize(
    ("device", "ok", "detail"),
    [
        (None, True, "the system's own, of: usb webcam, headset"),
        ("webcam", True, "'webcam', of: usb webcam, headset"),
        ("haedset", False, "there are: headset, usb webcam. Did you mean 'headset'?"),
    ],
)
def test_the_microphone_is_found_or_the_nearest_is_named(
    device: str | None, ok: bool, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone, "_sounddevice", lambda: _has("usb webcam", "headset"))
    check = _parts(device=device, voice="none")["microphone"]
    assert (check.ok, detail in check.detail) == (ok, True)


def test_a_machine_without_a_microphone_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "_sounddevice", lambda: _has())
    check = _parts()["microphone"]
    assert not check.ok
    assert "There is no microphone" in check.detail and "speech.device" in check.mend


def test_what_hears_is_really_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "_sounddevice", lambda: _has("headset"))
    checks = _parts(stop_words=["stop", "halt"], voice="cat")
    assert all(check.ok for check in checks.values()), checks
    assert checks["stop word"].detail == "'stop' by its own network, 'halt' by pocketsphinx"
    assert checks["transcriber"].detail == "pocketsphinx is ready"
    assert checks["voice"].detail == "cat speaks"


def test_what_does_not_hear_or_speak_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(microphone, "_sounddevice", lambda: _has("headset"))
    monkeypatch.setattr(vad, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    missing = f"faster-whisper:{tmp_path / 'nowhere'}"
    checks = _parts(stop_words=["qwertz"], transcriber=missing)
    assert {name for name, check in checks.items() if not check.ok} == {
        "voice detector",
        "stop word",
        "transcriber",
        "voice",
    }
    assert "silero-vad is not installed" in checks["voice detector"].detail
    assert "'qwertz'" in checks["stop word"].detail
    assert "nowhere" in checks["transcriber"].detail
    assert "espeak-ng" in checks["voice"].mend


def _ros(found: Callable[..., dict[str, Check]]) -> Check:
    check = found(egl="no library")["ROS 2"]
    assert not check.required
    return check


def test_a_message_comes_round_over_dds(
    found: Callable[..., dict[str, Check]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rclpy", None)
    monkeypatch.setenv("ROS_DOMAIN_ID", str(OWN))
    assert _ros(found) == Check(
        "ROS 2", True, "Cyclone DDS: a message came round on this machine", required=False
    )


def test_what_keeps_ros_away_has_a_mend(
    found: Callable[..., dict[str, Check]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rclpy", None)
    monkeypatch.setenv("ROS_DOMAIN_ID", "1000")
    check = _ros(found)
    assert not check.ok and "'1000'" in check.detail and "ROS_DOMAIN_ID" in check.mend
    monkeypatch.setenv("ROS_DOMAIN_ID", str(OWN))
    monkeypatch.setattr("agent.doctor.ros._PATIENCE_S", 0.0)
    check = _ros(found)
    assert not check.ok and "firewall" in check.mend
    monkeypatch.delitem(sys.modules, "agent.ros.dds", raising=False)
    monkeypatch.setitem(sys.modules, "cyclonedds.core", None)
    check = _ros(found)
    assert not check.ok and "neither rclpy nor Cyclone DDS" in check.detail
    assert "bosun[ros]" in check.mend
