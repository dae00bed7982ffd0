"""The scene network behind `agent.protocols.SceneEstimator`; one observation at a time."""

from __future__ import annotations

from pathlib import Path

import torch

from agent.types import Observation, Scene, SceneObject
from agent.workspace import BUTTON, OBJECTS
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
            part = torch.sigmoid(output.part[0]).tolist()
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
                **self._articulation(name, part[i]),
            )
            for i, name in enumerate(self._config.objects)
        }
        return Scene(observation.time_s, objects)

    def _articulation(self, name: str, share: float) -> dict[str, float]:
        """Return what a scene says of a part that has gone this share of its way, 0..1."""
        reach = self._config.parts.get(name)
        if reach is None:
            return {}
        # A lamp's share is the probability that it is lit; how far a drawer is out is measured,
        # and `agent.facts` knows how well.
        sure = max(share, 1 - share) if OBJECTS[name] == BUTTON else 1.0
        return {"articulation": reach * share, "articulation_confidence": sure}
