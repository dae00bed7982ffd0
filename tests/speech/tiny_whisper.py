"""A tiny Whisper with random weights, in the formats of both packages, made without a network.

It hears nothing and invents everything. Weights that are scaled up make it sure of what it invents.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

_STATE, _HEADS, _LAYERS = 32, 2, 1
_SPREAD = 8.0
"""Divisor of the words' vectors at which a gain of 1 leaves the decoder unsure."""
_MELS, _AUDIO, _TEXT, _VOCABULARY = 80, 1500, 448, 51865
_END = 50257
"""The token that ends a text; the one that begins it comes next."""


def make_checkpoint(folder: Path, seed: int = 0, gain: float = 1.0) -> Path:
    """Write `tiny.pt` as openai-whisper reads it, and return the folder.

    Args:
        folder: Where to.
        seed: Of the weights.
        gain: Factor on the words' vectors; large ones make the decoder sure of itself.
    """
    import torch
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(seed)
    dims = ModelDimensions(
        n_mels=_MELS,
        n_audio_ctx=_AUDIO,
        n_audio_state=_STATE,
        n_audio_head=_HEADS,
        n_audio_layer=_LAYERS,
        n_vocab=_VOCABULARY,
        n_text_ctx=_TEXT,
        n_text_state=_STATE,
        n_text_head=_HEADS,
        n_text_layer=_LAYERS,
    )
    model = Whisper(dims)
    weights = model.state_dict()
    # The package leaves this one as it finds it in memory.
    weights["decoder.positional_embedding"] = torch.randn(_TEXT, _STATE) * 0.1
    weights["decoder.token_embedding.weight"] *= gain / _SPREAD
    folder.mkdir(parents=True, exist_ok=True)
    saved = {"dims": vars(dims), "model_state_dict": weights}
    torch.save(saved, folder / "tiny.pt")
    return folder


def make_converted(folder: Path, seed: int = 0, gain: float = 1.0) -> Path:
    """Write a folder as faster-whisper reads it, and return it.

    It is made in a process of its own, for transformers and torch are heavy and this one may be
    asked to do without.
    """
    command = [sys.executable, "-m", __name__, str(folder), str(seed), str(gain)]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2])
    return folder


def _convert(folder: Path, seed: int, gain: float) -> None:
    import torch
    from ctranslate2.converters import TransformersConverter
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    source = folder.with_name(f"{folder.name}-transformers")
    torch.manual_seed(seed)
    config = WhisperConfig(
        vocab_size=_VOCABULARY,
        d_model=_STATE,
        encoder_layers=_LAYERS,
        decoder_layers=_LAYERS,
        encoder_attention_heads=_HEADS,
        decoder_attention_heads=_HEADS,
        encoder_ffn_dim=4 * _STATE,
        decoder_ffn_dim=4 * _STATE,
        num_mel_bins=_MELS,
        bos_token_id=_END,
        eos_token_id=_END,
        pad_token_id=_END,
        decoder_start_token_id=_END + 1,
    )
    model = WhisperForConditionalGeneration(config)
    model.model.decoder.embed_tokens.weight.data *= gain / _SPREAD / config.init_std
    model.save_pretrained(source)
    _save_tokenizer(source)
    extractor = {"feature_size": _MELS, "sampling_rate": 16_000, "hop_length": 160, "n_fft": 400}
    (source / "preprocessor_config.json").write_text(json.dumps(extractor))
    copied = ["tokenizer.json", "preprocessor_config.json"]
    TransformersConverter(str(source), copy_files=copied).convert(str(folder), force=True)
    file = folder / "config.json"
    written = json.loads(file.read_text())
    # Published models name these in a file of theirs that transformers does not write by itself.
    written["lang_ids"] = [
        number for name, number in _special().items() if len(name.strip("<|>")) in (2, 3)
    ]
    file.write_text(json.dumps(written))


def _save_tokenizer(folder: Path) -> None:
    """Write the tokenizer that openai-whisper brings along in transformers' format."""
    from transformers import WhisperTokenizerFast
    from transformers.convert_slow_tokenizer import TikTokenConverter

    bundled = str(files("whisper") / "assets" / "multilingual.tiktoken")
    tokenizer = TikTokenConverter(vocab_file=bundled).converted()
    special = _special()
    tokenizer.add_special_tokens(sorted(special, key=special.__getitem__))
    file = folder / "tokenizer.json"
    tokenizer.save(str(file))
    WhisperTokenizerFast(tokenizer_file=str(file)).save_pretrained(folder)


def _special() -> dict[str, int]:
    """Return the tokens that are no words, with their numbers."""
    from whisper.tokenizer import get_encoding

    return dict(get_encoding("multilingual", num_languages=99)._special_tokens)


if __name__ == "__main__":
    _convert(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
