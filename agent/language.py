"""From a configuration to the language models that plan and check; it names their classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config import Config
from agent.errors import MissingDependency
from agent.protocols import Checker, Planner, Subscriber
from agent.sections import PlannerConfig

if TYPE_CHECKING:
    from agent.events import Event
    from agent.planner.chat import Chat
    from agent.planner.prompts import Prompts

RECORDED = "recorded"
"""What stands in the place of a provider where an episode's replies are played back."""


@dataclass(frozen=True, slots=True)
class MissionModels:
    """What plans and checks in one mission; None where no language model does."""

    planner: Planner | None
    checker: Checker | None


class LanguageModels:
    """The language models of an agent, opened once for many missions; there may be none."""

    def __init__(self, config: Config, closing: ExitStack) -> None:
        """Open what is configured; nothing is asked yet.

        Args:
            config: Names the models.
            closing: Closes them in the end.

        Raises:
            EpisodeError: The recording one should be played back from cannot be read.
            ConfigError: One cannot be opened with these settings.
            MissingDependency: One needs a package that is not installed.
        """
        self._config = config
        checking = _checking(config)
        self._planning = _chat(config.planner, closing, checks=False)
        self._checking = None if checking is None else _chat(checking, closing, checks=True)
        self._prompts = prompts(config) if self._planning or self._checking else None

    @property
    def digest(self) -> str | None:
        """Hash of what they are asked; None where there are none."""
        return self._prompts.digest if self._prompts else None

    def mission(
        self, halted: Callable[[], bool], subscribers: Sequence[Subscriber]
    ) -> MissionModels:
        """Return what plans and checks in one mission, out of one allowance.

        Args:
            halted: Whether nobody waits for a reply any more.
            subscribers: Hear every prompt and reply.
        """
        if self._prompts is None:
            return MissionModels(None, None)
        from agent.planner.checker import PictureChecker
        from agent.planner.consultant import Allowance, Consultant
        from agent.planner.llm import LLMPlanner

        def tell(event: Event) -> None:
            for subscriber in subscribers:
                subscriber.on_event(event)

        asked, prompts = self._config.planner, self._prompts
        allowance = Allowance(asked.tokens, asked.cost, asked.price_in, asked.price_out)
        planner = checker = None
        if self._planning is not None:
            planner = LLMPlanner(
                self._planning, prompts, allowance, shows=asked.images, tell=tell, halted=halted
            )
        if self._checking is not None:
            consultant = Consultant(self._checking, allowance, tell, halted)
            checker = PictureChecker(consultant, prompts, self._config.monitor.vlm_calls)
        return MissionModels(planner, checker)


def prompts(config: Config) -> Prompts:
    """Return the templates of what language models are asked."""
    from agent.planner.prompts import Prompts

    return Prompts(
        config.planner.max_subgoals, config.monitor.presence_threshold, config.planner.prompts
    )


def _checking(config: Config) -> PlannerConfig | None:
    """Return how the model that checks is opened: as the planner's, its name aside.

    A server and a key are of one provider, and must not be handed to another one.
    """
    if config.monitor.vlm is None:
        return None
    planner, _, named = config.planner.kind.partition(":")
    changed: dict[str, str | None] = {"kind": config.monitor.vlm}
    if named and planner != config.monitor.vlm.partition(":")[0]:
        changed |= {"base_url": None, "key_env": None, "key_file": None}
    return config.planner.model_copy(update=changed)


def _chat(config: PlannerConfig, closing: ExitStack, *, checks: bool) -> Chat | None:
    """Return a language model; None where the grammar plans.

    Args:
        config: Names it.
        closing: Closes it in the end.
        checks: Whether it is asked for checks or for plans, which a recording holds side by side.

    Raises:
        EpisodeError: The recording it should be played back from cannot be read.
        ConfigError: It cannot be opened with these settings.
        MissingDependency: It needs a package that is not installed.
    """
    provider, _, name = config.kind.partition(":")
    if not name:
        return None
    if provider == RECORDED:
        from agent.episode.reader import read_episode
        from agent.planner.checker import CHECK
        from agent.planner.recorded import RecordedChat

        consulted = read_episode(Path(name)).consulted
        return RecordedChat([c for c in consulted if (c.decision == CHECK) is checks])
    try:
        from agent.planner.providers import open_chat
    except ImportError as error:
        raise MissingDependency(
            f"The model {config.kind!r} needs packages that are not installed; run "
            "`pip install -c constraints.txt -e '.[llm]'`."
        ) from error
    opened = open_chat(config)
    closing.callback(opened.close)
    return opened
