"""PI0 through transformers' own classes: what it answers, and what is said of a wrong folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from agent.action_space import ActionSpace
from agent.errors import CheckpointError, ConfigError, PolicyLost
from agent.sections import LocalModelConfig
from skills.backend import Continuing
from skills.interface.schema import (
    ActionOutput,
    Interface,
    Part,
    StateInput,
    Statistics,
)
from skills.models.pi0 import Pi0Backend
from tests.models.samples import PHRASE, pi0_inputs, pi0_interface
from tests.models.tiny_pi0 import CHUNK, NUMBERS

EXACT = LocalModelConfig(dtype="float32")


def opened(folder: Path, **settings: Any) -> Pi0Backend:
    return Pi0Backend.from_folder(
        folder, pi0_interface(), LocalModelConfig(dtype="float32", **settings)
    )


def test_it_answers_as_transformers_does(pi0: Path) -> None:
    """The same noise, pictures, prompt and state through the model's own sampling."""
    from transformers import PI0ForConditionalGeneration

    inputs, backend = pi0_inputs(), opened(pi0)
    drawn: list[torch.Tensor] = []
    plain = torch.randn

    def noted(*args: Any, **options: Any) -> torch.Tensor:
        drawn.append(plain(*args, **options))
        return drawn[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "randn", noted)
        answered = backend.ask(inputs).actions
    model = PI0ForConditionalGeneration.from_pretrained(pi0, local_files_only=True).eval()
    expected = model.sample_actions(**shown(pi0, inputs), noise=drawn[0])[0].numpy()
    assert np.array_equal(answered, expected)
    assert answered.dtype == np.float32 and answered.shape == (CHUNK, NUMBERS)


