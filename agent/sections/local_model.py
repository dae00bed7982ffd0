"""How public models in folders run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.sections.section import Section


class LocalModelConfig(Section):
    """How a model in a folder runs here; each key says for which models it is."""

    device: str = "cpu"
    """Where it computes, in PyTorch's words, such as `cuda:0`; also for LeRobot's."""
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """PI0, OpenVLA: precision of the weights; bfloat16 needs half the memory."""
    steps: int | None = Field(default=None, ge=1)
    """PI0: steps of denoising; None is as many as its folder says."""
    seed: int = 0
    """PI0: seed of the noise it begins from, together with the phrase and the tick."""
    guidance: float = Field(default=5.0, ge=0)
    """PI0: how strongly, at most, a chunk is pulled towards what is left of the last one in
    real-time chunking."""
