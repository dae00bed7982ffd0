"""What an episode holds as one hash per topic, so that a change is noticed and named."""

from __future__ import annotations

import hashlib
import struct
from collections import defaultdict
from typing import Any

DIGEST = "sha256"
"""Name of the metadata at an episode's end that hold it."""

_HEAD = struct.Struct("<IQQ")


class Digest:
    """A SHA-256 per topic over its messages: sequence number, time in ns, length and content.

    All attached sounds together count as a topic of their own, each with its number and no time.

    Checksums tell what a disk or a cable has done; this also tells of a message that was changed
    and given a new checksum.
    """

    def __init__(self) -> None:
        """Begin with no message."""
        self._hashes: dict[str, Any] = defaultdict(hashlib.sha256)

    def add(self, topic: str, sequence: int, time_ns: int, data: bytes) -> None:
        """Take the next message of a topic."""
        taken = self._hashes[topic]
        taken.update(_HEAD.pack(sequence, time_ns, len(data)))
        taken.update(data)

    def values(self) -> dict[str, str]:
        """Return topic -> hash, in hexadecimal."""
        return {topic: taken.hexdigest() for topic, taken in sorted(self._hashes.items())}
