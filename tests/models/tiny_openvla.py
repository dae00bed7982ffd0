"""An OpenVLA with random weights, under the names and in the files of the published ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from skills.models.openvla_network import TowerSize
from tests.models.characters import SPECIAL, character_tokenizer

TINY_TOWERS = {
    "tiny_dinov2": TowerSize(16, 3, 2, 32, 14, 4, True),
    "tiny_siglip": TowerSize(24, 3, 2, 40, 14, None, False),
}
SIDE = 28
WORDS, BEYOND = 32000, 64
"""Tokens that may be said, and those at the end that never are, as published."""
_LLAMA = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "vocab_size": WORDS + BEYOND,
    "pad_token_id": 32000,
}
STATISTICS: dict[str, Any] = {
    "tabletop": {
        "action": {
            "q01": [-0.02, -0.03, -0.04, -0.1, -0.2, -0.3, 0.0],
            "q99": [0.02, 0.03, 0.05, 0.1, 0.2, 0.4, 1.0],
            "mask": [True] * 6 + [False],
        }
    },
    "bridge_orig": {"action": {"q01": [-1.0] * 7, "q99": [1.0] * 7}},
}


def make_openvla(folder: Path) -> Path:
    """Write configuration, weights, tokenizer and statistics; the towers must be known by then."""
    from safetensors.numpy import save_file

    from skills.models.openvla_network import OpenVla, OpenVlaConfig

    known: dict[str, Any] = {
        "timm_model_ids": list(TINY_TOWERS),
        "image_sizes": [SIDE, SIDE],
        "text_config": _LLAMA,
        "pad_to_multiple_of": BEYOND,
        "n_action_bins": 256,
    }
    shapes = {
        name: tuple(weight.shape)
        for name, weight in OpenVla(OpenVlaConfig(**known)).state_dict().items()
    }
    rng = np.random.default_rng(0)
    weights = {
        name: rng.normal(_centre(name), 0.3, shape).astype(np.float32)
        for name, shape in sorted((shapes | _unused()).items())
    }
    # It is to say actions, and hardly anything else.
    weights["language_model.lm_head.weight"][WORDS - 256 : WORDS] *= 3
    written = known | {
        "model_type": "openvla",
        "architectures": ["OpenVLAForActionPrediction"],
        "auto_map": {"AutoConfig": "configuration_prismatic.OpenVLAConfig"},
        "use_fused_vision_backbone": True,
        "vision_backbone_id": "dinosiglip-vit-so-224px",
        "norm_stats": STATISTICS,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(written))
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "image_processor_type": "PrismaticImageProcessor",
                "image_resize_strategy": "resize-naive",
                "input_sizes": [[3, SIDE, SIDE]] * 2,
                "interpolations": ["bicubic", "bicubic"],
                "means": [[0.484375, 0.455078125, 0.40625], [0.5, 0.5, 0.5]],
                "stds": [[0.228515625, 0.2236328125, 0.224609375], [0.5, 0.5, 0.5]],
                "use_fused_vision_backbone": True,
            }
        )
    )
    character_tokenizer(WORDS - len(SPECIAL) - 96, begins=True).save_pretrained(folder)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def _centre(name: str) -> float:
    """Return the mean of a kind of weights; those that multiply must not all be near 0."""
    return 1.0 if ("norm" in name and name.endswith("weight")) or "scale_factor" in name else 0.0


def _unused() -> dict[str, tuple[int, ...]]:
    """Return name -> shape of published weights that nothing is made of."""
    unused: dict[str, tuple[int, ...]] = {}
    towers = zip(("featurizer", "fused_featurizer"), TINY_TOWERS.values(), strict=True)
    for tower, size in towers:
        width, hidden = size.width, size.hidden
        layer = {
            "norm1": (width,),
            "attn.qkv": (3 * width, width),
            "attn.proj": (width, width),
            "norm2": (width,),
            "mlp.fc1": (hidden, width),
            "mlp.fc2": (width, hidden),
        }
        at = f"vision_backbone.{tower}"
        for name, shape in layer.items():
            unused[f"{at}.blocks.{size.layers - 1}.{name}.weight"] = shape
            unused[f"{at}.blocks.{size.layers - 1}.{name}.bias"] = shape[:1]
        for name in ("weight", "bias"):
            unused[f"{at}.norm.{name}"] = (width,)
        if size.scaled:
            for name in ("ls1", "ls2"):
                unused[f"{at}.blocks.{size.layers - 1}.{name}.scale_factor"] = (width,)
    pooled = "vision_backbone.fused_featurizer.attn_pool"
    width, hidden = TINY_TOWERS["tiny_siglip"].width, TINY_TOWERS["tiny_siglip"].hidden
    return unused | {
        f"{pooled}.latent": (1, 1, width),
        f"{pooled}.q.weight": (width, width),
        f"{pooled}.q.bias": (width,),
        f"{pooled}.kv.weight": (2 * width, width),
        f"{pooled}.kv.bias": (2 * width,),
        f"{pooled}.proj.weight": (width, width),
        f"{pooled}.proj.bias": (width,),
        f"{pooled}.norm.weight": (width,),
        f"{pooled}.norm.bias": (width,),
        f"{pooled}.mlp.fc1.weight": (hidden, width),
        f"{pooled}.mlp.fc1.bias": (hidden,),
        f"{pooled}.mlp.fc2.weight": (width, hidden),
        f"{pooled}.mlp.fc2.bias": (width,),
    }
