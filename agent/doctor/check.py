"""What was found about one thing that Bosun may need."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """What was found about one thing Bosun may need.

    Attributes:
        name: The thing.
        ok: Whether it is there and works.
        detail: What was found.
        mend: What to do about it; empty when there is nothing to do.
        required: Whether typed commands in the simulated world need it.
    """

    name: str
    ok: bool
    detail: str
    mend: str = ""
    required: bool = True
