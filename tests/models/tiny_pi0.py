"""A PI0 with random weights, two layers and pictures of 28 px, through transformers' classes."""

from __future__ import annotations

from pathlib import Path

from tests.models.characters import character_tokenizer

CHUNK, NUMBERS, PATCHES = 8, 12, 4
"""Rows of a chunk, numbers of an action and of a state, and patches of a picture."""
_PX, _PATCH, _WIDTH, _EXPERT = 28, 14, 32, 16


def make_pi0(folder: Path, *, statistics: bool = False) -> Path:
    """Write configuration, weights and processor.

    Args:
        folder: Where; made if it is not there.
        statistics: Whether the processor knows mean and deviation of states and actions.
    """
    import torch
    from transformers import PI0Config, PI0ForConditionalGeneration, PI0Processor
    from transformers.models.pi0.image_processing_pi0 import PI0ImageProcessor

    images = PI0ImageProcessor(
        size={"max_height": _PX, "max_width": _PX},
        pad_size={"height": _PX, "width": _PX},
    )
    images.image_seq_length = PATCHES
    known = (
        {
            "state_mean": [0.5] * 8,
            "state_std": [2.0] * 8,
            "actions_mean": [0.25] * 7,
            "actions_std": [0.5] * 7,
        }
        if statistics
        else {}
    )
    processor = PI0Processor(
        images, character_tokenizer(), max_state_dim=NUMBERS, chunk_size=CHUNK, **known
    )
    layers = {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1}
    text = {"model_type": "gemma", "hidden_size": _WIDTH, "intermediate_size": 2 * _WIDTH}
    size = len(processor.tokenizer)
    config = PI0Config(
        vlm_config={
            "model_type": "paligemma",
            "text_config": {**text, **layers, "head_dim": _EXPERT, "vocab_size": size},
            "vision_config": {
                "model_type": "siglip_vision_model",
                "hidden_size": _WIDTH,
                "intermediate_size": 2 * _WIDTH,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "image_size": _PX,
                "patch_size": _PATCH,
                "vision_use_head": False,
            },
            "projection_dim": _WIDTH,
            "image_token_id": processor.image_token_id,
        },
        dit_config={
            "model_type": "gemma",
            "hidden_size": _EXPERT,
            "intermediate_size": 2 * _EXPERT,
            **layers,
            "head_dim": _EXPERT,
        },
        chunk_size=CHUNK,
        max_state_dim=NUMBERS,
        max_action_dim=NUMBERS,
        num_inference_steps=5,
    )
    torch.manual_seed(0)
    PI0ForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
