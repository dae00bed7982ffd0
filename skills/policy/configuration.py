"""The policy's hyperparameters, in transformers' conventions."""

from __future__ import annotations

from typing import Any

from transformers import PretrainedConfig

from skills.dataset import STATE_DIM

CHOSEN = ("horizon", "heads", "language_dim", "width", "layers", "hidden", "proprioception")
"""The hyperparameters that whoever trains may choose; data and eyes decide the others."""


class VLAConfig(PretrainedConfig):
    """Shapes of the policy and of what it reads.

    Args:
        vocabulary: The words it knows.
        scene: Configuration of the scene network it sees through, as a dictionary.
        state_mean: (state_dim,) mean of the training states.
        state_std: (state_dim,) standard deviation of the training states.
        action_scale: (6,) size of one unit of motion output, m and rad.
        horizon: Actions in a chunk.
        heads: Action heads; their disagreement is the spread.
        language_dim: Size of the phrase embedding.
        width: Width of the tokens that attend to each other.
        layers: Transformer layers over them.
        hidden: Width of the trunk.
        proprioception: Whether the policy itself is told the state, beside the eyes.
        dt_s: Seconds between actions.
    """

    model_type = "bosun_vla"

    def __init__(
        self,
        vocabulary: list[str] | None = None,
        scene: dict[str, Any] | None = None,
        state_mean: list[float] | None = None,
        state_std: list[float] | None = None,
        action_scale: list[float] | None = None,
        horizon: int = 6,
        heads: int = 3,
        language_dim: int = 96,
        width: int = 128,
        layers: int = 2,
        hidden: int = 384,
        proprioception: bool = True,
        dt_s: float = 0.1,
        **kwargs: Any,
    ) -> None:
        """Keep the values; the defaults make a network without vocabulary, for tests."""
        self.vocabulary = vocabulary or []
        self.scene = scene or {}
        self.state_mean = state_mean or [0.0] * STATE_DIM
        self.state_std = state_std or [1.0] * STATE_DIM
        self.action_scale = action_scale or [0.02] * 3 + [0.1] * 3
        self.horizon = horizon
        self.heads = heads
        self.language_dim = language_dim
        self.width = width
        self.layers = layers
        self.hidden = hidden
        self.proprioception = proprioception
        self.dt_s = dt_s
        super().__init__(**kwargs)
