"""Text without the characters that neither XML nor HTML may hold."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""All but what XML 1.0 calls a character (section 2.2)."""


def printable(text: str) -> str:
    """Return a text with the escapes of Python in the place of forbidden characters."""
    return _FORBIDDEN.sub(lambda found: ascii(found[0])[1:-1], text)
