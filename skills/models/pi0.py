"""PI0 (Black et al. 2024, arXiv 2410.24164) through transformers' own classes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from agent.errors import CheckpointError, ConfigError, PolicyLost
from agent.sections import LocalModelConfig
from agent.types import FloatArray
from skills.backend import Reply
from skills.interface.schema import Interface
from skills.models.folder import load_tokenizer, read_folder, read_json
from skills.models.inputs import at

if TYPE_CHECKING:
    import torch
    from transformers import PI0ForConditionalGeneration, PI0Processor

    from skills.models.denoising import Guide

_PROCESSOR = "processor_config.json"
_STATISTICS = ("state_mean", "state_std", "actions_mean", "actions_std")


class Pi0Backend:
    """Runs PI0; a `Backend` that can also continue its last chunk (`Continuing`).

    The noise a chunk begins from follows from the seed, the prompt and the number of chunks since
    the subgoal began, so that the same observations lead to the same actions again.
    """

    def __init__(
        self,
        model: PI0ForConditionalGeneration,
        processor: PI0Processor,
        interface: Interface,
        settings: LocalModelConfig,
    ) -> None:
        """Wrap a model.

        Args:
            model: In the precision and on the device of the settings.
            processor: Of its pictures, prompts and, where it knows them, statistics.
            interface: Names what it is shown; pictures are shown in the order given there.
            settings: How it runs.

        Raises:
            ConfigError: The interface does not fit the model.
        """
        self._model, self._processor = model.eval().requires_grad_(False), processor
        self._interface, self._settings = interface, settings
        _check(interface, model, processor)
        (self._state,) = interface.state
        self._tick = 0

    @classmethod
    def from_folder(cls, folder: Path, interface: Interface, settings: LocalModelConfig) -> Self:
        """Load what transformers saved in a folder, weights in LeRobot's naming included.

        Raises:
            CheckpointError: The folder is missing, foreign or damaged.
            ConfigError: The interface does not fit the model, or there is no such device.
        """
        read_folder(folder, "pi0", (_PROCESSOR, "tokenizer.json", "tokenizer_config.json"))
        import torch
        from transformers import PI0ForConditionalGeneration

        from skills.checkpoint import load_weights
        from skills.models.device import placed

        model = load_weights(
            folder,
            PI0ForConditionalGeneration,
            "get its files anew",
            dtype=getattr(torch, settings.dtype),
        )
        return cls(placed(model, settings.device), _processor(folder), interface, settings)

    @property
    def parameters(self) -> int:
        """How many weights it has."""
        return sum(weight.numel() for weight in self._model.parameters())

    def reset(self) -> None:
        """Begin a subgoal."""
        self._tick = 0

    def ask(self, inputs: Mapping[str, Any]) -> Reply:
        """Return what the model answers.

        Raises:
            PolicyLost: It failed.
        """
        return self._answer(inputs, None, 0)

    def ask_after(self, inputs: Mapping[str, Any], rest: FloatArray, delay: int) -> Reply:
        """Return a chunk that goes on from what is left of the last one.

        Args:
            inputs: As `ask` takes them.
            rest: (rows, numbers) what is left of the last chunk, as its `Reply` had it.
            delay: Rows of it that are carried out meanwhile; the answer repeats them.

        Raises:
            PolicyLost: It failed.
        """
        return self._answer(inputs, rest, delay)

    def close(self) -> None:
        """Let go of it; its memory is free once nobody else holds it."""

    def _answer(self, inputs: Mapping[str, Any], rest: FloatArray | None, delay: int) -> Reply:
        import torch

        try:
            with torch.no_grad():
                actions = self._denoise(inputs, rest, delay)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise PolicyLost(f"PI0 failed: {type(error).__name__}: {error}") from error
        self._tick += 1
        if rest is not None:
            kept = min(delay, len(rest), len(actions))
            actions[:kept, : rest.shape[1]] = rest[:kept]
        return Reply(actions)

    def _denoise(
        self, inputs: Mapping[str, Any], rest: FloatArray | None, delay: int
    ) -> FloatArray:
        """Return (rows, numbers) actions in the model's own numbers, its statistics undone."""
        import torch

        from skills.models.denoising import denoise

        config, model = self._model.config, self._model
        prompt = str(at(inputs, self._interface.prompt.key))
        shown = self._encode(inputs, prompt)
        cache, length = None, shown["input_ids"].shape[1]

        def velocity(actions: torch.Tensor, time: float) -> torch.Tensor:
            nonlocal cache
            told = model(
                **shown,
                noise=actions.to(model.dtype),
                timestep=torch.tensor([time], dtype=torch.float32, device=model.device),
                past_key_values=cache,
            )
            # What was read of pictures and prompt is kept; of the actions in the making it is not.
            cache = told.past_key_values
            cache.crop(length - cache.get_seq_length())
            speed: torch.Tensor = told.logits.to(actions.dtype)
            return speed

        size = (1, config.chunk_size, config.max_action_dim)
        drawn = torch.randn(size, generator=torch.Generator().manual_seed(self._seed(prompt)))
        steps = self._settings.steps or config.num_inference_steps
        guide = None if rest is None else self._guide(rest, delay)
        actions = denoise(velocity, drawn.to(model.device), steps, guide)[0].cpu().numpy()
        mean, deviation = self._statistics()
        return np.asarray(actions[:, : len(mean)] * deviation + mean, np.float32)

    def _encode(self, inputs: Mapping[str, Any], prompt: str) -> dict[str, torch.Tensor]:
        """Return what the network is shown and told, in its precision and on its device."""
        import torch

        pictures = [at(inputs, key) for key in self._interface.cameras]
        state = np.asarray(at(inputs, self._state), np.float32)
        told = self._processor([pictures], prompt, return_tensors="pt")
        mean = self._processor.state_mean
        if mean is not None:
            # An interface may have padded it already.
            state = self._processor.normalize(torch.from_numpy(state[: len(mean)]), "state").numpy()
        padded = np.zeros((1, self._model.config.max_state_dim), np.float32)
        state = state[: padded.shape[1]]
        padded[0, : len(state)] = state
        told["state"] = torch.from_numpy(padded)
        return {
            key: value.to(self._model.device, self._model.dtype)
            if value.is_floating_point()
            else value.to(self._model.device)
            for key, value in told.items()
        }

    def _guide(self, rest: FloatArray, delay: int) -> Guide:
        """Return what is left of the last chunk in the network's own numbers."""
        import torch

        from skills.models.denoising import Guide, soft_mask

        config = self._model.config
        mean, deviation = self._statistics()
        rows, numbers = min(len(rest), config.chunk_size), min(rest.shape[1], len(mean))
        filled = torch.zeros(1, config.chunk_size, config.max_action_dim)
        left = (rest[:rows, :numbers] - mean[:numbers]) / deviation[:numbers]
        filled[0, :rows, :numbers] = torch.from_numpy(left.astype(np.float32))
        weights = torch.zeros_like(filled)
        weights[..., :numbers] = soft_mask(config.chunk_size, rows, delay)[None, :, None]
        device = self._model.device
        return Guide(filled.to(device), weights.to(device), self._settings.guidance)

    def _statistics(self) -> tuple[FloatArray, FloatArray]:
        """Return mean and deviation of each number of an action; 0 and 1 where it knows none."""
        if self._processor.actions_mean is None:
            numbers = self._model.config.max_action_dim
            return np.zeros(numbers, np.float32), np.ones(numbers, np.float32)
        return (
            np.array(self._processor.actions_mean, np.float32),
            np.array(self._processor.actions_std, np.float32) + 1e-8,
        )

    def _seed(self, prompt: str) -> int:
        told = f"{self._settings.seed}/{self._tick}/{prompt}"
        return int.from_bytes(hashlib.sha256(told.encode()).digest()[:7], "big")


