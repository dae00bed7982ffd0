"""What may be said, as expressions, and the finite-state network of words they become."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np


@dataclass(frozen=True, slots=True)
class Chain:
    """Parts that follow each other."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Parts of which one is said; each has a weight, which need not sum to one."""

    options: tuple[tuple[float, Expression], ...]


@dataclass(frozen=True, slots=True)
class Again:
    """A part said any number of times, none included, each time with a probability 0..1."""

    part: Expression
    probability: float


Expression = str | Chain | Choice | Again
"""What may be said; a text is its words, an empty one says nothing."""


def chain(*parts: Expression) -> Expression:
    """Return parts that follow each other."""
    return Chain(parts)


def choice(*options: Expression | tuple[float, Expression]) -> Expression:
    """Return one of some parts, equally likely where they carry no weight."""
    return Choice(tuple(o if isinstance(o, tuple) else (1.0, o) for o in options))


def maybe(part: Expression, probability: float = 0.3) -> Expression:
    """Return a part that may be left out; it is said with a probability 0..1."""
    return Choice(((probability, part), (1 - probability, "")))


Arc = tuple[int, int, float, str]
"""From a state to a state, with a probability 0..1 and a word; an empty one takes no time."""


@dataclass(frozen=True, slots=True)
class Network:
    """States joined by words; sentences lead from state 0 to the final one.

    Attributes:
        arcs: Out of every state but the final one, with probabilities that sum to one.
        final: The state in which a sentence ends.
    """

    arcs: tuple[Arc, ...]
    final: int

    @classmethod
    def of(cls, expression: Expression) -> Network:
        """Return the network of an expression."""
        builder = _Builder()
        return _minimal(*_without_silent(builder.arcs, builder.add(expression, 0)))

    @property
    def words(self) -> frozenset[str]:
        """Every word that may be said."""
        return frozenset(word for _, _, _, word in self.arcs if word)

    def samples(self, rng: np.random.Generator, count: int) -> list[str]:
        """Return random sentences, drawn by the probabilities."""
        leaving: dict[int, list[Arc]] = {}
        for arc in self.arcs:
            leaving.setdefault(arc[0], []).append(arc)
        ways = {
            state: (list(accumulate(arc[2] for arc in arcs)), arcs)
            for state, arcs in leaving.items()
        }
        return [self._walk(rng, ways) for _ in range(count)]

    def _walk(
        self, rng: np.random.Generator, ways: Mapping[int, tuple[list[float], list[Arc]]]
    ) -> str:
        state, words = 0, list[str]()
        while state != self.final:
            sums, arcs = ways[state]
            at = bisect(sums, rng.random() * sums[-1])
            _, state, _, word = arcs[min(at, len(arcs) - 1)]
            words += [word] if word else []
        return " ".join(words)


@dataclass(slots=True)
class _Builder:
    arcs: list[Arc] = field(default_factory=list)
    _last: int = 0

    def state(self) -> int:
        self._last += 1
        return self._last

    def add(self, expression: Expression, start: int) -> int:
        """Add what an expression says from a state on; return the state it ends in."""
        match expression:
            case str():
                return self._words(expression.split(), start, self.state())
            case Chain(parts):
                for part in parts:
                    start = self.add(part, start)
                return start
            case Choice(options):
                end, total = self.state(), sum(weight for weight, _ in options)
                for weight, option in options:
                    self._option(option, weight / total, start, end)
                return end
            case Again(part, probability):
                begin, end = self.state(), self.state()
                self.arcs.append((start, begin, 1.0, ""))
                self.arcs.append((begin, end, 1 - probability, ""))
                self._option(part, probability, begin, begin)
                return end

    def _option(self, option: Expression, probability: float, start: int, end: int) -> None:
        """Add a part between two states."""
        if isinstance(option, str):
            self._words(option.split(), start, end, probability)
            return
        begin = self.state()
        self.arcs.append((start, begin, probability, ""))
        self.arcs.append((self.add(option, begin), end, 1.0, ""))

    def _words(self, words: Sequence[str], start: int, end: int, probability: float = 1.0) -> int:
        for at, word in enumerate(words or [""]):
            last = at >= len(words) - 1
            to = end if last else self.state()
            self.arcs.append((start, to, probability if at == 0 else 1.0, word))
            start = to
        return end


_Outgoing = dict[tuple[str, int], float]
"""Word and next state -> probability."""


def _without_silent(
    arcs: Sequence[Arc], final: int
) -> tuple[dict[int, _Outgoing], dict[int, float]]:
    """Return the same network without silent arcs: state -> arcs, and state -> of ending there.

    The decoder follows one silent arc only, so none may follow another.
    """
    silent: dict[int, list[tuple[int, float]]] = {}
    spoken: dict[int, list[tuple[int, float, str]]] = {}
    for start, end, probability, word in arcs:
        if word:
            spoken.setdefault(start, []).append((end, probability, word))
        else:
            silent.setdefault(start, []).append((end, probability))
    outgoing: dict[int, _Outgoing] = {}
    ending: dict[int, float] = {}
    waiting = [0]
    while waiting:
        state = waiting.pop()
        if state in outgoing:
            continue
        leaving: _Outgoing = {}
        outgoing[state] = leaving
        ending[state] = 0.0
        reached = [(state, 1.0)]
        while reached:
            at, so_far = reached.pop()
            ending[state] += so_far if at == final else 0.0
            for end, probability, word in spoken.get(at, ()):
                leaving[word, end] = leaving.get((word, end), 0.0) + so_far * probability
                waiting.append(end)
            reached += [(end, so_far * probability) for end, probability in silent.get(at, ())]
    return outgoing, ending


def _minimal(outgoing: Mapping[int, _Outgoing], ending: Mapping[int, float]) -> Network:
    """Return a network in which states that go on alike are one."""
    classes = dict.fromkeys(outgoing, 0)
    count = 1
    while True:
        seen: dict[tuple[object, ...], int] = {}
        refined = {}
        for state, leaving in outgoing.items():
            merged: dict[tuple[str, int], float] = {}
            for (word, end), probability in leaving.items():
                key = word, classes[end]
                merged[key] = merged.get(key, 0.0) + probability
            alike = frozenset((*key, round(p, 9)) for key, p in merged.items())
            signature = (classes[state], round(ending[state], 9), alike)
            refined[state] = seen.setdefault(signature, len(seen))
        classes = refined
        if len(seen) == count:
            break
        count = len(seen)
    return _numbered(outgoing, ending, classes)


def _numbered(
    outgoing: Mapping[int, _Outgoing], ending: Mapping[int, float], classes: Mapping[int, int]
) -> Network:
    names = {classes[0]: 0}
    final = len(set(classes.values()))
    arcs: list[Arc] = []
    done = set[int]()
    for state, leaving in outgoing.items():
        group = classes[state]
        if group in done:
            continue
        done.add(group)
        here = names.setdefault(group, len(names))
        merged: dict[tuple[str, int], float] = {}
        for (word, end), probability in leaving.items():
            key = word, names.setdefault(classes[end], len(names))
            merged[key] = merged.get(key, 0.0) + probability
        arcs += [(here, end, probability, word) for (word, end), probability in merged.items()]
        if ending[state] > 0:
            arcs.append((here, final, ending[state], ""))
    return Network(tuple(arcs), final)
