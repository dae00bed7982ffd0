"""Where a policy's model runs, as one word of a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from agent.errors import unknown

BOSUN = "bosun"
"""Our own network, in this process or in one of its own."""
SERVERS = {"openpi": 8000, "openvla": 8000, "openvla-oft": 8777, "gr00t": 5555}
"""Scheme -> the port that such a server has where none is named."""
FOLDERS = ("lerobot", "openvla", "pi0")
"""Kinds of models that are loaded from a folder."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model runs.

    Attributes:
        kind: `bosun`, a scheme or a kind of model.
        address: `host:port` of a server, None where there is none.
        folder: With its weights, None where there is none.
    """

    kind: str
    address: str | None = None
    folder: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read `bosun`, `scheme://host:port` or `kind:folder`.

        Raises:
            ValueError: It is none of these; its sentence says what there is.
        """
        kind, _, rest = text.partition(":")
        if text == BOSUN:
            return cls(BOSUN)
        if kind in SERVERS and rest.startswith("//"):
            return cls(kind, address=_address(text, SERVERS[kind]))
        if kind in FOLDERS and rest and not rest.startswith("//"):
            return cls(kind, folder=Path(rest))
        raise ValueError(_misspelt(text, kind))


def _misspelt(text: str, kind: str) -> str:
    """Say in one sentence how a source is written."""
    forms = {name: [f"{name}:FOLDER"] for name in FOLDERS}
    for scheme in SERVERS:
        forms.setdefault(scheme, []).insert(0, f"{scheme}://HOST:PORT")
    forms[BOSUN] = [BOSUN]
    if kind not in forms:
        return unknown("policy source", kind, forms)
    return f"{text!r} must be written as {' or '.join(forms[kind])}"


def _address(text: str, port: int) -> str:
    """Return `host:port` of an address, with the usual port where none is named."""
    try:
        parts = urlsplit(text)
        host, chosen = parts.hostname, parts.port or port
    except ValueError as error:
        raise ValueError(f"{text!r} is no address: {error}") from None
    if not host or parts.path not in ("", "/") or parts.query or parts.fragment or "@" in text:
        raise ValueError(f"{text!r} must be an address such as {parts.scheme}://localhost:{port}")
    return f"[{host}]:{chosen}" if ":" in host else f"{host}:{chosen}"
