"""From a configuration to policies, one for each skill; this module names the concrete ones."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.action_space import ActionSpace
from agent.body import Body
from agent.config import Config
from agent.errors import ConfigError
from agent.faults import FaultyPolicy
from agent.protocols import Policy
from agent.resources import resource
from agent.sections import PolicyConfig
from agent.sections.source import BOSUN, Source

if TYPE_CHECKING:
    from skills.backend import Backend
    from skills.interface.schema import Interface
    from skills.public import PublicPolicy

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
    """

    policies: Mapping[str, Policy]
    digest: str
    origin: Mapping[str, Any]
    ours: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """A model of somebody else's that answers.

    Attributes:
        backend: Runs it.
        interface: What it expects, by its own account; None where it does not tell.
        told: What else it says of itself.
    """

    backend: Backend
    interface: Interface | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


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
        ConfigError: The model's interface is missing, wrong or not the server's, or it moves the
            tool of an arm whose kinematics are not known.
        CheckpointError: Our own weights are missing, foreign or damaged.
        PolicyLost: A server does not answer.
        MissingDependency: A package is not installed.
    """
    from skills.registry import load_contracts

    contracts, carried_out = load_contracts(), _primitives(body)
    ours = Source.parse(config.policy.source).kind == BOSUN
    if ours and not taught(config, body):
        return Skilled(carried_out, "", {}, ours=False)
    learned, digest, origin = (_own if ours else _public)(config, closing)
    learned = _steered(learned, body) if ours else learned
    policies = {
        name: learned if contract.learned else carried_out[name]
        for name, contract in contracts.items()
    }
    return Skilled(policies, digest, origin, ours=ours or digest == _weights(config))


def taught(config: Config, body: Body) -> bool:
    """Return whether our policy was taught on the robot, and can do there all that it says.

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


def public_policy(
    settings: PolicyConfig, closing: ExitStack
) -> tuple[PublicPolicy, Interface, Opened]:
    """Return a model of somebody else's as a policy, what it expects, and how it was opened.

    Args:
        settings: Say where it runs.
        closing: Gets what ends it.

    Raises:
        ConfigError: Its interface is missing, wrong or not the server's.
        PolicyLost: A server does not answer.
        MissingDependency: A package is not installed.
    """
    from skills.interface.files import load_interface, names
    from skills.public import PublicPolicy

    source = Source.parse(settings.source)
    interface = None if settings.interface is None else load_interface(settings.interface)
    openers = _OPENERS if source.folder is None else _LOADERS
    opened = openers[source.kind](settings, source, interface)
    closing.callback(opened.backend.close)
    interface = interface or opened.interface
    if interface is None:
        raise ConfigError(_unsaid(settings, names()))
    opened.backend.reset()
    return PublicPolicy(opened.backend, interface), interface, opened


def _own(config: Config, closing: ExitStack) -> tuple[Policy, str, dict[str, Any]]:
    """Return our network, in a process of its own where its answers have a time limit."""
    from skills.checkpoint import check_checkpoint
    from skills.policy.configuration import VLAConfig
    from skills.policy.policy import VLAPolicy

    folder, settings = policy_checkpoint(config), config.policy
    make_policy: Callable[[], Policy] = partial(VLAPolicy.from_checkpoint, folder)
    if settings.fault is not None:
        make_policy = partial(FaultyPolicy, make_policy, settings.fault, settings.fault_s)
    origin = {"source": BOSUN}
    if settings.limit_s is None:
        return make_policy(), _weights(config), origin
    from agent.worker import WorkerPolicy

    check_checkpoint(folder, VLAConfig.model_type)
    worker = WorkerPolicy(make_policy, settings.limit_s)
    closing.callback(worker.close)
    return worker, _weights(config), origin


def _public(config: Config, closing: ExitStack) -> tuple[Policy, str, dict[str, Any]]:
    """Return a model of somebody else's, or our own one behind somebody's server."""
    settings = config.policy
    found, interface, opened = public_policy(settings, closing)
    policy: Policy = found
    if settings.fault is not None:
        policy = FaultyPolicy(lambda: found, settings.fault, settings.fault_s)
    # An array among what a server says is told by its beginning and its end.
    told = json.loads(json.dumps(dict(opened.told), default=repr))
    origin = {
        "source": settings.source,
        "interface": interface.model_dump(mode="json"),
        "server": told,
    }
    known = json.dumps(origin, sort_keys=True).encode()
    digest = opened.told.get("weights") or hashlib.sha256(known).hexdigest()[:16]
    return policy, str(digest), origin


