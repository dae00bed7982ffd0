"""A microphone without hardware: a sound server of its own, whose only sink is the microphone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from agent.errors import MissingDependency, SpeechError
from agent.types import FloatArray
from skills.evaluate.voices import RATE

PROGRAMS = ("pulseaudio", "pactl", "pacat")
"""What must be installed for it."""
_SERVER = """
load-module module-native-protocol-unix
load-module module-null-sink sink_name=robotmic rate=16000 channels=1
set-default-sink robotmic
set-default-source robotmic.monitor
"""
_START_S, _LATE_S = 20.0, 60.0
"""How long the server may take to start, and a sound longer than it lasts, s."""


class VirtualMicrophone:
    """Hears what is played to it; it can be unplugged and plugged in again.

    Attributes:
        environment: Of a process that is to find this microphone and no other. It is read when
            sound is first asked for.
    """

    def __init__(self, folder: Path) -> None:
        """Start the server.

        Args:
            folder: Holds its sockets, whose paths may have about a hundred letters.

        Raises:
            MissingDependency: PulseAudio is not installed.
            SpeechError: The server does not start.
        """
        if not all(map(shutil.which, PROGRAMS)):
            raise MissingDependency(
                "A virtual microphone needs PulseAudio; run: apt-get install pulseaudio "
                "pulseaudio-utils libasound2-plugins"
            )
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
        """Start the server again; raises as the constructor does."""
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1"]
        self._server = subprocess.Popen(
            [*command, "-F", str(self._folder / "mic.pa")],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _START_S
        while self._pactl().returncode:
            if time.monotonic() > deadline or self._server.poll() is not None:
                self.unplug()
                raise SpeechError("The sound server of the virtual microphone does not start.")
            time.sleep(0.05)

    def unplug(self) -> None:
        """End the server."""
        self._server.terminate()
        self._server.wait(10.0)

    def play(self, sound: FloatArray) -> None:
        """Play (n,) float32 at 16 kHz and return when that is done."""
        pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
        command = ["pacat", "--playback", "--raw", "--format=s16le", "--channels=1"]
        subprocess.run(
            [*command, f"--rate={RATE}"],
            input=pcm,
            env=self.environment,
            check=True,
            timeout=_LATE_S + len(sound) / RATE,
        )

    def _pactl(self) -> subprocess.CompletedProcess[bytes]:
        asked = ["pactl", "info"]
        return subprocess.run(asked, env=self.environment, capture_output=True, check=False)


@contextmanager
def virtual_microphone() -> Iterator[VirtualMicrophone]:
    """Yield one that lives in a temporary folder; raises as its constructor does."""
    with tempfile.TemporaryDirectory(prefix="mic") as folder:
        microphone = VirtualMicrophone(Path(folder))
        try:
            yield microphone
        finally:
            microphone.unplug()
