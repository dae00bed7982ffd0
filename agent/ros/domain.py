"""Which DDS domain a bus joins and how far it reaches, as ROS 2 and its environment have it."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from agent.errors import ConfigError, RobotError

HIGHEST_DOMAIN = 232
"""Beyond it there are no ports."""

_LOOPBACK = """<CycloneDDS><Domain>
<General>
  <Interfaces><NetworkInterface address="127.0.0.1"/></Interfaces>
  <AllowMulticast>false</AllowMulticast>
</General>
<Discovery>
  <ParticipantIndex>auto</ParticipantIndex>
  <MaxAutoParticipantIndex>99</MaxAutoParticipantIndex>
  <Peers><Peer address="127.0.0.1"/></Peers>
</Discovery>
</Domain></CycloneDDS>"""
"""Without multicast, others are looked for at the ports of the first hundred participants."""


@dataclass(frozen=True)
class OpenDomain:
    """What a process has of a domain, which closes when nobody keeps this any more."""

    settings: str
    entity: Any


_open: WeakValueDictionary[int, OpenDomain] = WeakValueDictionary()
_opening = threading.Lock()


def domain_number(asked: int | None) -> int:
    """Return the number of a domain; None means `ROS_DOMAIN_ID`, or 0.

    Raises:
        ConfigError: There is no such domain.
    """
    said = (os.environ.get("ROS_DOMAIN_ID") or "0") if asked is None else str(asked)
    if not (said.isascii() and said.isdigit() and int(said) <= HIGHEST_DOMAIN):
        raise ConfigError(f"A ROS domain is a number 0..{HIGHEST_DOMAIN}, and {said!r} is not.")
    return int(said)


def open_domain(number: int, loopback: bool) -> OpenDomain:
    """Open a domain, or return it where this process has it open already.

    Raises:
        RobotError: It is open with other settings, or the settings are wrong.
    """
    from cyclonedds.core import DDSException
    from cyclonedds.domain import Domain

    settings = _settings(loopback)
    with _opening:
        domain = _open.get(number)
        if domain is None:
            try:
                domain = OpenDomain(settings, Domain(number, settings))
            except DDSException as error:
                raise RobotError(
                    f"DDS domain {number} cannot be opened; Cyclone DDS says above what "
                    "CYCLONEDDS_URI or the network lacks, or this process has it open already."
                ) from error
            _open[number] = domain
        elif domain.settings != settings:
            raise RobotError(
                f"This process has DDS domain {number} open with another reach; "
                "close that bus first, or join another domain."
            )
        return domain


def _settings(loopback: bool) -> str:
    """Return what Cyclone is told: XML, or where it is."""
    if loopback:
        return _LOOPBACK
    local = (
        os.environ.get("ROS_LOCALHOST_ONLY") == "1"
        or os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "").upper() == "LOCALHOST"
    )
    own = os.environ.get("CYCLONEDDS_URI")
    return ",".join(filter(None, [_LOOPBACK if local else None, own]))
