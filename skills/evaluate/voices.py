"""Synthetic voices of three engines, which say what hearing is measured with.

Nothing spoken is stored in the repository: what a voice says is a pure function of the voice and
the text, so it is made where it is needed.
"""

from __future__ import annotations

import hashlib
import math
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import wavfile
from scipy.signal import resample_poly

from agent.errors import MissingDependency, SpeechError
from agent.types import FloatArray

RATE = 16_000
"""Samples per second of everything that is heard."""
_LIMIT_S = 30.0
"""How long an engine may take for a sentence, s."""


class Engine(StrEnum):
    """A program that speaks, by the name of the method it speaks with."""

    ESPEAK = "espeak"
    FLITE = "flite"
    FESTIVAL = "festival"


_PROGRAMS = {
    Engine.ESPEAK: ("espeak-ng", "espeak-ng"),
    Engine.FLITE: ("flite", "flite"),
    Engine.FESTIVAL: ("text2wave", "festival festvox-kallpc16k festvox-us-slt-hts"),
}
"""Engine -> its program, and the Debian packages that bring it and its voices."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice of an engine.

    Attributes:
        engine: What speaks.
        name: By the engine's own name.
    """

    engine: Engine
    name: str

    @property
    def label(self) -> str:
        """What the voice is called in a report, `engine/name`."""
        return f"{self.engine}/{self.name}"

    def say(self, text: str, cache: Path | None = None) -> FloatArray:
        """Return the sound of a sentence.

        Args:
            text: Plain words.
            cache: A folder that keeps what was said, so that it is said faster again.

        Returns:
            (samples,) float32 at 16 kHz, -1..1, as loud as the engine speaks, with the silence it
            begins and ends with.

        Raises:
            MissingDependency: The engine is not installed.
            SpeechError: The engine failed; it may lack the voice.
        """
        if cache is None:
            return self._spoken(text)
        key = hashlib.sha256(f"{self.label}\n{text}".encode()).hexdigest()[:24]
        kept = cache / f"{key}.npy"
        if not kept.exists():
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=cache, suffix=".part", delete=False) as file:
                np.save(file, self._spoken(text))
            Path(file.name).replace(kept)
        sound: FloatArray = np.load(kept)
        return sound

    def _spoken(self, text: str) -> FloatArray:
        program, packages = _PROGRAMS[self.engine]
        if shutil.which(program) is None:
            raise MissingDependency(
                f"The voice {self.label} needs {program}; run: apt-get install {packages}"
            )
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "said.wav"
            run = subprocess.run(
                self._command(program, file),
                input=text,
                capture_output=True,
                text=True,
                timeout=_LIMIT_S,
                check=False,
            )
            if run.returncode != 0 or not file.exists():
                said = " ".join((run.stderr or run.stdout).split())[:200]
                raise SpeechError(f"The voice {self.label} said nothing: {said or 'no reason'}.")
            rate, samples = wavfile.read(file)
        return _at_rate(samples, rate)

    def _command(self, program: str, file: Path) -> list[str]:
        """Return the command that reads a sentence and writes a file."""
        match self.engine:
            case Engine.ESPEAK:
                return [program, "-v", self.name, "--stdin", "-w", str(file)]
            case Engine.FLITE:
                return [program, "-voice", self.name, "-o", str(file), "-f", "/dev/stdin"]
            case Engine.FESTIVAL:
                return [program, "-eval", f"(voice_{self.name})", "-o", str(file)]


VOICES = (
    Voice(Engine.ESPEAK, "en-us"),
    Voice(Engine.ESPEAK, "en-us+f3"),
    Voice(Engine.ESPEAK, "en-gb"),
    Voice(Engine.ESPEAK, "en-gb-scotland"),
    Voice(Engine.FLITE, "slt"),
    Voice(Engine.FLITE, "rms"),
    Voice(Engine.FESTIVAL, "kal_diphone"),
    Voice(Engine.FESTIVAL, "cmu_us_slt_arctic_hts"),
)
"""What hearing is measured with: formant, unit, diphone and statistical synthesis."""


def _at_rate(samples: NDArray[Any], rate: int) -> FloatArray:
    """Return 16-bit samples of any rate as float32 at 16 kHz."""
    common = math.gcd(rate, RATE)
    sound = samples.astype(np.float64) / 32768
    if rate != RATE:
        sound = resample_poly(sound, RATE // common, rate // common)
    return np.clip(sound, -1, 1).astype(np.float32)
