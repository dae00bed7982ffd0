"""The keyword network: what it is shown, and that it computes what it was taught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from agent.errors import SpeechError
from agent.speech.keyword.corpus import Corpus
from agent.speech.keyword.features import BANDS, HOP, WINDOW, BandStream, log_bands
from agent.speech.keyword.network import KeywordNetwork, weights_of
from agent.speech.keyword.train import Mixer, as_weights, make_network, teach
from skills.evaluate.voices import RATE
from tests.speech.sounds import noise

TONE = (0.1 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)).astype(np.float32)


def test_a_tone_is_in_one_place_and_louder_is_more() -> None:
    soft, loud = log_bands(TONE), log_bands(10 * TONE)
    assert soft.shape == ((RATE - WINDOW) // HOP + 1, BANDS)
    assert len(set(soft.argmax(axis=1))) == 1
    gained = (loud - soft).max(axis=1) * 3.0
    assert gained == pytest.approx(np.full(len(gained), 2 * np.log(10)), abs=0.1)


@pytest.mark.parametrize("size", [1, 160, 320, 333, 4000])
def test_a_stream_gives_the_frames_of_the_whole(size: int) -> None:
    sound, stream = noise(1.0, 0.1), BandStream()
    frames = np.concatenate([stream(sound[at : at + size]) for at in range(0, RATE, size)])
    # The stream begins in silence, so its first frame ends with the first 10 ms.
    whole = log_bands(np.concatenate([np.zeros(WINDOW - HOP, np.float32), sound]))
    assert np.allclose(frames, whole, atol=1e-5)


def test_numpy_computes_what_torch_taught(tmp_path: Path) -> None:
    torch.manual_seed(0)
    taught = make_network()
    save_file(as_weights(taught), tmp_path / "word.safetensors")
    frames = np.random.default_rng(0).standard_normal((300, BANDS)).astype(np.float32)
    with torch.no_grad():
        expected = torch.sigmoid(taught(torch.from_numpy(frames)[None]))[0].numpy()
    network = KeywordNetwork(tmp_path / "word.safetensors")
    streamed = np.concatenate([network(frames[at : at + 7]) for at in range(0, 300, 7)])
    assert np.allclose(streamed, expected, atol=1e-5)
    network.reset()
    assert np.allclose(network(frames), expected, atol=1e-5)


def test_a_network_learns_a_sound() -> None:
    """A few steps on two tones: the word is high, everything else low."""
    at = np.arange(6400) / RATE
    high, low = (np.sin(2 * np.pi * hz * at).astype(np.float32) for hz in (3000, 300))
    corpus = Corpus((high,), (low,))
    first, last = (teach(corpus, steps, 0, batch=4) for steps in (1, 30))
    bands, labels = Mixer(corpus, 1).batch(8)
    losses = [_loss(weights, bands, labels) for weights in (first, last)]
    assert losses[1] < 0.7 * losses[0]


def _loss(weights: dict[str, np.ndarray], bands: np.ndarray, labels: np.ndarray) -> float:
    network = make_network()
    state = {n: torch.from_numpy(np.ascontiguousarray(w.T)) for n, w in weights.items()}
    network.load_state_dict(state)
    with torch.no_grad():
        said = torch.sigmoid(network(torch.from_numpy(bands)))[..., 0].numpy()
    known = labels[..., 0] >= 0
    right = np.where(labels[..., 0] == 1, said, 1 - said)[known]
    return float(-np.log(np.maximum(right, 1e-6)).mean())


def test_the_shipped_network_is_small() -> None:
    assert weights_of("stop").stat().st_size < 1_000_000


def test_weights_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="cannot be read"):
        KeywordNetwork(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("none")
    with pytest.raises(SpeechError, match="cannot be read"):
        KeywordNetwork(tmp_path / "text.safetensors")
    save_file({"other": np.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(SpeechError, match="is no keyword network"):
        KeywordNetwork(tmp_path / "other.safetensors")
