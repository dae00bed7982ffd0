"""A tokenizer of printable characters, made on the spot; a published one would need a network."""

from __future__ import annotations

from typing import Any

SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>")


def character_tokenizer(filler: int = 0, *, begins: bool = False) -> Any:
    """Return a fast tokenizer with one token for each printable ASCII character.

    Args:
        filler: Tokens beyond, which no text has.
        begins: Whether a text's first token is `<bos>`.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    characters = [chr(code) for code in range(32, 127)] + ["\n"]
    names = [*SPECIAL, *characters, *(f"<filler{n}>" for n in range(filler))]
    vocabulary = {name: number for number, name in enumerate(names)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("[\\s\\S]"), "isolated")
    if begins:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<bos> $A", special_tokens=[("<bos>", vocabulary["<bos>"])]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
    )
