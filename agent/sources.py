"""From a source to a model that Bosun did not train; this module names what runs them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import ConfigError
from agent.sections import PolicyConfig
from agent.sections.source import Source

if TYPE_CHECKING:
    from skills.backend import Backend
    from skills.interface.schema import Interface
    from skills.public import PublicPolicy


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
    policy = PublicPolicy(opened.backend, interface, always_asks=settings.realtime is not None)
    return policy, interface, opened


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
