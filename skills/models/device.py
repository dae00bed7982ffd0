"""Where a model computes."""

from __future__ import annotations

from typing import TypeVar

import torch

from agent.errors import ConfigError

ModelT = TypeVar("ModelT", bound=torch.nn.Module)


def placed(model: ModelT, device: str) -> ModelT:
    """Return a model on a device.

    Raises:
        ConfigError: There is no such device, or the model does not fit on it.
    """
    try:
        return model.to(device)
    # PyTorch without CUDA raises an AssertionError for a device of it.
    except (AssertionError, RuntimeError) as error:
        first = str(error).splitlines()[0].rstrip(".")
        raise ConfigError(
            f"The model cannot be put on policy.local.device {device!r}: {first}."
        ) from error
