"""What the keyword network is taught from: synthetic voices that say the word, and other things.

Of the eight voices that `tests.benchmarks.stop_word` measures with, six are not among them: the
plain ones of espeak-ng and its variant f3, and both of festival's.
"""

from __future__ import annotations

import io
import random
import subprocess
import tempfile
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.errors import MissingDependency
from agent.speech.keyword.features import SAMPLE_RATE_HZ
from agent.types import FloatArray

LANGUAGES = ("en-us", "en-gb", "en-029", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd")
ABROAD = ("de", "nl", "fr-fr", "da", "sv", "pl", "it", "es")
"""Where people say `stop` too, in their own way."""
_VARIANTS = (
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f4", "f5", "Andy", "Annie",
    "Alicia", "Andrea", "adam", "Alex", "antonio", "aunty", "belinda", "benjamin", "boris",
    "caleb", "david", "Denis", "ed", "edward", "Gene", "Henrique", "Hugo", "iven", "iven2",
    "john", "kaukovalta", "Lee", "linda", "Marco", "Mario", "max", "Michael", "michel",
    "miguel", "Mike", "pablo", "paul", "pedro", "quincy", "rob", "robert", "steph", "steph2",
    "steph3", "zac", "anika", "klatt", "klatt2", "klatt3", "klatt4", "grandma", "grandpa",
    "croak",
)  # fmt: skip
_FLITE = ("awb", "kal", "kal16", "rms", "slt")
_FLITE_SHARE = 0.25
_NEARLY = (
    "top", "step", "shop", "spot", "stock", "stuff", "start", "stack", "drop", "stub", "strap",
    "stool", "store", "stand", "stay", "sop", "tap", "tip", "pot", "stoop", "steep", "stomach",
    "chop", "crop", "hop", "pop", "prop", "swap", "slop", "snap", "stab", "stamp", "star", "sit",
)  # fmt: skip
_COMMANDS = (
    "put the {c} block on top of the {d} one",
    "pick up the {c} block and put it in the {d} bowl",
    "push the {c} block to the left and then drop it on the spot",
    "stack the {c} block on the {d} block",
    "open the drawer and put the can in it",
    "press the button until it lights up",
    "place the {c} block on the plate step by step",
    "close the drawer and start again from the top",
    "move the {c} block to the back then go home",
    "what are you doing with the {d} block",
    "no the {c} one please",
    "put all blocks into the {d} bowl",
    "pause please and then continue",
    "cancel that and go home",
    "faster is fine but do not drop it",
)
_COLOURS = ("red", "green", "blue", "yellow", "white")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Clips of (n,) float32 at 16 kHz without silence at either end."""

    word: tuple[FloatArray, ...]
    other: tuple[FloatArray, ...]


def speak(word: str, words: int, others: int, seed: int) -> Corpus:
    """Have so many clips of each kind spoken, a quarter of them by flite.

    Raises:
        MissingDependency: espeak-ng or flite is not installed.
    """
    rng, dictionary = random.Random(seed), _dictionary(word)
    everywhere = LANGUAGES * 3 + ABROAD
    return Corpus(
        tuple(trimmed(_say(rng, word, everywhere)) for _ in range(words)),
        tuple(trimmed(_say(rng, _sentence(rng, dictionary), LANGUAGES)) for _ in range(others)),
    )


def trimmed(clip: FloatArray, floor_db: float = -40.0) -> FloatArray:
    """Return a clip without what is 40 dB below its loudest 10 ms at either end."""
    frames = clip[: len(clip) // 160 * 160].reshape(-1, 160)
    energy = np.square(frames).mean(axis=1)
    loud = np.flatnonzero(energy > energy.max() * 10 ** (floor_db / 10))
    return clip[loud[0] * 160 : (loud[-1] + 1) * 160]


def _say(rng: random.Random, text: str, languages: Sequence[str]) -> FloatArray:
    """Return somebody saying something, at a pace and pitch of their own."""
    if rng.random() < _FLITE_SHARE:
        settings = ["--setf", f"duration_stretch={rng.uniform(0.7, 1.4):.2f}"]
        settings += ["--setf", f"int_f0_target_mean={rng.uniform(80, 200):.0f}"]
        return _run_flite(["-voice", rng.choice(_FLITE), *settings, "-t", text])
    voice = f"{rng.choice(languages)}+{rng.choice(_VARIANTS)}"
    pace = [f"-s{rng.randint(110, 230)}", f"-p{rng.randint(15, 90)}", f"-a{rng.randint(60, 120)}"]
    return _run_espeak(["-v", voice, *pace, "--stdout", text])


def _sentence(rng: random.Random, dictionary: Sequence[str]) -> str:
    kind = rng.random()
    if kind < 0.4:
        first, second = rng.sample(_COLOURS, 2)
        return rng.choice(_COMMANDS).format(c=first, d=second)
    if kind < 0.6:
        return " ".join(rng.choices(_NEARLY, k=rng.randint(1, 4)))
    return " ".join(rng.choices(dictionary, k=rng.randint(1, 7)))


def _dictionary(word: str) -> list[str]:
    """Return the words of pocketsphinx's English dictionary in which a word is not heard."""
    import pocketsphinx

    lines = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict")).read_text().splitlines()
    sounds = dict(line.split(maxsplit=1) for line in lines)
    heard = sounds.get(word)
    return [other for other, phones in sounds.items() if heard is None or heard not in phones]


def _run_espeak(arguments: list[str]) -> FloatArray:
    return _decoded(_output(["espeak-ng", *arguments]))


def _run_flite(arguments: list[str]) -> FloatArray:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        _output(["flite", *arguments, "-o", file.name])
        return _decoded(Path(file.name).read_bytes())


def _output(command: list[str]) -> bytes:
    try:
        return subprocess.run(command, check=True, capture_output=True).stdout
    except FileNotFoundError:
        raise MissingDependency(f"{command[0]} is not installed; it makes the voices.") from None


def _decoded(wav: bytes) -> FloatArray:
    """Return the (n,) float32 at 16 kHz of a 16-bit WAV file."""
    from scipy.signal import resample_poly

    with wave.open(io.BytesIO(wav)) as reader:
        rate = reader.getframerate()
        # espeak-ng does not know the length as it begins to write, so the header is not to be read.
        data = wav[44:] if reader.getnframes() > 1 << 28 else reader.readframes(reader.getnframes())
    samples = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.float32) / 32768
    resampled: FloatArray = resample_poly(samples, SAMPLE_RATE_HZ, rate).astype(np.float32)
    return resampled


