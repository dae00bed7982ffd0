"""What is said and sounds in a room that is not meant for the robot."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from agent.types import FloatArray, Vector
from skills.evaluate.voices import RATE, VOICES

_SECONDS = 3.0
_LOUDNESS = 0.1
_SPEAKERS = 8
_SUBJECTS = (
    "the weather", "my sister", "the train to london", "our new neighbour", "the football match",
    "the old library", "a friend of mine", "the coffee machine", "the meeting on monday",
    "that television show",
)  # fmt: skip
_REMARKS = (
    "{} is rather late again this week", "have you heard about {}",
    "yesterday we talked about {} for hours", "i wonder what happened with {}",
    "nobody told us anything about {} before lunch", "{} was much better last summer",
)  # fmt: skip
OFF_TOPIC = tuple(remark.format(subject) for subject in _SUBJECTS for remark in _REMARKS)
"""Sixty sentences that ask for nothing."""


def white(rng: np.random.Generator) -> FloatArray:
    """Return white noise, (samples,) float32 at 16 kHz."""
    return _loud(rng.normal(size=round(_SECONDS * RATE)))


def babble(rng: np.random.Generator) -> FloatArray:
    """Return many voices that speak at once, (samples,) float32 at 16 kHz."""
    mixed = np.zeros(round(_SECONDS * RATE))
    for _ in range(_SPEAKERS):
        voice = VOICES[int(rng.integers(len(VOICES)))]
        sound = voice.say(OFF_TOPIC[int(rng.integers(len(OFF_TOPIC)))])
        # Each is somewhere in its sentence, over and over.
        mixed += np.resize(np.roll(sound, int(rng.integers(sound.size))), mixed.size)
    return _loud(mixed)


def music(rng: np.random.Generator) -> FloatArray:
    """Return chords of plucked tones with overtones, (samples,) float32 at 16 kHz."""
    beat = np.arange(round(_SECONDS * RATE / 6)) / RATE
    chords = []
    for _ in range(6):
        tones = 110 * 2 ** (rng.integers(0, 36, size=3) / 12)
        waves = [np.sin(2 * np.pi * tone * n * beat) / n for tone in tones for n in range(1, 6)]
        chords.append(np.sum(waves, axis=0) * np.exp(-3 * beat))
    return _loud(np.concatenate(chords))


SOUNDS: Mapping[str, Callable[[np.random.Generator], FloatArray]] = {
    "white": white,
    "babble": babble,
    "music": music,
}
"""Name -> makes three seconds of a sound."""


def _loud(sound: Vector) -> FloatArray:
    level = float(np.sqrt(np.mean(np.square(sound))))
    return np.clip(sound * (_LOUDNESS / level), -1, 1).astype(np.float32)
