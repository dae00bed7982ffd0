"""From a configuration to policies, one for each skill; this module names the concrete ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from agent.action_space import ActionSpace
from agent.body import Body
from agent.config import Config
from agent.errors import ConfigError
from agent.faults import FaultyPolicy
from agent.protocols import Policy
from agent.resources import resource

POLICY_CHECKPOINT = "skills/checkpoints/tabletop"


def policy_checkpoint(config: Config) -> Path:
    """Return the folder of the policy's weights."""
    return config.policy.checkpoint or resource(POLICY_CHECKPOINT)


def policies(config: Config, body: Body, closing: ExitStack) -> dict[str, Policy]:
    """Return skill name -> policy; one network serves every learned skill.

    A skill that nobody has learned for this robot is not there.
    """
    from skills.registry import load_contracts

    contracts, carried_out = load_contracts(), _primitives(body)
    if learned(config, body):
        network = _steered(_learned(config, closing), body)
        names = (name for name, contract in contracts.items() if contract.learned)
        carried_out |= dict.fromkeys(names, network)
    return {name: carried_out[name] for name in contracts if name in carried_out}


def learned(config: Config, body: Body) -> bool:
    """Return whether the policy was taught on the robot, and can do there all that it says.

    It turns the tool, which a robot that takes `delta_ee_position` cannot.
    """
    return config.robot.kind != "fetch" and body.spec.space is not ActionSpace.DELTA_EE_POSITION


def _primitives(body: Body) -> dict[str, Policy]:
    """Return what needs no learning, in the robot's action space."""
    from skills.primitives import (
        HomePrimitive,
        JointHomePrimitive,
        ReleasePrimitive,
        WaitPrimitive,
    )

    def home(settle_ticks: int) -> Policy:
        if body.joints is None:
            return HomePrimitive(body, settle_ticks)
        if body.joints.kinematics is None:
            return JointHomePrimitive(body.spec, body.joints, settle_ticks)
        by_tool = replace(body, spec=replace(body.spec, space=ActionSpace.DELTA_EE))
        return _steered(HomePrimitive(by_tool, settle_ticks), body)

    return {
        "home": home(0),
        "look": home(2),
        "release": ReleasePrimitive(body.spec),
        "wait": WaitPrimitive(body.spec),
    }


def _steered(policy: Policy, body: Body) -> Policy:
    """Return a policy that moves the tool, for the robot that the body is of."""
    if body.joints is None:
        return policy
    if body.joints.kinematics is None:
        raise ConfigError(
            f"The policy moves the tool, but the robot takes {body.spec.space} and its kinematics "
            "are not known; name a model of the arm, or a policy that gives joints."
        )
    from agent.robots.steering import SteeredPolicy

    return SteeredPolicy(policy, body, body.joints.kinematics)


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