def noises(
    rng: np.random.Generator, other: Sequence[FloatArray], samples: int
) -> Iterator[FloatArray]:
    """Yield (samples,) float32 of unit power, without end: coloured noise, babble, tones."""
    times = np.arange(samples) / SAMPLE_RATE_HZ
    while True:
        kind = rng.integers(4)
        if kind <= 1:
            slope = rng.uniform(0, 1.2)
            spectrum = np.fft.rfft(rng.standard_normal(samples))
            spectrum /= np.maximum(np.arange(len(spectrum)), 20) ** slope
            noise = np.fft.irfft(spectrum, samples)
        elif kind == 2:
            voices = [np.resize(other[i], samples) for i in rng.integers(len(other), size=6)]
            noise = np.sum([np.roll(v, int(rng.integers(samples))) for v in voices], axis=0)
        else:
            pitches = rng.uniform(80, 2000, size=rng.integers(1, 6))
            waves = [np.sin(2 * np.pi * p * times + rng.uniform(0, 6)) for p in pitches]
            noise = np.sum(waves, axis=0)
            noise = noise * (1 + rng.uniform() * np.sin(2 * np.pi * rng.uniform(0.5, 6) * times))
        yield (noise / max(float(np.sqrt(np.mean(np.square(noise)))), 1e-9)).astype(np.float32)
