"""The tiny Llama run in numpy: a fifth of a millisecond a token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from agent.types import FloatArray


@dataclass(frozen=True)
class _Layer:
    """One layer's weights; matrices are (inputs, outputs).

    `heads` gives queries and keys, both once more as RoPE turns them, and values.
    """

    attention_norm: FloatArray
    heads: FloatArray
    out: FloatArray
    mlp_norm: FloatArray
    gate_up: FloatArray
    down: FloatArray


class Llama:
    """The weights of a folder in the format of transformers."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        weights = load_file(folder / "model.safetensors")

        def joined(of: str, *names: str) -> FloatArray:
            parts = [weights[f"{of}.{name}_proj.weight"].T for name in names]
            return np.ascontiguousarray(np.concatenate(parts, axis=1))

        self.heads: int = config["num_attention_heads"]
        self.width: int = config["hidden_size"] // self.heads
        self.eps: float = config["rms_norm_eps"]
        self.context: int = config["max_position_embeddings"]
        self.end: int = config["eos_token_id"]
        """Token that ends a reply."""
        self.embedding = weights["model.embed_tokens.weight"]
        self.norm = weights["model.norm.weight"]
        self.head = np.ascontiguousarray(weights["lm_head.weight"].T)
        self.layers = [
            _Layer(
                weights[f"{of}.input_layernorm.weight"],
                self._with_turned(joined(f"{of}.self_attn", "q", "k", "v")),
                joined(f"{of}.self_attn", "o"),
                weights[f"{of}.post_attention_layernorm.weight"],
                joined(f"{of}.mlp", "gate", "up"),
                joined(f"{of}.mlp", "down"),
            )
            for of in (f"model.layers.{number}" for number in range(config["num_hidden_layers"]))
        ]
        theta = config["rope_parameters"]["rope_theta"]
        turns = theta ** -(np.arange(0, self.width, 2) / self.width)
        angles = np.outer(np.arange(self.context), np.concatenate([turns, turns]))
        self.cos = np.cos(angles).astype(np.float32)
        self.sin = np.sin(angles).astype(np.float32)

    def _with_turned(self, qkv: FloatArray) -> FloatArray:
        """Insert columns for what RoPE multiplies by the sine, scaled for the dot product."""
        size = qkv.shape[0]
        q, k, v = np.split(qkv.copy(), 3, axis=1)
        q /= np.sqrt(self.width)
        both = np.concatenate([q, k], axis=1)
        first, second = np.split(both.reshape(size, 2, self.heads, 2, -1), 2, axis=3)
        turned = np.concatenate([-second, first], axis=3).reshape(both.shape)
        return np.concatenate([both, turned, v], axis=1)


class Reading:
    """What the model has read of one conversation: its cache of keys and values."""

    def __init__(self, model: Llama) -> None:
        self._model = model
        self._length = 0
        self._cache = self._room(512)

    def feed(self, tokens: list[int]) -> FloatArray:
        """Read more tokens and return the logits of the next one, (vocabulary,)."""
        model, begin, end = self._model, self._length, self._length + len(tokens)
        if end > self._cache.shape[3]:
            roomier = self._room(2 * end)
            roomier[:, :, :, :begin] = self._cache[:, :, :, :begin]
            self._cache = roomier
        hidden = model.embedding[tokens]
        for layer, cache in zip(model.layers, self._cache, strict=True):
            hidden = hidden + self._attend(layer, cache, self._normed(hidden, layer.attention_norm))
            both = self._normed(hidden, layer.mlp_norm) @ layer.gate_up
            gate, up = both[:, : len(layer.down)], both[:, len(layer.down) :]
            hidden = hidden + (gate / (1.0 + np.exp(-gate)) * up) @ layer.down
        self._length = end
        logits: FloatArray = self._normed(hidden[-1:], model.norm)[0] @ model.head
        return logits

    def _room(self, tokens: int) -> FloatArray:
        """Return a cache: (layers, keys and values, heads, tokens, width)."""
        model = self._model
        return np.empty((len(model.layers), 2, model.heads, tokens, model.width), np.float32)

    def _normed(self, hidden: FloatArray, weight: FloatArray) -> FloatArray:
        mean = np.vecdot(hidden, hidden)[:, None] / hidden.shape[1]
        normed: FloatArray = hidden / np.sqrt(mean + self._model.eps) * weight
        return normed

    def _attend(self, layer: _Layer, cache: FloatArray, hidden: FloatArray) -> FloatArray:
        """Let each of the (n, hidden) tokens look at itself and at what was read before it."""
        model, count = self._model, len(hidden)
        begin, end = self._length, self._length + count
        heads = (hidden @ layer.heads).reshape(count, 5, model.heads, model.width)
        heads = heads.transpose(1, 2, 0, 3)
        query, key = heads[:2] * model.cos[begin:end] + heads[2:4] * model.sin[begin:end]
        cache[0, :, begin:end], cache[1, :, begin:end] = key, heads[4]
        scores = query @ cache[0, :, :end].transpose(0, 2, 1)
        if count > 1:
            scores += np.triu(np.full((count, end), -np.inf, np.float32), begin + 1)
        scores = np.exp(scores - scores.max(axis=2, keepdims=True))
        seen = scores / scores.sum(axis=2, keepdims=True) @ cache[1, :, :end]
        attended: FloatArray = seen.transpose(1, 0, 2).reshape(count, -1) @ layer.out
        return attended
