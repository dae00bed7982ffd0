"""From a configuration to policies, one for each skill; this module names the concrete ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from agent.config import Config
from agent.faults import FaultyPolicy
from agent.protocols import Policy
from agent.resources import resource

POLICY_CHECKPOINT = "skills/checkpoints/tabletop"


def policy_checkpoint(config: Config) -> Path:
    """Return the folder of the policy's weights."""
    return config.policy.checkpoint or resource(POLICY_CHECKPOINT)


def policies(config: Config, closing: ExitStack) -> dict[str, Policy]:
    """Return skill name -> policy; one network serves every learned skill."""
    from agent.robots.tabletop.world import HOME_POSE
    from skills.primitives import HomePrimitive, ReleasePrimitive, WaitPrimitive
    from skills.registry import load_contracts

    learned = _learned(config, closing)
    primitives: dict[str, Policy] = {
        "home": HomePrimitive(HOME_POSE),
        "look": HomePrimitive(HOME_POSE, settle_ticks=2),
        "release": ReleasePrimitive(),
        "wait": WaitPrimitive(),
    }
    return {
        name: learned if contract.learned else primitives[name]
        for name, contract in load_contracts().items()
    }


def _learned(config: Config, closing: ExitStack) -> Policy:
    """Return the network, in a process of its own where its answers have a time limit."""
    from skills.checkpoint import check_checkpoint
    from skills.policy.configuration import VLAConfig
    from skills.policy.policy import VLAPolicy

    folder, settings = policy_checkpoint(config), config.policy
    make_policy: Callable[[], Policy] = partial(VLAPolicy.from_checkpoint, folder)
    if settings.fault is not None:
        make_policy = partial(FaultyPolicy, make_policy, settings.fault, settings.fault_s)
    if settings.limit_s is None:
        return make_policy()
    from agent.worker import WorkerPolicy

    check_checkpoint(folder, VLAConfig.model_type)
    worker = WorkerPolicy(make_policy, settings.limit_s)
    closing.callback(worker.close)
    return worker