def _processor(folder: Path) -> PI0Processor:
    """Return the processor in a folder.

    Its own loader wants torchvision for the pictures; the same steps in PIL need nothing more.

    Raises:
        CheckpointError: Its tokenizer or its settings are damaged.
    """
    from transformers import PI0Processor
    from transformers.image_processing_backends import PilBackend

    saved = read_json(folder / _PROCESSOR)
    known = (*_STATISTICS, "max_state_dim", "chunk_size")
    tokenizer = load_tokenizer(folder)
    try:
        images = PilBackend(**saved["image_processor"])
        return PI0Processor(images, tokenizer, **{key: saved[key] for key in known if key in saved})
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{folder / _PROCESSOR} is damaged: {error}.") from error


def _check(interface: Interface, model: PI0ForConditionalGeneration, known: PI0Processor) -> None:
    """Refuse an interface that is not this model's.

    Raises:
        ConfigError: It names what does not fit.
    """
    config, name = model.config, interface.name
    if len(interface.state) != 1:
        raise ConfigError(
            f"PI0 is shown one state; the interface {name!r} has {len(interface.state)}."
        )
    if interface.actions.horizon > config.chunk_size:
        raise ConfigError(
            f"The interface {name!r} wants {interface.actions.horizon} rows a chunk, but this PI0 "
            f"gives {config.chunk_size}."
        )
    numbers = config.max_action_dim if known.actions_mean is None else len(known.actions_mean)
    if interface.actions.dim > numbers:
        raise ConfigError(
            f"The interface {name!r} wants {interface.actions.dim} numbers an action, but this PI0 "
            f"gives {numbers}."
        )
    (state,) = interface.state.values()
    wanted = config.max_state_dim if known.state_mean is None else len(known.state_mean)
    if state.told > wanted or (known.state_mean is not None and state.told < wanted):
        raise ConfigError(
            f"The interface {name!r} tells {state.told} numbers of the state, but this PI0 knows "
            f"{wanted}."
        )
    if known.state_mean is not None and (interface.state_statistics or interface.action_statistics):
        raise ConfigError(
            f"This PI0 brings its own statistics, so the interface {name!r} must have none."
        )
