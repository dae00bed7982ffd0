"""What typed commands in the simulated world need of a machine, and what else it may have."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from agent.build import scene_checkpoint, watch
from agent.config import Config
from agent.doctor.check import Check
from agent.doctor.policy import public
from agent.errors import BosunError
from agent.sections.source import BOSUN
from agent.skilled import policy_checkpoint

FREE_GIB = 1.0
"""Free disk space in GiB below which logging missions is at risk."""

_GET_CHECKPOINT = "Take a fresh checkout, run `make setup`, or train one with `bosun train`."
_CALIBRATE = "Run `bosun eval monitor --calibrate`, or do without: --set monitor.alpha=null."
_GL_NAMES = {"egl": "EGL", "osmesa": "OSMesa"}
_DRAW = """
import mujoco
model = mujoco.MjModel.from_xml_string(
    "<mujoco><worldbody><light pos='0 0 3'/><geom size='.5'/></worldbody></mujoco>")
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 48, 64) as renderer:
    renderer.update_scene(data)
    if not renderer.render().any():
        raise ValueError("the picture is black")
"""


def needed(config: Config) -> list[Check]:
    """Look at what every mission needs; drawing takes a few seconds."""
    return [
        _python(),
        _rendering(),
        _policy(config),
        _scene(config),
        _calibration(config),
        _ffmpeg(),
        _disk(config.episode.directory),
    ]


def connections() -> list[Check]:
    """Look at what else may be spoken with: a language model, ROS."""
    return [_language_model(), _ros()]


def _python() -> Check:
    # A Python that is too old cannot even import this module, and pip refuses it.
    return Check("Python", True, f"{platform.python_version()} at {sys.executable}")


def _rendering() -> Check:
    chosen = os.environ.get("MUJOCO_GL", "")
    linux = ("egl", "osmesa") if sys.platform == "linux" else ("",)
    failures = {gl: _draws(gl) for gl in ((chosen,) if chosen else linux)}
    working = [_title(gl) for gl, failure in failures.items() if not failure]
    broken = [f"{_title(gl)} does not ({failure})" for gl, failure in failures.items() if failure]
    detail = "; ".join([f"{name} draws" for name in working] + broken)
    mend = ""
    if not working:
        mend = "Run `sudo apt-get install libosmesa6 libgl1`, or with a GPU `libegl1 libgl1`."
        if chosen:
            mend += f" MUJOCO_GL={chosen} is set; unset it to let Bosun choose."
    return Check("off-screen OpenGL", bool(working), detail, mend)


def _title(gl: str) -> str:
    return _GL_NAMES.get(gl, gl or "the system's own")


def _draws(gl: str) -> str:
    """Draw a picture with one OpenGL back end; return why it failed, empty when it did not.

    A process of its own, because a back end is chosen once per process and may crash it.
    """
    choice = {"MUJOCO_GL": gl, "PYOPENGL_PLATFORM": gl} if gl else {}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _DRAW],
            env={**os.environ, **choice},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "no picture after 60 s"
    if done.returncode == 0:
        return ""
    # The traceback's last line is not always the last one: objects half made complain later.
    reason = re.search(r"^[\w.]+: .+$", done.stderr, re.MULTILINE)
    return reason.group() if reason else f"exit status {done.returncode}"


def _policy(config: Config) -> Check:
    if config.policy.source != BOSUN:
        return public(config)
    return _checkpoint("policy checkpoint", lambda: policy_checkpoint(config), "bosun_vla")


def _scene(config: Config) -> Check:
    return _checkpoint("scene checkpoint", lambda: scene_checkpoint(config), "bosun_scene")


def _checkpoint(name: str, find: Callable[[], Path], model_type: str) -> Check:
    """Look whether a folder holds one of our networks, weights unread."""
    try:
        from skills.checkpoint import check_checkpoint

        folder = find()
        check_checkpoint(folder, model_type)
    except (BosunError, ImportError, OSError) as error:
        return Check(name, False, str(error), _GET_CHECKPOINT)
    return Check(name, True, str(folder))


def _calibration(config: Config) -> Check:
    """Look whether the monitor knows what is usual under the policy's weights."""
    name = "monitor calibration"
    if config.monitor.alpha is None:
        return Check(name, True, "not used: monitor.alpha is none")
    if config.policy.source != BOSUN:
        detail = f"not used, unless {config.policy.source} serves the very weights it was made for"
        return Check(name, True, detail)
    try:
        from agent.monitor.calibration import FILE

        watch(config)
    except (BosunError, ImportError, OSError) as error:
        return Check(name, False, str(error), _CALIBRATE)
    return Check(
        name,
        True,
        f"{policy_checkpoint(config) / FILE}, false alarms in {config.monitor.alpha:.0%}",
    )


def _ffmpeg() -> Check:
    try:
        import imageio_ffmpeg

        return Check("ffmpeg", True, imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        mend = "Run `make setup`, or install ffmpeg; only --video needs it."
        return Check("ffmpeg", False, str(error), mend)


def _disk(directory: Path) -> Check:
    # The folder itself is made by the first mission.
    place = directory.absolute()
    existing = next(path for path in (place, *place.parents) if path.exists())
    free = shutil.disk_usage(existing).free / 2**30
    writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    detail = f"{place}: {free:.1f} GiB free" + ("" if writable else ", not writable")
    if not writable:
        return Check("episodes", False, detail, "Name a folder you may write to: --episode DIR.")
    if free < FREE_GIB:
        return Check("episodes", False, detail, f"Free {FREE_GIB:g} GiB, or name another folder.")
    return Check("episodes", True, detail)


def _language_model() -> Check:
    # Only the names are told: the key is a secret, and an address may hold one.
    found = [name for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL") if os.environ.get(name)]
    if found:
        return Check("language model", True, f"{' and '.join(found)} set", required=False)
    detail = "neither OPENAI_API_KEY nor OPENAI_BASE_URL is set; not needed for the grammar planner"
    mend = "Set one of them to plan with a language model."
    return Check("language model", False, detail, mend, required=False)


def _ros() -> Check:
    if importlib.util.find_spec("rclpy") is not None:
        return Check("ROS 2", True, "rclpy is importable", required=False)
    detail = "rclpy is not importable; not needed for the simulated world"
    mend = "Source the ROS 2 set-up file before starting Bosun."
    return Check("ROS 2", False, detail, mend, required=False)
