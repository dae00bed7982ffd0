"""OpenVLA from a folder: its pictures, its prompt, its tokens and its statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from agent.errors import CheckpointError, ConfigError, PolicyLost, unknown
from agent.sections import LocalModelConfig
from agent.types import FloatArray, Vector
from skills.backend import Reply
from skills.interface.schema import Interface
from skills.models.folder import load_tokenizer, read_folder, read_json
from skills.models.inputs import at

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast

    from skills.models.openvla_network import OpenVla

_PICTURES, _STATISTICS = "preprocessor_config.json", "dataset_statistics.json"
_PROMPT = "In: What action should the robot take to {}?\nOut:"
_DATA_SET = "unnorm_key"
"""The constant of an interface that names whose statistics actions are scaled with."""
_EMPTY = 29871
"""The token for an empty word, which followed each prompt in training."""


@dataclass(frozen=True, slots=True, eq=False)
class ActionTokens:
    """What the last tokens of the vocabulary say of numbers.

    Attributes:
        end: One more than the last token.
        bins: Bounds of the intervals between -1 and 1; the last token stands for the first one.
        low: (dim,) 1 % quantile of each number in training.
        high: (dim,) 99 % quantile.
        mask: (dim,) which numbers lie between those; others are -1..1 as they are.
    """

    end: int
    bins: int
    low: Vector
    high: Vector
    mask: np.ndarray

    def numbers(self, tokens: np.ndarray) -> FloatArray:
        """Return (dim,) numbers for (dim,) tokens; a token that is none of these is the nearest."""
        interval = np.clip(self.end - 1 - tokens, 0, self.bins - 2)
        middle = -1.0 + (2.0 * interval + 1.0) / (self.bins - 1)
        scaled = self.low + 0.5 * (middle + 1.0) * (self.high - self.low)
        return np.asarray(np.where(self.mask, scaled, middle), np.float32)


class OpenVlaBackend:
    """Runs OpenVLA; a `Backend` that is asked as OpenVLA's own server is.

    It is told the instruction, around which it writes the prompt, and gives one action that is
    scaled as the statistics of a data set say.
    """

    def __init__(
        self,
        model: OpenVla,
        tokenizer: PreTrainedTokenizerFast,
        pictures: Mapping[str, Any],
        tokens: ActionTokens,
        interface: Interface,
    ) -> None:
        """Wrap a model.

        Args:
            model: In its precision and on its device.
            tokenizer: The Llama's.
            pictures: How they are normalised for each tower, as `preprocessor_config.json` says.
            tokens: What its tokens mean.
            interface: Names the one picture and the instruction.

        Raises:
            ConfigError: The interface does not fit the model.
        """
        if len(interface.cameras) != 1:
            raise ConfigError(
                f"OpenVLA is shown one picture; the interface {interface.name!r} has "
                f"{len(interface.cameras)}."
            )
        if interface.actions.dim != len(tokens.low):
            raise ConfigError(
                f"The interface {interface.name!r} wants {interface.actions.dim} numbers an "
                f"action, but this OpenVLA gives {len(tokens.low)}."
            )
        self._model, self._tokenizer = model.eval(), tokenizer
        self._means = np.array(pictures["means"], np.float32)
        self._deviations = np.array(pictures["stds"], np.float32)
        self._tokens, self._interface = tokens, interface
        (self._camera,) = interface.cameras

    @classmethod
    def from_folder(cls, folder: Path, interface: Interface, settings: LocalModelConfig) -> Self:
        """Load published weights, without the code that is published with them.

        Raises:
            CheckpointError: The folder is missing, foreign or damaged.
            ConfigError: The interface does not fit, or there is no such device or data set.
        """
        config = read_folder(folder, "openvla", ("tokenizer.json", _PICTURES))
        pictures = _pictures(folder)
        tokens = _action_tokens(folder, config, interface.constants.get(_DATA_SET))
        import torch

        from skills.checkpoint import load_weights
        from skills.models.device import placed
        from skills.models.openvla_network import OpenVla

        model = load_weights(
            folder, OpenVla, "get its files anew", dtype=getattr(torch, settings.dtype)
        )
        return cls(
            placed(model, settings.device), load_tokenizer(folder), pictures, tokens, interface
        )

    @property
    def parameters(self) -> int:
        """How many weights it has."""
        return sum(weight.numel() for weight in self._model.parameters())

    def reset(self) -> None:
        """Begin a subgoal; it remembers nothing anyway."""

    def ask(self, inputs: Mapping[str, Any]) -> Reply:
        """Return one action.

        Raises:
            PolicyLost: It failed.
        """
        try:
            prompt = self._prompt(str(at(inputs, self._interface.prompt.key)))
            pictures = self._pictures(at(inputs, self._camera))
            said = self._model.act(prompt, pictures, len(self._tokens.low))
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise PolicyLost(f"OpenVLA failed: {type(error).__name__}: {error}") from error
        return Reply(self._tokens.numbers(said.cpu().numpy())[None])

    def close(self) -> None:
        """Let go of it; its memory is free once nobody else holds it."""

    def _prompt(self, instruction: str) -> torch.Tensor:
        """Return (1, length) tokens."""
        import torch

        tokens = list(self._tokenizer(_PROMPT.format(instruction.lower()))["input_ids"])
        if tokens[-1] != _EMPTY:
            tokens.append(_EMPTY)
        return torch.tensor([tokens], device=self._model.device)

    def _pictures(self, picture: np.ndarray) -> torch.Tensor:
        """Return (1, 6, side, side): the picture as each tower wants it."""
        import torch
        from PIL import Image

        seen = []
        for side, mean, deviation in zip(
            self._model.config.image_sizes, self._means, self._deviations, strict=True
        ):
            resized = Image.fromarray(np.asarray(picture)).resize(
                (side, side), Image.Resampling.BICUBIC
            )
            seen.append((np.asarray(resized, np.float32) / 255 - mean) / deviation)
        stacked = torch.from_numpy(np.concatenate(seen, axis=2)).permute(2, 0, 1)[None]
        return stacked.to(self._model.device, self._model.dtype)


def _pictures(folder: Path) -> dict[str, Any]:
    """Return how pictures are normalised.

    Raises:
        CheckpointError: They are not prepared as those of OpenVLA, which are stretched.
    """
    saved = read_json(folder / _PICTURES)
    found = saved.get("image_resize_strategy")
    if found != "resize-naive" or not all(len(saved.get(k, ())) == 2 for k in ("means", "stds")):
        raise CheckpointError(
            f"{folder / _PICTURES} prepares pictures as {found!r}; OpenVLA with two towers and "
            "'resize-naive' is expected here."
        )
    return saved


def _action_tokens(folder: Path, config: Mapping[str, Any], name: Any) -> ActionTokens:
    """Return what tokens mean, by the statistics of a data set.

    Args:
        folder: May have statistics of its own, which count before those of the configuration.
        config: `config.json`.
        name: Of the data set; None where there is only one.

    Raises:
        CheckpointError: The statistics are damaged.
        ConfigError: There is no such data set, or it must be named.
    """
    file = folder / _STATISTICS
    known = read_json(file) if file.is_file() else config.get("norm_stats") or {}
    if name is None and len(known) == 1:
        (name,) = known
    if name is None:
        listed = ", ".join(sorted(known)) or "none"
        raise ConfigError(
            f"The model in {folder} knows statistics of several data sets; set {_DATA_SET} among "
            f"the constants of its interface to one of: {listed}."
        )
    if name not in known:
        raise ConfigError(unknown("data set with statistics", str(name), known))
    try:
        of = known[name]["action"]
        low, high = np.array(of["q01"], float), np.array(of["q99"], float)
        mask = np.array(of.get("mask", [True] * len(low)), bool)
        end = int(config["text_config"]["vocab_size"]) - int(config["pad_to_multiple_of"])
        bins = int(config["n_action_bins"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"The model in {folder} lacks what tells its actions: {type(error).__name__} {error}."
        ) from error
    if not low.shape == high.shape == mask.shape:
        raise CheckpointError(f"The statistics of {name!r} in {folder} are not of one length.")
    return ActionTokens(end, bins, low, high, mask)
