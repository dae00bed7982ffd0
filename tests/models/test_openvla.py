"""OpenVLA from published weights' names and files: what it says, and what is said of wrong ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.action_space import ActionSpace
from agent.errors import CheckpointError, ConfigError, PolicyLost
from agent.sections import LocalModelConfig
from skills.interface.schema import ActionOutput, CameraInput, Interface
from skills.models.openvla import ActionTokens, OpenVlaBackend
from tests.models.samples import openvla_interface
from tests.models.tiny_openvla import STATISTICS, WORDS

SAID = {
    "pick up the red block": [31941, 31874, 31973, 31838, 31875, 31828, 31903],
    "Open the drawer": [31844, 31792, 31941, 31838, 31875, 31828, 31886],
    "push it left, please": [31973, 31747, 31973, 31838, 31875, 31874, 31888],
    "x": [31844, 31874, 31828, 31953, 31828, 31888, 31973],
}
"""Instruction -> what the code published with OpenVLA says of the same weights and pictures, with
transformers 4.40.1 and timm 0.9.10 on a CPU; its actions were the same to 1e-7."""


EXACT = LocalModelConfig(dtype="float32")


def opened(folder: Path, statistics: str | None = "tabletop") -> OpenVlaBackend:
    constants = {} if statistics is None else {"unnorm_key": statistics}
    return OpenVlaBackend.from_folder(folder, openvla_interface(constants=constants), EXACT)


def inputs(seed: int, instruction: str) -> dict[str, Any]:
    """Return what it is asked, with a picture of random colours."""
    picture = np.random.default_rng(seed).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    return {"image": picture, "instruction": instruction}


def test_it_says_the_tokens_that_the_published_code_says(openvla: Path) -> None:
    backend = opened(openvla)
    known = STATISTICS["tabletop"]["action"]
    low, high = np.array(known["q01"]), np.array(known["q99"])
    for seed, (instruction, tokens) in enumerate(SAID.items()):
        middles = (2 * (WORDS - 1 - np.array(tokens)) + 1) / 255 - 1
        expected = low + (middles + 1) / 2 * (high - low)
        # The gripper's number is masked, so no statistics are undone for it.
        expected[6] = middles[6]
        actions = backend.ask(inputs(seed, instruction)).actions
        assert actions.shape == (1, 7) and actions.dtype == np.float32
        np.testing.assert_allclose(actions[0], expected, atol=1e-6)


def test_tokens_are_the_middles_of_255_intervals() -> None:
    tokens = ActionTokens(WORDS, 256, np.zeros(4), np.ones(4), np.array([False] * 3 + [True]))
    said = np.array([WORDS - 1, WORDS - 255, WORDS - 128, WORDS - 128])
    np.testing.assert_allclose(tokens.numbers(said), [-254 / 255, 254 / 255, 0, 0.5], atol=1e-7)
    # The last interval has two tokens, and words that mean no number are the nearest one.
    ends = tokens.numbers(np.array([WORDS - 256, 0, WORDS + 9, WORDS - 1]))
    np.testing.assert_allclose(ends[:3], [254 / 255, 254 / 255, -254 / 255], atol=1e-7)


def test_the_layout_of_the_published_weights_is_this_networks() -> None:
    """Names and shapes of the largest of them, and how many there are (7.54 billion)."""
    import torch

    from skills.models.openvla_network import OpenVla, OpenVlaConfig

    with torch.device("meta"):
        network = OpenVla(OpenVlaConfig(text_config={"vocab_size": 32064}))
    weights = {name: tuple(weight.shape) for name, weight in network.state_dict().items()}
    expected = {
        "vision_backbone.featurizer.cls_token": (1, 1, 1024),
        "vision_backbone.featurizer.reg_token": (1, 4, 1024),
        "vision_backbone.featurizer.pos_embed": (1, 256, 1024),
        "vision_backbone.featurizer.patch_embed.proj.weight": (1024, 3, 14, 14),
        "vision_backbone.featurizer.blocks.22.ls2.scale_factor": (1024,),
        "vision_backbone.featurizer.blocks.22.attn.qkv.weight": (3072, 1024),
        "vision_backbone.fused_featurizer.pos_embed": (1, 256, 1152),
        "vision_backbone.fused_featurizer.blocks.25.mlp.fc1.weight": (4304, 1152),
        "projector.fc1.weight": (8704, 2176),
        "projector.fc2.weight": (4096, 8704),
        "projector.fc3.weight": (4096, 4096),
        "language_model.model.embed_tokens.weight": (32064, 4096),
        "language_model.model.layers.31.mlp.gate_proj.weight": (11008, 4096),
        "language_model.lm_head.weight": (32064, 4096),
    }
    assert expected.items() <= weights.items()
    assert not any("blocks.23." in name for name in weights if ".featurizer." in name)
    # Published are 7,541,237,184 with each tower's last layer, its norm and SigLIP's pooling.
    assert sum(weight.numel() for weight in network.parameters()) == 7_498_156_704


def test_half_precision_and_other_statistics_can_be_set(openvla: Path) -> None:
    exact = opened(openvla).ask(inputs(0, "x")).actions
    other = opened(openvla, statistics="bridge_orig").ask(inputs(0, "x")).actions
    assert np.abs(other[0, :3]).max() > np.abs(exact[0, :3]).max()
    half = OpenVlaBackend.from_folder(openvla, openvla_interface(), LocalModelConfig())
    assert half.ask(inputs(0, "x")).actions.shape == (1, 7)


def test_statistics_in_a_file_of_their_own_count_first(openvla: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(openvla, tmp_path / "copy")
    own = {"mine": {"action": {"q01": [-9.0] * 7, "q99": [9.0] * 7}}}
    (copy / "dataset_statistics.json").write_text(json.dumps(own))
    only = opened(copy, statistics=None).ask(inputs(0, "x")).actions
    assert np.array_equal(only, opened(copy, statistics="mine").ask(inputs(0, "x")).actions)
    # It is upper case to nobody, and neither is what it is told.
    assert np.array_equal(only, opened(copy, statistics=None).ask(inputs(0, "X")).actions)
    with pytest.raises(ConfigError, match="no data set with statistics 'tabletop'"):
        opened(copy)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (None, "unnorm_key among .* to one of: bridge_orig, tabletop"),
        ("bridge", "Did you mean 'bridge_orig'?"),
    ],
)
def test_a_data_set_must_be_one_of_those_known(openvla: Path, name: str | None, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        opened(openvla, statistics=name)


@pytest.mark.parametrize(
    ("interface", "told"),
    [
        (
            openvla_interface(
                cameras={"a": CameraInput(camera="front"), "b": CameraInput(camera="wrist")}
            ),
            "shown one picture; the interface 'tiny openvla' has 2",
        ),
        (
            openvla_interface(
                actions=ActionOutput(space=ActionSpace.JOINT_POSITION, dim=8, horizon=1, rate_hz=10)
            ),
            "wants 8 numbers an action, but this OpenVLA gives 7",
        ),
    ],
)
def test_an_interface_that_is_not_its_own_is_refused(
    openvla: Path, interface: Interface, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        OpenVlaBackend.from_folder(openvla, interface, EXACT)


def _changed(file: str, **values: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        known = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps(known | values))

    return change


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), r"lacks model\.safetensors"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "tokenizer in .* damaged"),
        (_changed("config.json", model_type="prismatic"), "of type 'prismatic'"),
        (_changed("config.json", timm_model_ids=["tiny_dinov2", "clip"]), "OpenVLA 'clip'"),
        (_changed("config.json", timm_model_ids=["tiny_siglip"]), "1 vision towers; two are"),
        (_changed("config.json", text_config={}), "lacks what tells its actions: KeyError"),
        (
            _changed("config.json", norm_stats={"tabletop": {"action": {"q01": [0], "q99": []}}}),
            "not of one length",
        ),
        (_changed("preprocessor_config.json", image_resize_strategy="letterbox"), "letterbox"),
        (_changed("preprocessor_config.json", means=[[0.5] * 3]), "two towers"),
    ],
)
def test_a_folder_that_is_not_a_whole_openvla_is_said(
    openvla: Path, tmp_path: Path, spoil: Callable[[Path], None], told: str
) -> None:
    copy = shutil.copytree(openvla, tmp_path / "copy")
    spoil(copy)
    with pytest.raises(CheckpointError, match=told):
        opened(copy)


def test_code_that_comes_with_a_model_is_never_run(openvla: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(openvla, tmp_path / "copy")
    trap = copy / "configuration_prismatic.py"
    trap.write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nclass OpenVLAConfig: pass\n")
    assert opened(copy).ask(inputs(0, "x")).actions.shape == (1, 7)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("wrong", [{}, {"image": "red"}, {"image": None}])
def test_what_it_cannot_read_is_a_lost_policy(openvla: Path, wrong: dict[str, Any]) -> None:
    asked = wrong if not wrong else {"instruction": "x"} | wrong
    with pytest.raises(PolicyLost, match="OpenVLA failed"):
        opened(openvla).ask(asked)
