"""The keyword network as it listens: causal convolutions, frame after frame, in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from agent.errors import SpeechError
from agent.types import FloatArray

DILATIONS = (1, 1, 2, 4, 8, 8)
"""Of each layer in frames; all but the first add to what they are given."""
KERNEL = 5
"""Frames a layer looks at."""


def weights_of(word: str) -> Path:
    """Return where the network of a word is, or would be; `README.md` says how one is taught."""
    return Path(__file__).with_name(f"{word.lower()}.safetensors")


class KeywordNetwork:
    """Two probabilities per frame: the word ends now; it ended 0.2 to 0.4 s ago.

    The first is quick, the second has heard what came after the word and so knows better. Both
    rest on the last second, which is kept between calls.
    """

    def __init__(self, weights: Path) -> None:
        """Load the weights and start in silence.

        Raises:
            SpeechError: They are missing or damaged.
        """
        tensors = _load(weights)
        try:
            self._layers = [
                (tensors[f"layers.{n}.weight"], tensors[f"layers.{n}.bias"])
                for n in range(len(DILATIONS))
            ]
            self._head = tensors["head.weight"], tensors["head.bias"]
        except KeyError as error:
            raise SpeechError(f"{weights} is no keyword network: it lacks {error}.") from None
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        widths = (weight.shape[1] for weight, _ in self._layers)
        self._past = [
            np.zeros(((KERNEL - 1) * dilation, width), dtype=np.float32)
            for dilation, width in zip(DILATIONS, widths, strict=True)
        ]

    def __call__(self, frames: FloatArray) -> FloatArray:
        """Return (n, 2) probabilities for the next (n, 40) frames of `features.log_bands`."""
        if not len(frames):
            return np.zeros((0, 2), dtype=np.float32)
        values = frames
        for number, (dilation, (weight, bias)) in enumerate(
            zip(DILATIONS, self._layers, strict=True)
        ):
            seen = np.concatenate([self._past[number], values])
            self._past[number] = seen[len(seen) - (KERNEL - 1) * dilation :]
            taps = [seen[tap * dilation :][: len(values)] @ weight[tap] for tap in range(KERNEL)]
            layer = np.maximum(sum(taps) + bias, 0.0)
            values = layer if number == 0 else values + layer
        weight, bias = self._head
        logits: FloatArray = np.clip(values @ weight + bias, -30.0, 30.0)
        return (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)


def _load(path: Path) -> Mapping[str, FloatArray]:
    """Return the tensors of a file as float32."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return {name: tensor.astype(np.float32) for name, tensor in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise SpeechError(f"The keyword network {path} cannot be read: {error}.") from error
