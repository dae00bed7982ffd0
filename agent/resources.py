"""Finds the files that travel with the code, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

from agent.errors import MissingDependency

_PACKAGE = Path(__file__).parent
# A wheel carries them inside the package; an editable install has only the checkout. The wheel's
# own place comes first, since beside an installed package anybody may put a folder `configs`.
_ROOTS = (_PACKAGE / "_data", _PACKAGE.parent)


def resource(relative: str) -> Path:
    """Return the path of a shipped file or folder.

    Args:
        relative: Path below the repository's root, for example `"configs/tabletop.yaml"`.

    Raises:
        MissingDependency: This installation does not have it.
    """
    for root in _ROOTS:
        if (root / relative).exists():
            return root / relative
    raise MissingDependency(f"{relative} is missing from this installation; reinstall Bosun.")
