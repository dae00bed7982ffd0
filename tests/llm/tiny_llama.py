"""A tiny Llama with random weights and its tokenizer, in the folder format of transformers.

The folder is written by hand: importing transformers would take longer than all the rest.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from agent.types import FloatArray

HIDDEN, INTERMEDIATE, LAYERS, HEADS = 96, 256, 2, 4
CONTEXT = 16_384
"""The most tokens of a prompt and its reply together."""
SPECIAL = ("<pad>", "<s>", "</s>")
PAD, BEGIN, END = range(3)

_SENTENCES = (
    "Put the red block in the blue bowl, then put the green block on the yellow plate.",
    "Pick up the block that is left of the bowl and place it behind the orange block.",
    "Which block do you mean? There is no such thing on the table.",
    "The robot looks at the table, moves its hand above the block and closes the gripper.",
    "You are the planner of a robot. Answer with the steps of a plan, in the order of work.",
)
_TEMPLATE = (
    "{% if tools %}<tools> {{ tools | tojson }}</s>{% endif %}"
    "{% for message in messages %}<{{ message['role'] }}> {{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)


def make_tiny_llama(folder: Path, seed: int = 0) -> Path:
    """Write the model's files and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab_size()
    save_file(_weights(vocabulary, seed), folder / "model.safetensors", {"format": "pt"})
    for name, content in _configs(vocabulary).items():
        (folder / name).write_text(json.dumps(content, indent=1))
    return folder


def _tokenizer() -> Tokenizer:
    """Train on the sentences, over printable ASCII only.

    With bytes for an alphabet the model writes control characters, which grammars for JSON let
    through and strict JSON parsers refuse.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(" ?[^ ]+| "), "isolated")
    tokenizer.decoder = decoders.Fuse()
    trainer = trainers.BpeTrainer(
        vocab_size=256,
        special_tokens=list(SPECIAL),
        initial_alphabet=[chr(code) for code in range(ord(" "), ord("~") + 1)],
        show_progress=False,
    )
    tokenizer.train_from_iterator(_SENTENCES, trainer)
    return tokenizer


def _weights(vocabulary: int, seed: int) -> dict[str, FloatArray]:
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> FloatArray:
        return random.normal(0.0, 0.05, (rows, columns)).astype(np.float32)

    weights = {
        "model.embed_tokens.weight": matrix(vocabulary, HIDDEN),
        "model.norm.weight": np.ones(HIDDEN, np.float32),
        "lm_head.weight": matrix(vocabulary, HIDDEN),
    }
    for layer in range(LAYERS):
        of = f"model.layers.{layer}"
        for name in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{of}.{name}.weight"] = np.ones(HIDDEN, np.float32)
        for name in "qkvo":
            weights[f"{of}.self_attn.{name}_proj.weight"] = matrix(HIDDEN, HIDDEN)
        for name in ("gate", "up"):
            weights[f"{of}.mlp.{name}_proj.weight"] = matrix(INTERMEDIATE, HIDDEN)
        weights[f"{of}.mlp.down_proj.weight"] = matrix(HIDDEN, INTERMEDIATE)
    return weights


def _configs(vocabulary: int) -> dict[str, dict[str, Any]]:
    ends = {"pad_token_id": PAD, "bos_token_id": BEGIN, "eos_token_id": END}
    return {
        "config.json": {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": vocabulary,
            "hidden_size": HIDDEN,
            "intermediate_size": INTERMEDIATE,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "num_key_value_heads": HEADS,
            "max_position_embeddings": CONTEXT,
            "rms_norm_eps": 1e-6,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
            "tie_word_embeddings": False,
            "dtype": "float32",
            **ends,
        },
        "generation_config.json": {"do_sample": True, "max_new_tokens": 128, **ends},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": CONTEXT,
            "pad_token": SPECIAL[PAD],
            "bos_token": SPECIAL[BEGIN],
            "eos_token": SPECIAL[END],
            "chat_template": _TEMPLATE,
        },
    }
