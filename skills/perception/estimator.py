"""The scene network behind `agent.protocols.SceneEstimator`; one observation at a time."""

from __future__ import annotations

from pathlib import Path

import torch

from agent.types import Observation, Scene, SceneObject
from agent.workspace import OBJECTS
from skills.checkpoint import load_checkpoint
from skills.dataset import state_of
from skills.perception.modeling import SceneConfig, SceneNet
from skills.vision import as_input


class NetworkEstimator:
    """Estimates the scene from the two cameras and proprioception, with no memory."""

    def __init__(self, model: SceneNet) -> None:
        """Wrap a network."""
        torch.set_num_threads(1)
        self._model = model.float().eval()
        self._config: SceneConfig = model.config

    @classmethod
    def from_checkpoint(cls, folder: Path) -> NetworkEstimator:
        """Load the weights in a folder.

        Raises:
            CheckpointError: The folder is missing, foreign or damaged.
        """
        return cls(load_checkpoint(folder, SceneNet, SceneConfig.model_type))

    def reset(self) -> None:
        """Nothing is remembered."""

    def estimate(self, observation: Observation) -> Scene:
        """Return every object the network knows, with its probability of being there."""
        with torch.inference_mode():
            images = {n: as_input(observation.images[n]) for n in self._config.cameras}
            output = self._model(images, torch.from_numpy(state_of(observation))[None])
            present = torch.sigmoid(output.present[0]).tolist()
            position = self._model.metres(output.position[0]).double().numpy()
            support = output.support[0].softmax(-1)
        sure, carrier = support.max(-1)
        objects = {
            name: SceneObject(
                name,
                OBJECTS[name],
                position[i],
                presence=present[i],
                support=self._config.supports[int(carrier[i])],
                support_confidence=float(sure[i]),
            )
            for i, name in enumerate(self._config.objects)
        }
        return Scene(observation.time_s, objects)
