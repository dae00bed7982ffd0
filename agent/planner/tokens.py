"""A sentence as tokens, each with everything it can be, and a reader that goes through them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.planner.vocabulary import LEXICON, LONGEST

_PUNCTUATION = ",;:.!?"
_CONTRACTED = {"arent": "are not", "isnt": "is not", "theres": "there is", "thats": "that is"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a set phrase.

    Attributes:
        text: As it was said, in lower case.
        senses: Category -> value of the vocabulary; empty for a word that is not known.
    """

    text: str
    senses: Mapping[str, str] = field(default_factory=dict)

    def has(self, category: str, *values: str) -> bool:
        """Return whether the token can be of a category, with one of these values if any."""
        return category in self.senses and (not values or self.senses[category] in values)


END = Token("")
"""What follows the last token."""


def tokenise(command: str) -> list[Token]:
    """Return the tokens of a command; polite words and fillers are left out."""
    text = command.lower().replace("’", "").replace("'", "")  # noqa: RUF001 - phones curl it.
    text = text.replace("...", " ").replace("…", " ").replace("&", " and ").replace("-", " ")
    for mark in _PUNCTUATION:
        text = text.replace(mark, f" {mark} ")
    words, tokens = [], list[Token]()
    for word in text.replace('"', " ").split():
        words += _CONTRACTED.get(word, word).split()
    at = 0
    while at < len(words):
        length = next((n for n in range(LONGEST, 0, -1) if tuple(words[at : at + n]) in LEXICON), 1)
        phrase = tuple(words[at : at + length])
        token = Token(" ".join(phrase), LEXICON.get(phrase, {}))
        if not token.has("skip"):
            tokens.append(token)
        at += length
    return tokens


class Reader:
    """Goes through tokens from left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        """Begin at the first token."""
        self._tokens = tokens
        self.at = 0

    def peek(self, ahead: int = 0) -> Token:
        """Return a token to come, `END` behind the last one."""
        at = self.at + ahead
        return self._tokens[at] if at < len(self._tokens) else END

    @property
    def done(self) -> bool:
        """Whether every token was read."""
        return self.at >= len(self._tokens)

    def take(self) -> Token:
        """Read one token."""
        self.at += 1
        return self._tokens[self.at - 1]

    def sees(self, category: str, *values: str) -> bool:
        """Return whether the next token can be of a category."""
        return self.peek().has(category, *values)

    def accept(self, category: str, *values: str) -> str | None:
        """Read the next token if it can be of a category, and return its value."""
        return self.take().senses[category] if self.sees(category, *values) else None

    def text(self, start: int) -> str:
        """Return what was said from a token up to the next one to be read."""
        return " ".join(token.text for token in self._tokens[start : self.at])
