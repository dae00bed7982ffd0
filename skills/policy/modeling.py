"""A small vision-language-action network: tokens of what the cameras show, a phrase, chunks.

Seeing is taught first, on the world's labels (`skills.perception`); the phrase then attends to the
things it names. Action chunks are from Zhao et al. 2023 (arXiv 2304.13705).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from skills.perception.modeling import STILL, SceneConfig, SceneNet
from skills.policy.configuration import VLAConfig
from skills.policy.language import MAX_WORDS, PAD
from skills.policy.places import Places, best
from skills.vision import keep_scale

MOTION_DIM = 6
AIM_CENTRE = (0.5, 0.0, 0.05)
"""(3,) m, base frame."""
AIM_SCALE = 0.1
"""m."""
NAMED = 2
"""Things a phrase names: what is handled, and where it goes."""
_ANOTHER_M = 0.03
"""From how far off a place is another one than was meant, m."""
_FINE_M = 0.02
"""How far a thing is from its place where letting go is decided, m."""


@dataclass
class Memory:
    """What is kept of a subgoal from one look to the next, for a batch of b.

    Attributes:
        began: (b, things, STILL) the first numbers of what was seen when it began: whether a lamp
            has changed, or a thing moved, cannot be told from one look.
        goal: (b, 3) m, where the network has said that what is handled goes. Of places that are as
            good, it keeps to the one near this.
        haste: (b,) 0..1, see `skills.patience`.
    """

    began: Tensor
    goal: Tensor
    haste: Tensor


@dataclass
class VLAOutput:
    """What the network says of a batch of b observations.

    Attributes:
        motion: (heads, b, horizon, 6) in units of `action_scale`.
        gripper: (heads, b, horizon) logit of "open".
        thing: (b, 3) where what is handled is, from `AIM_CENTRE` in `AIM_SCALE`.
        guess: (b, 3) about where it should go, in the same units.
        places: (b, n, 2) m, where it might go.
        odds: (b, n) logits of the places.
        goal: (b, 3) m, where it should go.
        progress: (b,) logit.
        success: (b,) logit.
    """

    motion: Tensor
    gripper: Tensor
    thing: Tensor
    guess: Tensor
    places: Tensor
    odds: Tensor
    goal: Tensor
    progress: Tensor
    success: Tensor


class PhraseEncoder(nn.Module):
    """One transformer layer over word embeddings, averaged over the words."""

    def __init__(self, words: int, dim: int) -> None:
        """Make tables for `words` words and `MAX_WORDS` places."""
        super().__init__()
        self.embedding = nn.Embedding(words + 2, dim, padding_idx=PAD)
        self.place = nn.Parameter(torch.randn(MAX_WORDS, dim) * 0.1)
        self.layer = nn.TransformerEncoderLayer(
            dim, 4, 2 * dim, dropout=0.0, batch_first=True, norm_first=True
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """(b, MAX_WORDS) word numbers -> (b, dim)."""
        padding = tokens == PAD
        hidden = self.layer(self.embedding(tokens) + self.place, src_key_padding_mask=padding)
        keep = (~padding).unsqueeze(-1).to(hidden.dtype)
        pooled: Tensor = (hidden * keep).sum(1) / keep.sum(1).clamp(min=1)
        return pooled


class Relations(nn.Module):
    """Lets every thing attend to all others, in the light of phrase and state.

    What is in whose way is the same question for any two things: weights are shared over things,
    and each is told how far it is from the tool and from what the phrase names.
    """

    def __init__(self, things: int, inputs: int, context: int, width: int, layers: int) -> None:
        """Make `layers` transformer layers over tokens of `width`."""
        super().__init__()
        self.inputs = nn.Linear(inputs, width)
        self.context = nn.Linear(context, width)
        self.identity = nn.Parameter(torch.randn(things, width) * 0.1)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )

    def forward(self, things: Tensor, context: Tensor) -> Tensor:
        """(b, things, inputs), (b, context) -> (b, things, width)."""
        hidden: Tensor = self.inputs(things) + self.identity + self.context(context)[:, None]
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden


class VLA(PreTrainedModel):
    """Images, proprioception and a phrase in; action chunks, progress and success out."""

    config_class = VLAConfig
    config: VLAConfig

    def __init__(self, config: VLAConfig) -> None:
        """Build the network with random weights."""
        super().__init__(config)
        self.scene = SceneNet(SceneConfig(**config.scene))
        eyes = self.scene.config
        things, known = len(eyes.objects) + len(eyes.landmarks), eyes.token_dim + STILL
        self.phrase = PhraseEncoder(len(config.vocabulary), config.language_dim)
        self.names = nn.Linear(config.language_dim, NAMED * things)
        self.state = nn.Sequential(nn.Linear(eyes.state_dim, 64), nn.ReLU(), nn.Linear(64, 64))
        context = config.language_dim + 64 + 1
        self.relations = Relations(
            things, known + 3 * (2 + NAMED) + NAMED, context, config.width, config.layers
        )
        seen = NAMED * (known + 3 + config.width) + config.width + context + 6
        # What the phrase names is located explicitly: this head is taught by the world's labels,
        # and the trunk reads its answer.
        self.aim = nn.Sequential(nn.Linear(seen, 256), nn.ReLU(), nn.Linear(256, 6))
        self.places = Places(config.width)
        self.trunk = nn.Sequential(
            nn.Linear(seen + 6 + 9, config.hidden),
            nn.LayerNorm(config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
        )
        outputs = config.horizon * (MOTION_DIM + 1)
        self.action = nn.ModuleList(
            nn.Sequential(nn.Linear(config.hidden, 192), nn.ReLU(), nn.Linear(192, outputs))
            for _ in range(config.heads)
        )
        self.judge = nn.Sequential(nn.Linear(config.hidden, 96), nn.ReLU(), nn.Linear(96, 2))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        keep_scale(module)

    def embed(self, tokens: Tensor) -> Tensor:
        """(b, MAX_WORDS) word numbers -> (b, language_dim); constant during a subgoal."""
        embedded: Tensor = self.phrase(tokens)
        return embedded

    def look(self, images: dict[str, Tensor], state: Tensor) -> Tensor:
        """Return what is seen: (b, things, token_dim), see `SceneNet.tokens`.

        Args:
            images: Camera name -> (b, 3, h, w) in -1..1.
            state: (b, state_dim), raw.
        """
        return self.scene.tokens(images, state)

    def decide(
        self,
        seen: Tensor,
        memory: Memory,
        state: Tensor,
        phrase: Tensor,
        taught: Tensor | None = None,
    ) -> VLAOutput:
        """Predict from one batch of what `look` saw.

        Args:
            seen: (b, things, token_dim).
            memory: Of the subgoal.
            state: (b, state_dim), raw.
            phrase: (b, language_dim) from `embed`.
            taught: (b, 3) m where the teacher takes what is handled, NaN where unknown. Where the
                network means another place, the actions answer the teacher's, which they are
                taught for.
        """
        known, things, related, ends = self._relate(seen, memory, state, phrase)
        aim = self.aim(known)
        thing, guess = aim[:, :3], aim[:, 3:]
        around = in_metres(guess.detach())
        cells, odds = self.places(around[:, :2], memory.goal[:, :2], things, related)
        goal = torch.cat([best(cells, odds), around[:, 2:]], dim=-1).detach()
        if taught is not None:
            off = torch.linalg.vector_norm((goal - taught)[:, :2], dim=-1, keepdim=True)
            goal = torch.where(off > _ANOTHER_M, taught, goal)
        hidden = self.trunk(torch.cat([known, thing, scaled(goal), *_way(goal, ends)], dim=-1))
        chunks = torch.stack([head(hidden) for head in self.action])
        chunks = chunks.unflatten(-1, (self.config.horizon, MOTION_DIM + 1))
        progress, success = self.judge(hidden).unbind(-1)
        return VLAOutput(
            motion=chunks[..., :MOTION_DIM],
            gripper=chunks[..., MOTION_DIM],
            thing=thing,
            guess=guess,
            places=cells,
            odds=odds,
            goal=goal,
            progress=progress,
            success=success,
        )

    def _relate(
        self, seen: Tensor, memory: Memory, state: Tensor, phrase: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Relate what is seen to phrase, tool and goal.

        Returns:
            (b, n) all that is known in one row, (b, things, 2) m where things are, (b, things,
            width) what they are to each other, and (b, 1 + NAMED, 3) m where the tool and what is
            named are.
        """
        seen = torch.cat([seen, seen[..., :STILL] - memory.began], dim=-1)
        if not self.config.proprioception:
            state = self._mean(state).expand_as(state)
        weight = self.names(phrase).unflatten(-1, (NAMED, -1)).softmax(-1)
        named = torch.einsum("bnt,btf->bnf", weight, seen)
        felt = self.state((state - self._mean(state)) / self._std(state))
        context = torch.cat([phrase, felt, memory.haste[:, None]], dim=-1)
        # From everything to the tool, to what is named and to where it goes; from the latter two to
        # the tool.
        ends = torch.cat([state[:, None, :3], self.scene.metres(named[..., :3])], dim=1)
        to = torch.cat([ends, memory.goal[:, None]], dim=1)
        places = self.scene.metres(seen[..., :3])
        apart = ((places[:, :, None] - to[:, None]) / AIM_SCALE).flatten(2)
        reach = (to[:, 1:] - to[:, :1]) / AIM_SCALE
        told = torch.cat([seen, apart, weight.transpose(1, 2)], dim=-1)
        related = self.relations(told, context)
        meant = torch.einsum("bnt,btf->bnf", weight, related)
        parts = [named.flatten(1), reach.flatten(1), meant.flatten(1), related.mean(1), context]
        known = torch.cat([*parts, scaled(memory.goal)], dim=-1)
        return known, places[..., :2], related, ends

    def first_memory(self, seen: Tensor, state: Tensor, phrase: Tensor) -> Memory:
        """Return the memory with which a subgoal begins: what is handled goes where it is."""
        haste = state.new_zeros(len(state))
        memory = Memory(seen[..., :STILL], state[:, :3], haste)
        thing = self.decide(seen, memory, state, phrase).thing
        return Memory(memory.began, in_metres(thing), haste)

    def forward(self, images: dict[str, Tensor], state: Tensor, phrase: Tensor) -> VLAOutput:
        """Look for the first time in a subgoal, and decide."""
        seen = self.look(images, state)
        return self.decide(seen, self.first_memory(seen, state, phrase), state, phrase)

    def _mean(self, like: Tensor) -> Tensor:
        return like.new_tensor(self.config.state_mean)

    def _std(self, like: Tensor) -> Tensor:
        return like.new_tensor(self.config.state_std)


def in_metres(aims: Tensor) -> Tensor:
    """Return aims as points: (..., 3) m."""
    return aims * AIM_SCALE + aims.new_tensor(AIM_CENTRE)


def scaled(points: Tensor) -> Tensor:
    """Return (..., 3) m as aims; the inverse of `in_metres`."""
    return (points - points.new_tensor(AIM_CENTRE)) / AIM_SCALE


def _way(goal: Tensor, ends: Tensor) -> tuple[Tensor, Tensor]:
    """Return how far it is to the goal from the tool, and finely from what is handled.

    Whether to let go is a matter of a centimetre, which is little in the difference of two places
    on a table.

    Args:
        goal: (b, 3) m.
        ends: (b, n, 3) m, the tool first, then what is handled.
    """
    way = goal[:, None] - ends[:, :2]
    return (way / AIM_SCALE).flatten(1), (way[:, 1] / _FINE_M).tanh()
