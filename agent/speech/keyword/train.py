"""Teach the keyword network: `python -m agent.speech.keyword.train`, about a quarter of an hour."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

from agent.speech.keyword.corpus import Corpus, noises, speak
from agent.speech.keyword.features import BANDS, HOP, SAMPLE_RATE_HZ, WINDOW, log_bands
from agent.speech.keyword.network import DILATIONS, KERNEL, weights_of
from agent.types import FloatArray

WIDTH = 64
_SAMPLES = 3 * SAMPLE_RATE_HZ
_FRAMES = (_SAMPLES - WINDOW) // HOP + 1
_NOW = ((-1, 14), (-12, 22))
"""Frames after the end of the word in which it `ends now`, and those around them that are left
out, for the end of a word is not a moment."""
_AGO = ((20, 42), (0, 50))
"""The same for `ended a while ago`."""
_SAYS_IT = 0.35
"""Share of the word among the clips of a mix."""
_UNSAID = -1.0
"""Marks a frame that is left out."""


class Mixer:
    """Mixes what the network is taught with: the word among speech, rooms, levels and noise."""

    def __init__(self, corpus: Corpus, seed: int) -> None:
        """Mix the same for the same seed."""
        self._corpus = corpus
        self._rng = np.random.default_rng(seed)
        self._noises = noises(self._rng, corpus.other, _SAMPLES)

    def batch(self, size: int) -> tuple[FloatArray, FloatArray]:
        """Return (size, frames, 40) bands and (size, frames, 2) labels 1, 0 or left out."""
        mixed = [self._mix() for _ in range(size)]
        bands = log_bands(np.stack([m[0] for m in mixed])) + self._colour(size)
        return bands, np.stack([m[1] for m in mixed])

    def _colour(self, size: int) -> FloatArray:
        """Return (size, 1, 40) smooth curves over the bands, as of other microphones."""
        knots = self._rng.normal(0.0, 0.25, (size, 6))
        at = np.linspace(0, 5, BANDS)
        curves = np.stack([np.interp(at, np.arange(6), knot) for knot in knots])
        return curves[:, None].astype(np.float32)

    def _mix(self) -> tuple[FloatArray, FloatArray]:
        rng = self._rng
        speech = np.zeros(_SAMPLES, dtype=np.float32)
        labels = np.zeros((_FRAMES, 2), dtype=np.float32)
        at = int(rng.uniform(-1.0, 1.0) * SAMPLE_RATE_HZ)
        while at < _SAMPLES:
            says_it = rng.random() < _SAYS_IT
            clips = self._corpus.word if says_it else self._corpus.other
            clip = self._voiced(clips[rng.integers(len(clips))])
            _add(speech, clip, at)
            at += len(clip)
            if says_it:
                _label(labels, (at - WINDOW) // HOP)
            at += int(max(0.0, rng.uniform(-0.15, 0.8)) * SAMPLE_RATE_HZ)
        if rng.random() < 0.35:
            speech = _in_a_room(speech, rng)
        level = 10 ** (rng.uniform(-32, -10) / 20)
        active = speech[np.abs(speech) > 0.01]
        if len(active):
            speech *= level / float(np.sqrt(np.mean(np.square(active))))
        snr_db = rng.uniform(40, 60) if rng.random() < 0.3 else rng.uniform(2, 30)
        mixed = speech + next(self._noises) * level * 10 ** (-snr_db / 20)
        return np.clip(mixed, -1, 1).astype(np.float32), labels

    def _voiced(self, clip: FloatArray) -> FloatArray:
        """Return a clip at another pace and pitch, level and colour."""
        rng = self._rng
        pace = rng.uniform(0.85, 1.18)
        voiced = np.interp(np.arange(0, len(clip) - 1, pace), np.arange(len(clip)), clip)
        if rng.random() < 0.5:
            voiced += rng.uniform(-0.7, 0.7) * np.concatenate([[0.0], voiced[:-1]])
        level = 0.5 * 10 ** (rng.uniform(-4, 4) / 20)
        return np.asarray(voiced * level / max(float(np.abs(voiced).max()), 1e-3), np.float32)


def _add(speech: FloatArray, clip: FloatArray, at: int) -> None:
    begin, end = max(at, 0), min(at + len(clip), len(speech))
    if begin < end:
        speech[begin:end] += clip[begin - at : end - at]


def _label(labels: FloatArray, end: int) -> None:
    """Mark the frames after a word's last one; what is marked 1 stays so."""
    for column, (said, around) in enumerate((_NOW, _AGO)):
        for (first, last), value in ((around, _UNSAID), (said, 1.0)):
            frames = labels[max(0, end + first) : max(0, end + last + 1), column]
            frames[frames < 1.0] = value


