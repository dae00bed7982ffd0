"""Run by the Python of LeRobot's environment: loads a data set as LeRobot does, and tells of it.

Takes the data set's folder and a file to write.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))


def told(folder: Path) -> dict[str, Any]:
    """Return what LeRobot makes of every frame of a data set, by names."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    data = LeRobotDataset("bosun/probe", root=folder)
    frames = [data[i] for i in range(len(data))]
    cameras = [key for key in frames[0] if key.startswith("observation.images.")]
    dt_s = 1 / data.fps
    chunked = LeRobotDataset(
        "bosun/probe",
        root=folder,
        delta_timestamps={"action": [0.0, dt_s, 2 * dt_s], "observation.state": [-dt_s, 0.0]},
    )
    chunks = [chunked[i] for i in range(len(chunked))]
    arrays = {
        **{key: torch.stack([f[key] for f in frames]).numpy() for key in cameras},
        **{key: torch.stack([f[key] for f in frames]).numpy() for key in ("action", "sent")},
        "state": torch.stack([f["observation.state"] for f in frames]).numpy(),
        "episode": np.array([int(f["episode_index"]) for f in frames]),
        "chunk": torch.stack([c["action"] for c in chunks]).numpy(),
        "chunk_is_pad": torch.stack([c["action_is_pad"] for c in chunks]).numpy(),
        "past": torch.stack([c["observation.state"] for c in chunks]).numpy(),
    }
    texts = {key: [f[key] for f in frames] for key in ("task", "outcome", "verdict", "skill")}
    batch = next(iter(torch.utils.data.DataLoader(data, batch_size=4)))
    return {
        "arrays": arrays,
        "texts": texts,
        "fps": data.fps,
        "episodes": data.num_episodes,
        "stats": sorted(data.meta.stats),
        "batch": list(batch["action"].shape),
    }


def main() -> None:
    """Write down what is told: arrays in an npz, the rest as JSON within it."""
    folder, out = map(Path, sys.argv[1:])
    from skills.lerobot.torchvision import import_torchvision

    import_torchvision()
    found = told(folder)
    arrays = found.pop("arrays")
    np.savez(out, rest=json.dumps(found), **arrays)


if __name__ == "__main__":
    main()
