"""A DDS domain that reaches as far as ROS 2's environment says."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from weakref import WeakValueDictionary

from cyclonedds.core import DDSException
from cyclonedds.domain import Domain

from agent.errors import RobotError

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
    entity: Domain


_open: WeakValueDictionary[int, OpenDomain] = WeakValueDictionary()
_opening = threading.Lock()


def open_domain(number: int, loopback: bool) -> OpenDomain:
    """Open a domain, or return it where this process has it open already.

    Raises:
        RobotError: It is open with other settings, or the settings are wrong.
    """
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
