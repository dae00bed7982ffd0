"""The world's cameras, drawn off screen."""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
import numpy as np

from agent.types import Image


class Cameras:
    """Draws what the cameras of a model see, from the thread that made it."""

    def __init__(self, model: mujoco.MjModel, sizes: Mapping[str, tuple[int, int]]) -> None:
        """Open a renderer for each camera: name -> (height, width) in pixels."""
        self._renderers = {name: mujoco.Renderer(model, *size) for name, size in sizes.items()}
        for renderer in self._renderers.values():
            renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
            renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0

    def __call__(self, camera: str, data: mujoco.MjData) -> Image:
        """Return (H, W, 3) uint8 RGB of a camera in a state of the world."""
        renderer = self._renderers[camera]
        renderer.update_scene(data, camera=camera)
        return np.array(renderer.render(), dtype=np.uint8)

    def close(self) -> None:
        """Release the renderers."""
        for renderer in self._renderers.values():
            renderer.close()
