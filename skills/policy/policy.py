"""The trained network behind `agent.protocols.Policy`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from agent.chunks.ensemble import Foreseen, TemporalEnsemble
from agent.types import ActionChunk, Observation
from skills.checkpoint import load_checkpoint
from skills.dataset import state_of
from skills.patience import haste
from skills.policy.configuration import VLAConfig
from skills.policy.language import encode
from skills.policy.modeling import VLA, Memory, VLAOutput
from skills.vision import as_input

_OVERLAP_TICKS = 4
_OVERLAP_DECAY = 0.6
_ELSEWHERE_M = 0.02
"""From how far off a place is another one than the policy said before, m."""


class VLAPolicy:
    """Runs the network on one thread and averages what its last few chunks say of now."""

    def __init__(self, model: VLA) -> None:
        """Wrap a network; `reset` must be called before `infer`."""
        torch.set_num_threads(1)
        self._model = model.float().eval()
        self.config: VLAConfig = model.config
        self._scale = np.array(self.config.action_scale)
        self._phrases: dict[str, torch.Tensor] = {}
        self._phrase = torch.zeros(1, self.config.language_dim)
        self._memory: Memory | None = None
        self._began_s = 0.0
        self._past = TemporalEnsemble(_OVERLAP_DECAY, _OVERLAP_TICKS)

    @classmethod
    def from_checkpoint(cls, folder: Path) -> VLAPolicy:
        """Load the weights in a folder.

        Raises:
            CheckpointError: The folder is missing, foreign or damaged.
        """
        return cls(load_checkpoint(folder, VLA, VLAConfig.model_type))

    def reset(self, phrase: str) -> None:
        """Begin a subgoal; a phrase's embedding is computed once and kept."""
        if phrase not in self._phrases:
            with torch.inference_mode():
                tokens = torch.tensor([encode(phrase, self.config.vocabulary)])
                self._phrases[phrase] = self._model.embed(tokens)
        self._phrase = self._phrases[phrase]
        self._memory = None
        self._past.clear()

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next actions; the first row is averaged over the last few chunks."""
        with torch.inference_mode():
            images = {n: as_input(i) for n, i in observation.images.items()}
            state = torch.from_numpy(state_of(observation))[None]
            output = self._decide(self._model.look(images, state), state, observation.time_s)
        motion = output.motion[:, 0].numpy() * self._scale
        opening = torch.sigmoid(output.gripper[:, 0]).numpy().mean(0)
        chunk = np.concatenate([motion.mean(0), opening[:, None]], axis=-1)
        spread = np.linalg.norm(motion[..., :3].std(0), axis=-1)
        self._past.add(Foreseen(observation.time_s, self.config.dt_s, chunk.copy()))
        now = self._past.at(observation.time_s)
        assert now is not None  # The newest chunk has a row for now.
        chunk[0] = now
        chunk[:, 6] = chunk[:, 6] > 0.5
        return ActionChunk(
            actions=chunk.astype(np.float32),
            dt_s=self.config.dt_s,
            spread=spread.astype(np.float32),
            progress=float(torch.sigmoid(output.progress)[0]),
            success=float(torch.sigmoid(output.success)[0]),
        )

    def _decide(self, seen: torch.Tensor, state: torch.Tensor, time_s: float) -> VLAOutput:
        """Decide in the light of what is remembered of the subgoal, and remember what was said."""
        if self._memory is None:
            self._memory = self._model.first_memory(seen, state, self._phrase)
            self._began_s = time_s
        memory = self._memory
        memory.haste = torch.from_numpy(haste(np.array([time_s - self._began_s])))
        output: VLAOutput = self._model.decide(seen, memory, state, self._phrase)
        if torch.linalg.vector_norm(output.goal - memory.goal) > _ELSEWHERE_M:
            memory.goal = output.goal
        return output
