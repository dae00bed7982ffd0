"""From a configuration to what is offered to other processes; it names the concrete classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.config import Config
from agent.errors import ConfigError
from agent.protocols import Policy
from agent.sections.source import BOSUN
from agent.skilled import policy_checkpoint, troubled

if TYPE_CHECKING:
    from skills.serve.server import PolicyServer


def policy_server(config: Config, key: str | None) -> PolicyServer:
    """Return what serves the configured policy's weights.

    They run in this process, so `policy.limit_s` is for those who ask.

    Args:
        config: Names the weights, and how they fail or are late on purpose.
        key: Which clients must show; None asks for none.

    Raises:
        ConfigError: The policy runs somewhere else already.
        CheckpointError: The weights are missing, foreign or damaged.
    """
    if config.policy.source != BOSUN:
        raise ConfigError(
            f"policy.source is {config.policy.source}, which is not served from here; "
            f"--set policy.source={BOSUN} serves our own policy."
        )
    from skills.serve.server import PolicyServer, ServerLimits
    from skills.serve.vla import VLAService

    def around(make_policy: Callable[[], Policy]) -> Policy:
        return troubled(make_policy, config.policy)()

    # Its two pictures have 0.1 MB.
    limits = ServerLimits(message_bytes=2**20)
    return PolicyServer(VLAService(policy_checkpoint(config), around), key, limits)
