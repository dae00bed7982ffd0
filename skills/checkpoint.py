"""Reading checkpoints strictly: what is missing, foreign or damaged is said in one sentence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from transformers import PreTrainedModel
from transformers.utils import logging as transformers_logging

from agent.errors import CheckpointError

ModelT = TypeVar("ModelT", bound=PreTrainedModel)
WEIGHTS = "model.safetensors"


def check_checkpoint(folder: Path, model_type: str) -> None:
    """Refuse a folder that is not one of our checkpoints.

    Raises:
        CheckpointError: The folder lacks a file or belongs to another kind of model.
    """
    missing = [n for n in ("config.json", WEIGHTS) if not (folder / n).is_file()]
    if missing:
        raise CheckpointError(
            f"There is no checkpoint in {folder} ({' and '.join(missing)} missing); "
            "train one with `bosun train` or name another folder."
        )
    try:
        config = json.loads((folder / "config.json").read_text())
    except ValueError as error:
        raise CheckpointError(f"{folder / 'config.json'} is not JSON: {error}.") from error
    found = config.get("model_type") if isinstance(config, dict) else None
    if found != model_type:
        raise CheckpointError(
            f"The checkpoint in {folder} is of type {found!r}, but Bosun needs {model_type!r}."
        )


def load_checkpoint(folder: Path, kind: type[ModelT], model_type: str) -> ModelT:
    """Return the network in a folder, every weight of which was there and fits.

    Raises:
        CheckpointError: The folder is missing, foreign or damaged.
    """
    check_checkpoint(folder, model_type)
    return load_weights(folder, kind, "train one with `bosun train`", dtype=torch.float32)


def load_weights(folder: Path, kind: type[ModelT], mend: str, **options: Any) -> ModelT:
    """Return the network in a folder, every weight of which was there and fits.

    Args:
        folder: Has its configuration and weights.
        kind: Its class.
        mend: What to do where they do not fit, said after a semicolon.
        options: Go to `from_pretrained`.

    Raises:
        CheckpointError: Weights are lacking, too many, of another shape or unreadable.
    """
    # Its progress bar would cross the lines of a mission; loading takes a moment only.
    transformers_logging.disable_progress_bar()
    try:
        # With `output_loading_info` it returns a pair, which its annotation does not say.
        loaded: Any = kind.from_pretrained(
            folder,
            local_files_only=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            **options,
        )
    except (OSError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"The checkpoint in {folder} is damaged: {error}.") from error
    model: ModelT = loaded[0]
    # transformers only logs what does not fit, and leaves random weights where there were none.
    odd = [
        str(key[0] if isinstance(key, tuple) else key)
        for part in ("missing_keys", "unexpected_keys", "mismatched_keys")
        for key in loaded[1][part]
    ]
    if odd:
        raise CheckpointError(
            f"The checkpoint in {folder} does not fit its configuration or this version of Bosun "
            f"({len(odd)} weights, such as {min(odd)!r}); {mend}."
        )
    return model


def weights_hash(folder: Path) -> str:
    """Return a short hash of a checkpoint's weights."""
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()[:16]
