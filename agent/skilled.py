"""From a configuration to policies, one for each skill; this module names the concrete ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from agent.chunks.clock import ActedPolicy
from agent.chunks.schedule import Schedule
from agent.config import Config
from agent.errors import ConfigError
from agent.faults import DelayedPolicy, FaultyPolicy
from agent.protocols import Policy
from agent.resources import resource

POLICY_CHECKPOINT = "skills/checkpoints/tabletop"


def policy_checkpoint(config: Config) -> Path:
    """Return the folder of the policy's weights."""
    return config.policy.checkpoint or resource(POLICY_CHECKPOINT)


def schedule(config: Config) -> Schedule | None:
    """Return how chunks are inferred in real time, None where each tick waits for its own."""
    from skills.policy.configuration import VLAConfig

    settings = config.policy.realtime
    if settings is None:
        return None
    shape: VLAConfig = VLAConfig.from_pretrained(policy_checkpoint(config))
    return Schedule(shape.horizon, shape.dt_s, settings.latency_s, settings.every, settings.merge)


def policies(config: Config, closing: ExitStack) -> dict[str, Policy]:
    """Return skill name -> policy; one network serves every learned skill."""
    from agent.robots.tabletop.world import HOME_POSE
    from skills.primitives import HomePrimitive, ReleasePrimitive, WaitPrimitive
    from skills.registry import load_contracts

    learned = _in_real_time(config, _learned(config, closing), closing)
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


def _in_real_time(config: Config, policy: Policy, closing: ExitStack) -> Policy:
    """Return a policy that is asked as configured: at every tick, or beside them."""
    plan, settings = schedule(config), config.policy.realtime
    if plan is None or settings is None:
        return ActedPolicy(policy)
    from agent.chunks.policy import RealtimePolicy

    if config.robot.kind == "tabletop" and not config.robot.realtime:
        raise ConfigError(
            "policy.realtime infers while the world goes on, but the simulated one waits; "
            "--set robot.realtime=true."
        )
    realtime = RealtimePolicy(policy, plan, settings.decay, settings.limit_s)
    closing.callback(realtime.close)
    return realtime


def _learned(config: Config, closing: ExitStack) -> Policy:
    """Return the network, in a process of its own where its answers have a time limit."""
    from skills.checkpoint import check_checkpoint
    from skills.policy.configuration import VLAConfig
    from skills.policy.policy import VLAPolicy

    folder, settings = policy_checkpoint(config), config.policy
    make_policy: Callable[[], Policy] = partial(VLAPolicy.from_checkpoint, folder)
    if settings.fault is not None:
        make_policy = partial(FaultyPolicy, make_policy, settings.fault, settings.fault_s)
    if settings.added_latency_s:
        make_policy = partial(DelayedPolicy, make_policy, settings.added_latency_s)
    if settings.limit_s is None:
        return make_policy()
    from agent.worker import WorkerPolicy

    check_checkpoint(folder, VLAConfig.model_type)
    worker = WorkerPolicy(make_policy, settings.limit_s)
    closing.callback(worker.close)
    return worker