def _weights(config: Config) -> str:
    """Return the hash of our own weights, empty where there are none."""
    from skills.checkpoint import WEIGHTS, weights_hash

    folder = policy_checkpoint(config)
    return weights_hash(folder) if (folder / WEIGHTS).is_file() else ""


def _openpi(settings: PolicyConfig, source: Source, interface: Interface | None) -> Opened:
    from skills.clients.openpi import open_openpi

    backend, said = open_openpi(
        str(source.address),
        key=_key(settings) or None,
        keys=("actions",) if interface is None else interface.actions.keys,
        timeout_s=settings.timeout_s,
        tries=settings.tries,
    )
    return Opened(backend, said, backend.metadata)


def _act(settings: PolicyConfig, source: Source, interface: Interface | None) -> Opened:
    from skills.clients.openvla import ActBackend

    backend = ActBackend(
        str(source.address),
        timeout_s=settings.timeout_s,
        tries=settings.tries,
        key=_key(settings),
        encoded=settings.encoded,
    )
    return Opened(backend)


def _gr00t(settings: PolicyConfig, source: Source, interface: Interface | None) -> Opened:
    from skills.clients.gr00t import Gr00tBackend

    backend = Gr00tBackend(
        str(source.address),
        _needed(settings, interface),
        timeout_s=settings.timeout_s,
        key=_key(settings),
    )
    return Opened(backend)


def _openvla(settings: PolicyConfig, source: Source, interface: Interface | None) -> Opened:
    from skills.models.folder import fingerprint
    from skills.models.openvla import OpenVlaBackend

    folder = source.folder or Path()
    backend = OpenVlaBackend.from_folder(folder, _needed(settings, interface), settings.local)
    return Opened(backend, told={"parameters": backend.parameters, "weights": fingerprint(folder)})


def _pi0(settings: PolicyConfig, source: Source, interface: Interface | None) -> Opened:
    from skills.models.folder import fingerprint
    from skills.models.pi0 import Pi0Backend

    folder = source.folder or Path()
    backend = Pi0Backend.from_folder(folder, _needed(settings, interface), settings.local)
    return Opened(backend, told={"parameters": backend.parameters, "weights": fingerprint(folder)})


def _lerobot(settings: PolicyConfig, source: Source, interface: Interface | None) -> Opened:
    from skills.lerobot.backend import LeRobotBackend

    if settings.python is None:
        raise ConfigError(
            f"{settings.source} is run by LeRobot; set policy.python to the Python of an "
            "environment that has it, such as build/lerobot/bin/python after `make lerobot-env`."
        )
    keys = _needed(settings, interface).actions.keys
    backend = LeRobotBackend(
        source.folder or Path(), settings.python, settings.local.device, keys, settings.timeout_s
    )
    return Opened(backend, told={**backend.metadata, "log": str(backend.log)})


_OPENERS: Mapping[str, Callable[[PolicyConfig, Source, Interface | None], Opened]] = {
    "openpi": _openpi,
    "openvla": _act,
    "openvla-oft": _act,
    "gr00t": _gr00t,
}
"""Kind of server -> how it is opened, with the interface that is configured, if one is."""
_LOADERS: Mapping[str, Callable[[PolicyConfig, Source, Interface | None], Opened]] = {
    "lerobot": _lerobot,
    "openvla": _openvla,
    "pi0": _pi0,
}
"""Kind of model -> how it is loaded from a folder, with the interface that is configured."""


def _needed(settings: PolicyConfig, interface: Interface | None) -> Interface:
    """Return the interface of what does not tell one itself.

    Raises:
        ConfigError: None is configured.
    """
    if interface is None:
        from skills.interface.files import names

        raise ConfigError(_unsaid(settings, names()))
    return interface


def _unsaid(settings: PolicyConfig, shipped: list[str]) -> str:
    return (
        f"{settings.source} does not say what it expects; name it with policy.interface, which is "
        f"the path of a YAML file or one of: {', '.join(shipped)}."
    )


def _key(settings: PolicyConfig) -> str:
    """Return the key to a server, empty where none is sent."""
    if settings.key_env is None:
        return ""
    if not (key := os.environ.get(settings.key_env, "").strip()):
        raise ConfigError(
            f"{settings.source} needs a key: set the environment variable {settings.key_env}."
        )
    return key
