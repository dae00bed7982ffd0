"""Run by LeRobot's Python: writes tiny policies with random weights, and what they answer.

Takes a folder, which gets a folder for each policy with LeRobot's own files and `answers.npz`: for
each of three ticks, whose inputs `inputs` makes, LeRobot's own actions with its statistics undone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
CAMERA, STATE, ACTION = "observation.images.front", "observation.state", "action"
PHRASE = "pick up the red block"
TICKS = 3


def inputs(tick: int) -> dict[str, Any]:
    """Return what a policy is asked at a tick."""
    rng = np.random.default_rng(tick)
    picture = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    return {CAMERA: picture, STATE: rng.normal(size=15).astype(np.float32), "task": PHRASE}


def _smolvlm(folder: Path) -> Path:
    """Write the configuration and the processor of what SmolVLA sees and reads with."""
    from transformers import SmolVLMConfig, SmolVLMImageProcessor, SmolVLMProcessor
    from transformers.models.smolvlm.video_processing_smolvlm import SmolVLMVideoProcessor

    from tests.models.characters import character_tokenizer

    plain = character_tokenizer()
    tokenizer = type(plain)(
        tokenizer_object=plain.backend_tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
        extra_special_tokens={
            "fake_image_token": "<fake_token_around_image>",
            "image_token": "<image>",
            "global_image_token": "<global-img>",
            "end_of_utterance_token": "<end_of_utterance>",
        },
    )
    SmolVLMProcessor(
        SmolVLMImageProcessor(), tokenizer, SmolVLMVideoProcessor(), image_seq_len=4
    ).save_pretrained(folder)
    layers = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
    SmolVLMConfig(
        text_config={
            **layers,
            "model_type": "llama",
            "num_hidden_layers": 2,
            "num_key_value_heads": 1,
            "head_dim": 16,
            "vocab_size": len(tokenizer),
        },
        vision_config={**layers, "num_hidden_layers": 1, "image_size": 64, "patch_size": 16},
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
    ).save_pretrained(folder)
    return folder


def _made(folder: Path) -> dict[str, tuple[Any, Any]]:
    """Return name -> policy and its configuration."""
    from lerobot.configs.types import FeatureType, PolicyFeature
    from lerobot.policies.act.configuration_act import ACTConfig
    from lerobot.policies.act.modeling_act import ACTPolicy
    from lerobot.policies.diffusion.configuration_diffusion import DiffusionConfig
    from lerobot.policies.diffusion.modeling_diffusion import DiffusionPolicy
    from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
    from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy

    shared = {
        "input_features": {
            CAMERA: PolicyFeature(FeatureType.VISUAL, (3, 64, 64)),
            STATE: PolicyFeature(FeatureType.STATE, (15,)),
        },
        "output_features": {ACTION: PolicyFeature(FeatureType.ACTION, (7,))},
        "device": "cpu",
        "push_to_hub": False,
    }
    act = ACTConfig(
        **shared,
        chunk_size=8,
        n_action_steps=8,
        dim_model=32,
        n_heads=2,
        dim_feedforward=64,
        n_encoder_layers=1,
        n_vae_encoder_layers=1,
        latent_dim=8,
        pretrained_backbone_weights=None,
    )
    diffusion = DiffusionConfig(
        **shared,
        horizon=8,
        n_action_steps=4,
        crop_shape=(56, 56),
        down_dims=(32, 64),
        diffusion_step_embed_dim=16,
        spatial_softmax_num_keypoints=4,
        num_inference_steps=5,
    )
    smolvla = SmolVLAConfig(
        **shared,
        chunk_size=8,
        n_action_steps=8,
        num_steps=3,
        num_vlm_layers=2,
        resize_imgs_with_padding=(64, 64),
        vlm_model_name=str(_smolvlm(folder)),
    )
    return {
        "act": (ACTPolicy(act), act),
        "diffusion": (DiffusionPolicy(diffusion), diffusion),
        "smolvla": (SmolVLAPolicy(smolvla), smolvla),
    }


def _answers(policy: Any, before: Any, after: Any, *, single: bool) -> np.ndarray:
    """Return (ticks, rows, 7) actions by LeRobot's own steps."""
    import torch

    policy.eval().reset()
    answers = []
    for tick in range(TICKS):
        asked = inputs(tick)
        picture = torch.from_numpy(asked[CAMERA]).permute(2, 0, 1)[None].float() / 255
        state = torch.from_numpy(asked[STATE])[None]
        batch = before({CAMERA: picture, STATE: state, "task": [PHRASE]})
        torch.manual_seed(tick)
        with torch.inference_mode():
            actions = policy.select_action(batch) if single else policy.predict_action_chunk(batch)
        answers.append(torch.stack([after(row) for row in actions.reshape(-1, 1, 7)])[:, 0])
    return torch.stack(answers).numpy()


def main() -> None:
    """Write the policies into the folder that is named."""
    from skills.lerobot.torchvision import import_torchvision

    import_torchvision()
    import torch
    from lerobot.policies.factory import make_pre_post_processors

    torch.manual_seed(0)
    known = {"mean": 0.02, "std": 0.01, "min": -0.01, "max": 0.03}
    statistics = {
        key: {name: torch.full(shape, value) for name, value in known.items()}
        for key, shape in ((CAMERA, (3, 1, 1)), (STATE, (15,)), (ACTION, (7,)))
    }
    for name, (policy, config) in _made(Path(sys.argv[1]) / "smolvlm").items():
        folder = Path(sys.argv[1]) / name
        before, after = make_pre_post_processors(config, dataset_stats=statistics)
        for part in (policy, before, after):
            part.save_pretrained(folder)
        single = config.n_obs_steps > 1
        np.savez(folder / "answers.npz", answers=_answers(policy, before, after, single=single))


if __name__ == "__main__":
    main()
