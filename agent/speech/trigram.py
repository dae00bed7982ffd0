"""A trigram over example sentences, in the text format of decoders."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable

_ORDER = 3
_START, _END = "<s>", "</s>"
_NEVER = 1e-99
"""Probability of what begins a sentence: nothing leads to it."""
_Gram = tuple[str, ...]


def arpa(sentences: Iterable[str]) -> str:
    """Return a trigram with interpolated Witten-Bell smoothing (Witten and Bell 1991) as ARPA text.

    Args:
        sentences: Plain words, in the shares in which they are expected.
    """
    counts = [Counter[_Gram]() for _ in range(_ORDER + 1)]
    for sentence in sentences:
        words = (_START, *sentence.split(), _END)
        for order in range(1, _ORDER + 1):
            counts[order].update(zip(*(words[i:] for i in range(order)), strict=False))
    del counts[1][_START,]
    totals, kinds = defaultdict[_Gram, int](int), defaultdict[_Gram, int](int)
    for order in range(1, _ORDER + 1):
        for gram, count in counts[order].items():
            totals[gram[:-1]] += count
            kinds[gram[:-1]] += 1
    probabilities: dict[_Gram, float] = {}
    for order in range(1, _ORDER + 1):
        for gram, count in counts[order].items():
            before = gram[:-1]
            lower = probabilities[gram[1:]] if before else 1 / len(counts[1])
            share = kinds[before] / (totals[before] + kinds[before])
            probabilities[gram] = (1 - share) * count / totals[before] + share * lower
    probabilities[_START,] = _NEVER
    return _written(probabilities, totals, kinds)


def _written(
    probabilities: dict[_Gram, float], totals: dict[_Gram, int], kinds: dict[_Gram, int]
) -> str:
    orders = range(1, _ORDER + 1)
    grams = {order: sorted(g for g in probabilities if len(g) == order) for order in orders}
    lines = ["\\data\\", *(f"ngram {order}={len(grams[order])}" for order in orders)]
    for order in orders:
        lines += ["", f"\\{order}-grams:"]
        for gram in grams[order]:
            line = f"{math.log10(probabilities[gram]):.4f} {' '.join(gram)}"
            if gram in totals and order < _ORDER:
                share = kinds[gram] / (totals[gram] + kinds[gram])
                line += f" {math.log10(share):.4f}"
            lines.append(line)
    return "\n".join([*lines, "", "\\end\\", ""])
