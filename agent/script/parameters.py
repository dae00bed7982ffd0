"""`{name}` in a mission file, and the combinations of values that it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from agent.errors import unknown
from agent.script.schema import SEED, Parameters, Value
from agent.script.source import Place, Problem, Source

_BLANK = re.compile(r"\{([A-Za-z_]\w*)\}")
"""`{2}` and `{2,3}` are left alone: they mean something in a regular expression."""


def combinations(
    header: Parameters, source: Source
) -> tuple[list[dict[str, Value]], list[Problem]]:
    """Return every combination of values that is not left out, and what is wrong with them."""
    problems = [*_wrong(header, source)]
    axes = header.matrix
    found = [
        dict(zip(axes, values, strict=True))
        for values in product(*axes.values())
        if not any(_within(out, dict(zip(axes, values, strict=True))) for out in header.exclude)
    ]
    if not found and not problems:
        problems = [source.problem(("exclude",), "Every combination is left out.")]
    return found, problems


def _wrong(header: Parameters, source: Source) -> Iterator[Problem]:
    axes = header.matrix
    for name in axes.keys() & header.parameters.keys():
        sentence = f"{name!r} is a parameter already; it can be that or an axis, not both."
        yield source.problem(("matrix", name), sentence, key=True)
    for name, values in axes.items():
        if len(set(map(repr, values))) < len(values):
            yield source.problem(("matrix", name), f"{name!r} has a value twice.")
        if name == SEED and not all(type(v) is int and v >= 0 for v in values):
            yield source.problem(("matrix", name), "Seeds are whole numbers from 0 on.")
    for index, out in enumerate(header.exclude):
        for name, value in out.items():
            place: Place = ("exclude", index, name)
            if name not in axes:
                yield source.problem(place, unknown("axis", name, axes), key=True)
            elif value not in axes[name]:
                known = map(str, axes[name])
                yield source.problem(place, unknown(f"value of {name}", str(value), known))


def _within(out: Mapping[str, Value], combination: Mapping[str, Value]) -> bool:
    return all(combination.get(name) == value for name, value in out.items())


class Filling:
    """Puts values in the place of their names, and keeps which were used and what is wrong."""

    def __init__(self, values: Mapping[str, Value], source: Source) -> None:
        """Fill in these values."""
        self._values, self._source = values, source
        self.used: set[str] = set()
        self.problems: list[Problem] = []

    def __call__(self, data: Any, place: Place = ()) -> Any:
        """Return a copy of some data with every `{name}` filled in."""
        if isinstance(data, dict):
            return {key: self(value, (*place, key)) for key, value in data.items()}
        if isinstance(data, list):
            return [self(value, (*place, index)) for index, value in enumerate(data)]
        if not isinstance(data, str):
            return data
        if (whole := _BLANK.fullmatch(data)) and whole[1] in self._values:
            self.used.add(whole[1])
            return self._values[whole[1]]
        return _BLANK.sub(lambda blank: self._value(blank[1], place), data)

    def _value(self, name: str, place: Place) -> str:
        if name not in self._values:
            sentence = unknown("parameter", name, self._values)
            self.problems.append(self._source.problem(place, sentence))
        self.used.add(name)
        return str(self._values.get(name, ""))