def _in_a_room(speech: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return speech with the echo of a room that fades within 0.1 to 0.5 s."""
    from scipy.signal import fftconvolve

    fades_s = rng.uniform(0.1, 0.5)
    times = np.arange(int(fades_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    echo = rng.standard_normal(len(times)) * np.exp(-6.9 * times / fades_s)
    echo *= rng.uniform(0.1, 0.7) / np.sqrt(np.sum(np.square(echo)))
    echo[0] += 1.0
    echoed: FloatArray = fftconvolve(speech, echo)[: len(speech)].astype(np.float32)
    return echoed


def make_network() -> Any:
    """Return the untaught network as a torch module: (batch, frames, 40) -> (batch, frames, 2)."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = [BANDS] + [WIDTH] * len(DILATIONS)
            self.layers = nn.ModuleList(
                nn.Conv1d(a, WIDTH, KERNEL, dilation=d)
                for a, d in zip(widths[:-1], DILATIONS, strict=True)
            )
            self.head = nn.Linear(WIDTH, 2)

        def forward(self, bands: torch.Tensor) -> torch.Tensor:
            values = bands.transpose(1, 2)
            for number, layer in enumerate(self.layers):
                past = F.pad(values, ((KERNEL - 1) * DILATIONS[number], 0))
                added = F.relu(layer(past))
                values = added if number == 0 else values + added
            logits: torch.Tensor = self.head(values.transpose(1, 2))
            return logits

    return Network()


def teach(corpus: Corpus, steps: int, seed: int, batch: int = 32) -> dict[str, FloatArray]:
    """Return the weights by name, laid out as `network.KeywordNetwork` reads them."""
    import torch
    from tqdm import tqdm

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network, mixer = make_network(), Mixer(corpus, seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    progress = tqdm(range(steps), file=sys.stderr)
    for _ in progress:
        bands, labels = map(torch.from_numpy, mixer.batch(batch))
        loss = _loss(network(bands), labels)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        progress.set_postfix(loss=f"{loss.item():.4f}")
    return as_weights(network)


def as_weights(network: Any) -> dict[str, FloatArray]:
    """Return a network's weights: convolutions as (kernel, in, out), the head as (in, out)."""
    state = {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}
    return {
        name: np.ascontiguousarray(tensor.transpose(tuple(range(tensor.ndim))[::-1]))
        for name, tensor in state.items()
    }


def _loss(logits: Any, labels: Any) -> Any:
    """Return the mean cross entropy over frames with a label, not yet begun ones left out."""
    from torch.nn import functional as F

    labels = labels[:, 40:]
    said = labels >= 0
    return F.binary_cross_entropy_with_logits(logits[:, 40:][said], labels[said])


def main() -> None:
    """Make the voices, teach the network and write its weights."""
    from safetensors.numpy import save_file

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--word", default="stop", help="what it should hear")
    parser.add_argument("--words", type=int, default=2000, help="clips of the word")
    parser.add_argument("--others", type=int, default=2800, help="clips of other speech")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    corpus = speak(asked.word, asked.words, asked.others, asked.seed)
    weights = teach(corpus, asked.steps, asked.seed)
    save_file({name: w.astype(np.float16) for name, w in weights.items()}, weights_of(asked.word))


if __name__ == "__main__":
    main()