def shown(folder: Path, inputs: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Return what the processor makes of the inputs, pictures prepared by hand."""
    from PIL import Image
    from transformers import AutoTokenizer

    pictures = [
        np.asarray(Image.fromarray(picture).resize((28, 28), Image.Resampling.BICUBIC))
        for picture in inputs["images"].values()
    ]
    pixels = torch.from_numpy(np.stack(pictures).astype(np.float32) / 255).permute(0, 3, 1, 2)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    text = "<image>" * 8 + f"<bos>{PHRASE}\n"
    told = tokenizer(text, padding="max_length", max_length=48, return_tensors="pt")
    state = torch.zeros(1, NUMBERS)
    state[0, :8] = torch.from_numpy(inputs["state"])
    return {
        "input_ids": told["input_ids"],
        "attention_mask": told["attention_mask"],
        "pixel_values": ((pixels - 0.5) / 0.5)[None],
        "pixel_attention_mask": torch.ones(1, 2, dtype=torch.bool),
        "state": state,
    }


def test_the_same_subgoal_is_answered_the_same_again(pi0: Path) -> None:
    backend, inputs = opened(pi0), pi0_inputs()
    first = [backend.ask(inputs).actions for _ in range(3)]
    backend.reset()
    again = [backend.ask(inputs).actions for _ in range(3)]
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], opened(pi0, seed=1).ask(inputs).actions)


@pytest.mark.parametrize(
    "change",
    [{"prompt": "close the drawer"}, {"state": np.ones(8)}, {"images": pi0_inputs(1)["images"]}],
)
def test_all_it_is_asked_counts(pi0: Path, change: dict[str, Any]) -> None:
    backend = opened(pi0)
    answers = []
    for inputs in (pi0_inputs(), pi0_inputs() | change):
        backend.reset()
        answers.append(backend.ask(inputs).actions)
    assert not np.allclose(answers[0], answers[1])


def test_its_own_statistics_are_undone(pi0: Path, pi0_with_statistics: Path) -> None:
    """Both have the same weights, so a normalised state leads to the same normalised actions."""
    raw = pi0_inputs() | {"state": np.arange(8.0)}
    normalised = raw | {"state": (np.arange(8.0) - 0.5) / 2}
    actions = opened(pi0_with_statistics).ask(raw).actions
    assert actions.shape == (CHUNK, 7)
    expected = opened(pi0).ask(normalised).actions[:, :7] * 0.5 + 0.25
    np.testing.assert_allclose(actions, expected, atol=1e-4)
    padded = raw | {"state": np.pad(np.arange(8.0), (0, 24))}
    assert np.array_equal(opened(pi0_with_statistics).ask(padded).actions, actions)


def test_half_precision_is_close(pi0: Path) -> None:
    half = Pi0Backend.from_folder(pi0, pi0_interface(), LocalModelConfig())
    exact = opened(pi0)
    assert half.parameters == exact.parameters
    difference = half.ask(pi0_inputs()).actions - exact.ask(pi0_inputs()).actions
    assert 0 < np.abs(difference).max() < 0.3


def test_steps_can_be_set(pi0: Path) -> None:
    default, five, one = (
        opened(pi0, steps=steps).ask(pi0_inputs()).actions for steps in (None, 5, 1)
    )
    assert np.array_equal(default, five) and not np.array_equal(default, one)


def test_a_chunk_goes_on_from_what_is_left_of_the_last_one(pi0_with_statistics: Path) -> None:
    """The rest is far from what is sampled freely, which alone does not come near it."""
    backend, inputs, delay = opened(pi0_with_statistics), pi0_inputs(), 2
    assert isinstance(backend, Continuing)
    free = backend.ask(inputs).actions
    rest = free[2:] + np.float32(1.0)
    backend.reset()
    bound = backend.ask_after(inputs, rest, delay).actions
    assert np.array_equal(bound[:delay], rest[:delay])
    missed = np.abs(bound[: len(rest)] - rest).mean(1)
    missed_freely = np.abs(free[: len(rest)] - rest).mean(1)
    assert missed[2] < 0.2 * missed_freely[2]
    assert (missed[2:5] < missed_freely[2:5]).all()
    # It fades: the last rows that are left are hardly bound, and those beyond are free.
    changed = np.abs(bound - free).mean(1)
    assert changed[2] > changed[5] > changed[-1]
    assert changed[-1] < 0.05


def test_the_pull_itself_reaches_the_rows_under_way(pi0: Path) -> None:
    """Also with the first row alone under way, the second one is pulled to where it should be."""
    backend, inputs = opened(pi0, guidance=10.0, steps=20), pi0_inputs()
    free = backend.ask(inputs).actions
    rest = free + np.float32(0.5)
    backend.reset()
    whole = backend.ask_after(inputs, rest, CHUNK).actions
    assert np.array_equal(whole, rest)
    backend.reset()
    fading = backend.ask_after(inputs, rest, 1).actions
    assert np.abs(fading[1] - rest[1]).mean() < 0.2 * np.abs(free[1] - rest[1]).mean()


@pytest.mark.parametrize(("guidance", "rows"), [(0.0, 5), (5.0, 0)])
def test_without_a_pull_or_a_rest_it_samples_freely(pi0: Path, guidance: float, rows: int) -> None:
    backend, inputs = opened(pi0, guidance=guidance), pi0_inputs()
    free = backend.ask(inputs).actions
    backend.reset()
    rest = np.full((rows, NUMBERS), 3, np.float32)
    assert np.array_equal(backend.ask_after(inputs, rest, 0).actions, free)


def test_what_it_cannot_read_is_a_lost_policy(pi0: Path) -> None:
    backend = opened(pi0)
    wrongs: list[dict[str, Any]] = [
        {"state": "left"},
        {"images": {}},
        {"prompt": None, "images": None},
    ]
    for wrong in wrongs:
        with pytest.raises(PolicyLost, match="PI0 failed"):
            backend.ask(pi0_inputs() | wrong)


@pytest.mark.parametrize(
    ("interface", "told"),
    [
        (pi0_interface(state={}), "one state; the interface 'tiny pi0' has 0"),
        (
            pi0_interface(state={"state": StateInput(parts=(Part.GRIPPER,), pad=32)}),
            "tells 1 numbers of the state, but this PI0 knows 8",
        ),
        (
            pi0_interface(actions=pi0_interface().actions.model_copy(update={"horizon": 50})),
            "wants 50 rows a chunk, but this PI0 gives 8",
        ),
        (
            pi0_interface(
                actions=ActionOutput(
                    space=ActionSpace.JOINT_POSITION, dim=14, horizon=8, rate_hz=10
                )
            ),
            "wants 14 numbers an action, but this PI0 gives 7",
        ),
        (
            pi0_interface(
                action_statistics=Statistics(kind="mean_std", low=(0,) * 7, high=(1,) * 7)
            ),
            "brings its own statistics",
        ),
    ],
)
def test_an_interface_that_is_not_its_own_is_refused(
    pi0_with_statistics: Path, interface: Interface, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        Pi0Backend.from_folder(pi0_with_statistics, interface, EXACT)


def test_a_device_that_is_not_there_is_named(pi0: Path) -> None:
    with pytest.raises(ConfigError, match=r"policy\.local\.device 'cuda:9'"):
        opened(pi0, device="cuda:9")


def _lerobot(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"type": "pi0", "n_obs_steps": 1}))


def _cut(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights.pop(min(weights))
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), r"lacks model\.safetensors"),
        (lambda folder: (folder / "tokenizer.json").unlink(), r"lacks tokenizer\.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "is not JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), "holds no object"),
        (
            lambda folder: (folder / "config.json").write_text('{"model_type": "llama"}'),
            "of type 'llama'; 'pi0' is expected",
        ),
        (_lerobot, "lerobot:FOLDER"),
        (_cut, "1 weights, such as"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 99), "damaged"),
        (lambda folder: (folder / "processor_config.json").write_text("{}"), "processor_config"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "tokenizer"),
    ],
)
def test_a_folder_that_is_not_a_whole_pi0_is_said(
    pi0: Path, tmp_path: Path, spoil: Callable[[Path], None], told: str
) -> None:
    copy = shutil.copytree(pi0, tmp_path / "copy")
    spoil(copy)
    with pytest.raises(CheckpointError, match=told):
        opened(copy)


def test_a_folder_that_is_not_there_is_never_looked_for_on_a_hub(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="downloads no models"):
        opened(tmp_path / "lerobot" / "pi0_base")
