"""A microphone without hardware: a sound server of our own, whose only sink is the microphone."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import numpy as np

from agent.types import FloatArray
from skills.evaluate.voices import RATE

_SERVER = """
load-module module-native-protocol-unix
load-module module-null-sink sink_name=robotmic rate=16000 channels=1
set-default-sink robotmic
set-default-source robotmic.monitor
"""


class VirtualMicrophone:
    """Hears what is played to it; it can be unplugged and plugged in again.

    Attributes:
        environment: Of a process that is to find this microphone and no other.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "mic.pa").write_text(_SERVER)
        self.environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "PULSE_SERVER": f"unix:{folder / 'pulse' / 'native'}",
            "HOME": str(folder),
        }
        self.plug_in()

    def plug_in(self) -> None:
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1"]
        self._server = subprocess.Popen(
            [*command, "-F", str(self._folder / "mic.pa")],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10.0
        while self._pactl().returncode:
            assert time.monotonic() < deadline, "the sound server does not start"
            time.sleep(0.05)

    def unplug(self) -> None:
        self._server.terminate()
        self._server.wait(10.0)

    def play(self, sound: FloatArray) -> None:
        """Play (n,) float32 at 16 kHz and return when that is done."""
        pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
        command = ["pacat", "--playback", "--raw", "--format=s16le", "--channels=1"]
        subprocess.run(
            [*command, f"--rate={RATE}"], input=pcm, env=self.environment, check=True, timeout=60
        )

    def _pactl(self) -> subprocess.CompletedProcess[bytes]:
        asked = ["pactl", "info"]
        return subprocess.run(asked, env=self.environment, capture_output=True, check=False)
