"""What came of missions as one page that opens from a folder, with nothing beside it."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import agent
from agent.episode.page import PAGE
from agent.errors import UsageError
from agent.script.bench import FILM, Finding, Status
from agent.script.printable import printable
from agent.script.tally import Tally, by_mission

_TEMPLATE = Path(__file__).with_name("page.html.j2")


def write_page(findings: Sequence[Finding], began: datetime, path: Path) -> None:
    """Write the page; its links to episodes are relative to it.

    Args:
        findings: What came of every case.
        began: When the first one was begun.
        path: The file.

    Raises:
        UsageError: It cannot be written.
    """
    # Loading it takes time that no other command should spend.
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, finalize=_shown)
    base = path.absolute().parent

    def link(target: Path) -> str:
        """Return the address of what is there, nothing where it is not."""
        there = target.absolute()
        return quote(Path(os.path.relpath(there, base)).as_posix()) if there.exists() else ""

    html = environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        Status=Status,
        base64=lambda data: base64.b64encode(data).decode(),
        began=began.strftime("%Y-%m-%d %H:%M"),
        file=lambda folder, name: link(folder / name),
        film=FILM,
        folder=link,
        missions=by_mission(findings),
        overall=Tally("all", tuple(findings)),
        percent=lambda rate: f"{rate:.0%}" if rate in (0, 1) else f"{rate:.1%}",
        timeline=PAGE,
        version=agent.__version__,
    )
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def _shown(value: Any) -> Any:
    return printable(value) if isinstance(value, str) else value
