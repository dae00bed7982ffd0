"""Tiny Whispers with random weights, in the formats of both packages, made without a network.

They hear nothing and invent everything, each in its way, see `VARIANTS`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

_STATE, _HEADS, _LAYERS = 32, 2, 1
_MELS, _AUDIO, _TEXT, _VOCABULARY = 80, 1500, 448, 51865
_END = 50257
"""The token that ends a text; the one that begins it comes next."""
_BEFORE = 4
"""Tokens before a text: its beginning, language, task and that there are no times."""


@dataclass(frozen=True)
class Variant:
    """One way to invent.

    Attributes:
        gain: Length of the words' vectors; the longer, the surer the decoder is of itself.
        ends: How many tokens its texts have; None lets them run on.
    """

    gain: float
    ends: int | None


VARIANTS = {
    "unsure": Variant(gain=0.1, ends=None),
    "endless": Variant(gain=2.0, ends=None),
    "sure": Variant(gain=2.0, ends=6),
}


def make_checkpoints(folder: Path) -> Path:
    """Write a folder with `tiny.pt` for each variant, as openai-whisper reads it."""
    import torch
    from whisper.model import ModelDimensions, Whisper

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
    for name, variant in VARIANTS.items():
        torch.manual_seed(0)
        weights = Whisper(dims).state_dict()
        _invent(
            weights["decoder.token_embedding.weight"],
            weights["decoder.positional_embedding"],
            variant,
        )
        (folder / name).mkdir(parents=True)
        saved = {"dims": vars(dims), "model_state_dict": weights}
        torch.save(saved, folder / name / "tiny.pt")
    return folder


def make_converted(folder: Path) -> Path:
    """Write a folder for each variant as faster-whisper reads it.

    It is done in a process of its own: importing transformers takes longer than all the rest, and
    its converter warns of much.
    """
    command = [sys.executable, "-m", __name__, str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2])
    return folder


def _invent(words: Any, positions: Any, variant: Variant) -> None:
    """Shape the vectors of words and positions, in place, so that each position has its word."""
    words.normal_().mul_(variant.gain)
    positions.normal_()
    if variant.ends is not None:
        words[_END] = 3 * variant.gain * positions[_BEFORE + variant.ends]
    # The last word must not decide about the next one, or it would be the same for ever.
    positions.mul_(10 * variant.gain)


def _convert(folder: Path) -> None:
    import torch
    from ctranslate2.converters import TransformersConverter
    from transformers import WhisperConfig, WhisperForConditionalGeneration

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
    for name, variant in VARIANTS.items():
        source = folder / f"{name}-transformers"
        torch.manual_seed(0)
        model = WhisperForConditionalGeneration(config)
        decoder = model.model.decoder
        _invent(decoder.embed_tokens.weight.data, decoder.embed_positions.weight.data, variant)
        model.save_pretrained(source)
        _save_tokenizer(source)
        extractor = {"feature_size": _MELS, "sampling_rate": 16_000, "hop_length": 160}
        (source / "preprocessor_config.json").write_text(json.dumps({**extractor, "n_fft": 400}))
        copied = ["tokenizer.json", "preprocessor_config.json"]
        TransformersConverter(str(source), copy_files=copied).convert(str(folder / name))
        _name_languages(folder / name / "config.json")


def _save_tokenizer(folder: Path) -> None:
    """Write the tokenizer that openai-whisper brings along in transformers' format."""
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import TikTokenConverter

    bundled = str(files("whisper") / "assets" / "multilingual.tiktoken")
    tokenizer = TikTokenConverter(vocab_file=bundled).converted()  # type: ignore[no-untyped-call]
    special = _special()
    tokenizer.add_special_tokens(sorted(special, key=special.__getitem__))
    file = folder / "tokenizer.json"
    tokenizer.save(str(file))
    fast = PreTrainedTokenizerFast(tokenizer_file=str(file))  # type: ignore[no-untyped-call]
    fast.save_pretrained(folder)


def _name_languages(file: Path) -> None:
    """Write down which tokens are languages, as published models do in a file of their own."""
    written = json.loads(file.read_text())
    written["lang_ids"] = [
        number for name, number in _special().items() if len(name.strip("<|>")) in (2, 3)
    ]
    file.write_text(json.dumps(written))


def _special() -> dict[str, int]:
    """Return the tokens that are no words, with their numbers."""
    from whisper.tokenizer import get_encoding

    return dict(get_encoding("multilingual", num_languages=99)._special_tokens)


if __name__ == "__main__":
    _convert(Path(sys.argv[1]))
