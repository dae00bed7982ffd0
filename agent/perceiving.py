"""From a configuration to what sees the scene; this module names the concrete ones."""

from __future__ import annotations

from pathlib import Path

from agent.config import Config
from agent.familiarity import unfamiliar
from agent.protocols import SceneEstimator
from agent.resources import resource

SCENE_CHECKPOINT = "skills/checkpoints/tabletop-scene"


def scene_checkpoint(config: Config) -> Path:
    """Return the folder of the scene network's weights."""
    return config.scene.checkpoint or resource(SCENE_CHECKPOINT)


def sees(config: Config) -> bool:
    """Return whether the scene network knows the robot's senses."""
    return not unfamiliar(config.robot)


def estimator(config: Config) -> SceneEstimator:
    """Return what tells the scene from the robot's pictures."""
    if not sees(config):
        from agent.scene.blind import BlindEstimator

        return BlindEstimator()
    from agent.scene.tracker import SceneTracker
    from skills.perception.estimator import NetworkEstimator

    return SceneTracker(NetworkEstimator.from_checkpoint(scene_checkpoint(config)))
