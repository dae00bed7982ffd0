"""What a replay does otherwise than its episode: another planner, prompt, checkpoint or setting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.config import Config, overridden
from agent.episode.reader import Episode
from agent.errors import EpisodeError
from agent.language import RECORDED
from agent.planner.checker import CHECK
from agent.replay.recording import need_agent
from agent.sections import MemoryConfig


def varied(episode: Episode, overrides: Sequence[str], memory: Path | None) -> Config:
    """Return an episode's configuration with some settings changed.

    What a language model said is played back, but where the changes name one.

    Args:
        episode: Says how it was.
        overrides: Settings such as `"monitor.alpha=0.1"`.
        memory: File for what is remembered of recoveries; never the one that is in use.

    Raises:
        ConfigError: A setting is wrong.
        EpisodeError: The episode does not say what agent made it, or one with other settings did.
    """
    need_agent(episode)
    try:
        then = Config.model_validate(episode.metadata["config"])
    except ValidationError as error:
        raise EpisodeError(
            f"{episode.path} was made with settings that this version of Bosun does not know; use "
            f"version {episode.metadata.get('bosun')}."
        ) from error
    changed: dict[str, Any] = {"memory": MemoryConfig(file=memory)}
    kind = f"{RECORDED}:{episode.path}"
    if then.monitor.vlm is not None:
        changed["monitor"] = then.monitor.model_copy(update={"vlm": kind})
    if any(asked.decision != CHECK for asked in episode.consulted):
        changed["planner"] = then.planner.model_copy(update={"kind": kind})
    return overridden(then.model_copy(update=changed), overrides)
