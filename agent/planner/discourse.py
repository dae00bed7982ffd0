"""What a command has named so far: what "it", "there" and "the others" can stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Fits = Callable[[str], bool]


class Discourse:
    """Remembers what was named, the latest first; what was handled counts more than its place."""

    def __init__(self) -> None:
        """Begin a command."""
        self._groups: list[tuple[str, ...]] = []
        self._place: str | None = None
        self._named: set[str] = set()
        self._since = 0

    @property
    def named(self) -> frozenset[str]:
        """Everything that was named."""
        return frozenset(self._named)

    @property
    def place(self) -> str | None:
        """Where something was put last."""
        return self._place

    @property
    def latest(self) -> tuple[str, ...]:
        """What was named last."""
        return self._groups[-1] if self._groups else ()

    def mention(self, names: Iterable[str]) -> None:
        """Take note of things that were named together."""
        group = tuple(dict.fromkeys(names))
        if group:
            self._groups.append(group)
            self._named.update(group)

    def put(self, names: Iterable[str], place: str) -> None:
        """Take note of things and the place they are put."""
        self.mention((place,))
        self.mention(names)
        self._place, self._since = place, len(self._groups)

    def one(self, fits: Fits) -> tuple[str, ...]:
        """Return what "it" stands for: the latest group with something that fits."""
        for group in reversed(self._groups):
            if found := tuple(name for name in group if fits(name)):
                return found
        return ()

    def several(self, fits: Fits) -> tuple[str, ...]:
        """Return what "them" stands for: the latest group of several, or all that was named."""
        for group in reversed(self._groups):
            if len(found := tuple(name for name in group if fits(name))) > 1:
                return found
        every = dict.fromkeys(n for group in self._groups for n in group if fits(n))
        return tuple(every)

    def since_put(self, fits: Fits) -> str | None:
        """Return the one thing that fits among what was named since something was put anywhere."""
        for group in reversed(self._groups[self._since :]):
            if len(found := [name for name in group if fits(name)]) == 1:
                return found[0]
        return None

    def there(self, fits: Fits) -> str | None:
        """Return what "in it" or "there" stands for: the last place, else what was named last."""
        if self._place is not None and fits(self._place):
            return self._place
        found = self.one(fits)
        return found[0] if found else None
