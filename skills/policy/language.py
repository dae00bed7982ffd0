"""Words to numbers: a closed vocabulary, built once and kept in the model's configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

PAD, UNKNOWN = 0, 1
MAX_WORDS = 16


def words(phrase: str) -> list[str]:
    """Return a phrase's words in lower case, punctuation dropped."""
    return re.findall(r"[a-z]+", phrase.lower())


def build_vocabulary(phrases: Iterable[str]) -> list[str]:
    """Return every word of the phrases, sorted; a word's number is its place plus two."""
    return sorted({word for phrase in phrases for word in words(phrase)})


def encode(phrase: str, vocabulary: Sequence[str]) -> list[int]:
    """Return `MAX_WORDS` word numbers, padded; longer phrases are cut."""
    known = {word: index + 2 for index, word in enumerate(vocabulary)}
    ids = [known.get(word, UNKNOWN) for word in words(phrase)][:MAX_WORDS]
    return ids + [PAD] * (MAX_WORDS - len(ids))
