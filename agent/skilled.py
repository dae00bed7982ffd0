"""From a configuration to policies, one for each skill."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from agent.action_space import ActionSpace
from agent.body import Body
from agent.chunks.clock import ActedPolicy
from agent.chunks.schedule import Schedule
from agent.config import Config
from agent.errors import ConfigError
from agent.familiarity import unfamiliar
from agent.faults import DelayedPolicy, FaultyPolicy
from agent.protocols import Policy
from agent.resources import resource
from agent.sections import PolicyConfig
from agent.sections.source import BOSUN, Source
from agent.sources import public_policy

POLICY_CHECKPOINT = "skills/checkpoints/tabletop"


@dataclass(frozen=True, slots=True)
class Skilled:
    """What carries out skills, and where it came from.

    Attributes:
        policies: Skill name -> policy; one model serves every learned skill, if there is one.
        digest: Hash of the learned one: of our weights, else of all that is known of the model;
            empty where there is none.
        origin: Source, interface and what a server said of itself, in JSON's own types.
        ours: Whether the weights are those of the configured checkpoint, for which the monitor was
            calibrated, and which has heads.
        schedule: How its chunks are inferred in real time; None where each tick waits for its own.
    """

    policies: Mapping[str, Policy]
    digest: str
    origin: Mapping[str, Any]
    ours: bool
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class _Learned:
    """A learned policy, where it came from, and the chunks that it gives the robot.

    Attributes:
        policy: Answers within a tick, or does not.
        digest: Hash of it.
        origin: Where it came from, in JSON's own types.
        horizon: Rows in a chunk.
        dt_s: Seconds between rows.
    """

    policy: Policy
    digest: str
    origin: Mapping[str, Any]
    horizon: int
    dt_s: float


def policy_checkpoint(config: Config) -> Path:
    """Return the folder of our own weights."""
    return config.policy.checkpoint or resource(POLICY_CHECKPOINT)


def skilled(config: Config, body: Body, closing: ExitStack) -> Skilled:
    """Return what carries out skills.

    Args:
        config: Says where the model runs.
        body: Of the robot. A skill that nobody has learned for it is left out.
        closing: Gets what ends it.

    Raises:
        ConfigError: The model's interface is missing, wrong or not the server's, it moves the tool
            of an arm whose kinematics are not known, or real time was asked of a world that waits.
        CheckpointError: Our own weights are missing, foreign or damaged.
        PolicyLost: A server does not answer.
        MissingDependency: A package is not installed.
    """
    from skills.registry import load_contracts

    contracts, carried_out = load_contracts(), _primitives(body)
    ours = Source.parse(config.policy.source).kind == BOSUN
    if ours and not taught(config, body):
        return Skilled(carried_out, "", {}, ours=False)
    learned = _own(config, closing) if ours else _public(config, body, closing)
    plan = schedule(config.policy, learned.horizon, learned.dt_s)
    policy = _in_real_time(config, learned.policy, plan, closing)
    policy = _steered(policy, body) if ours else policy
    policies = {
        name: policy if contract.learned else carried_out[name]
        for name, contract in contracts.items()
    }
    ours = ours or learned.digest == _weights(config)
    return Skilled(policies, learned.digest, learned.origin, ours, plan)


def schedule(settings: PolicyConfig, horizon: int, dt_s: float) -> Schedule | None:
    """Return how chunks of a length are inferred in real time, None where each tick waits."""
    chosen = settings.realtime
    if chosen is None:
        return None
    return Schedule(horizon, dt_s, chosen.latency_s, chosen.every, chosen.merge)


def _in_real_time(
    config: Config, policy: Policy, plan: Schedule | None, closing: ExitStack
) -> Policy:
    """Return a policy that is asked as configured: at every tick, or beside them."""
    settings, robot = config.policy.realtime, config.robot
    if plan is None or settings is None:
        return ActedPolicy(policy)
    from agent.chunks.policy import RealtimePolicy

    if robot.kind == "fetch" or (robot.kind == "tabletop" and not robot.realtime):
        mend = "" if robot.kind == "fetch" else "; --set robot.realtime=true"
        raise ConfigError(
            f"policy.realtime infers while the world goes on, but the simulated one waits{mend}."
        )
    realtime = RealtimePolicy(policy, plan, settings.decay, settings.limit_s)
    closing.callback(realtime.close)
    return realtime


def taught(config: Config, body: Body) -> bool:
    """Return whether our policy knows the robot's senses, and can do there all that it says.

    It turns the tool, which a robot that takes `delta_ee_position` cannot.
    """
    turns = body.spec.space is not ActionSpace.DELTA_EE_POSITION
    return turns and not unfamiliar(config.robot)


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


def _own(config: Config, closing: ExitStack) -> _Learned:
    """Return our network, in a process of its own where its answers have a time limit."""
    from skills.checkpoint import check_checkpoint
    from skills.policy.configuration import VLAConfig
    from skills.policy.policy import VLAPolicy

    folder, settings = policy_checkpoint(config), config.policy
    make_policy = troubled(partial(VLAPolicy.from_checkpoint, folder), settings)
    check_checkpoint(folder, VLAConfig.model_type)
    if settings.limit_s is None:
        policy = make_policy()
    else:
        from agent.worker import WorkerPolicy

        policy = worker = WorkerPolicy(make_policy, settings.limit_s)
        closing.callback(worker.close)
    shape: VLAConfig = VLAConfig.from_pretrained(folder)
    return _Learned(policy, _weights(config), {"source": BOSUN}, shape.horizon, shape.dt_s)


def _public(config: Config, body: Body, closing: ExitStack) -> _Learned:
    """Return a model of somebody else's, or our own one behind somebody's server."""
    from skills.interface.decode import stride

    settings = config.policy
    found, interface, opened = public_policy(settings, closing)
    policy = troubled(lambda: found, settings)()
    # An array among what a server says is told by its beginning and its end.
    told = json.loads(json.dumps(dict(opened.told), default=repr))
    origin = {
        "source": settings.source,
        "interface": interface.model_dump(mode="json"),
        "server": told,
    }
    known = json.dumps(origin, sort_keys=True).encode()
    digest = opened.told.get("weights") or hashlib.sha256(known).hexdigest()[:16]
    rows = interface.actions.horizon // max(1, stride(interface, body.spec))
    return _Learned(policy, str(digest), origin, max(1, rows), 1 / body.spec.rate_hz)


def troubled(make_policy: Callable[[], Policy], settings: PolicyConfig) -> Callable[[], Policy]:
    """Return what makes a policy that fails or is late on purpose, as configured."""
    if settings.fault is not None:
        make_policy = partial(FaultyPolicy, make_policy, settings.fault, settings.fault_s)
    if settings.added_latency_s:
        make_policy = partial(DelayedPolicy, make_policy, settings.added_latency_s)
    return make_policy


def _weights(config: Config) -> str:
    """Return the hash of our own weights, empty where there are none."""
    from skills.checkpoint import WEIGHTS, weights_hash

    folder = policy_checkpoint(config)
    return weights_hash(folder) if (folder / WEIGHTS).is_file() else ""
