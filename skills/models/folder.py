"""The folder of a public model: what is missing or foreign is said before anything is loaded.

transformers takes a folder that is not there for a name on a hub and asks the hub for it; nothing
here gets that far.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import CheckpointError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
"""In one file, or listed where there are several."""
_END_BYTES = 2**20
_LEROBOT = "LeRobot's; set policy.source to lerobot:FOLDER"


def read_folder(folder: Path, model_type: str, needed: Sequence[str]) -> dict[str, Any]:
    """Return the configuration of a model in a folder that has all it needs.

    Args:
        folder: Where it is.
        model_type: What its configuration must say it is.
        needed: Files it must have beside configuration and weights.

    Raises:
        CheckpointError: It is not there, lacks a file, or belongs to another model.
    """
    if not folder.is_dir():
        raise CheckpointError(
            f"There is no folder {folder}; Bosun downloads no models, so put the model's files in "
            "a folder and name that."
        )
    missing = [name for name in ("config.json", *needed) if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in _WEIGHTS):
        missing.append(_WEIGHTS[0])
    if missing:
        raise CheckpointError(f"The model in {folder} lacks {' and '.join(missing)}.")
    config = read_json(folder / "config.json")
    found = config.get("model_type")
    if found != model_type:
        said = _LEROBOT if found is None and "type" in config else f"of type {found!r}"
        raise CheckpointError(f"The model in {folder} is {said}; {model_type!r} is expected here.")
    return config


def fingerprint(folder: Path) -> str:
    """Return a short hash of a model's configuration and of sizes and ends of its weights.

    All of them are gigabytes, and too long to read only to name them.
    """
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for file in sorted(folder.glob("*.safetensors")):
        size = file.stat().st_size
        digest.update(f"{file.name} {size}".encode())
        with file.open("rb") as weights:
            weights.seek(max(0, size - _END_BYTES))
            digest.update(weights.read())
    return digest.hexdigest()[:16]


def read_json(file: Path) -> dict[str, Any]:
    """Return the object in a file.

    Raises:
        CheckpointError: It holds none.
    """
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{file} holds no object.")
    return content


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Return the tokenizer that `tokenizer.json` in a folder describes.

    transformers' automatic one would offer to run code that comes with the model.

    Raises:
        CheckpointError: It is damaged.
    """
    from transformers import PreTrainedTokenizerFast

    # The tokenizers package raises a bare Exception for what is no tokenizer.
    if not isinstance(read_json(folder / "tokenizer.json").get("model"), dict):
        raise CheckpointError(f"The tokenizer in {folder} is damaged: it has no model.")
    try:
        tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(
            folder, local_files_only=True
        )
    except (AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        raise CheckpointError(f"The tokenizer in {folder} is damaged: {error}.") from error
    return tokenizer
