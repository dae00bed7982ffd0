"""Sampling from the tiny Llama, freely or held to a JSON schema by xgrammar."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import xgrammar
from tokenizers import Tokenizer

from agent.types import FloatArray
from tests.llm.llama import Llama, Reading

_READ = 64
"""How many tokens of a prompt's end are read; random weights make nothing of more."""
_LONGEST = 4096
"""How many tokens a reply may have when the request does not say."""


class TooLong(Exception):
    """The prompt does not fit into the model's context."""


class Unwritable(Exception):
    """The schema asks for a choice between characters that the vocabulary has not."""


@dataclass(frozen=True)
class Bounds:
    """What texts and lists are held to where a schema sets no such bound.

    Attributes:
        text: Most characters of a text.
        least: Fewest items of a list.
        most: Most items of a list.
    """

    text: int = 60
    least: int = 0
    most: int = 6


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn."""

    temperature: float
    seed: int | None
    max_tokens: int | None


class Decoder:
    """The model of a folder, ready to reply."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "tokenizer_config.json").read_text())
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._template = jinja2.Environment().from_string(config["chat_template"])
        self._model = Llama(folder)
        self.bounds = Bounds()
        size = self._tokenizer.get_vocab_size()
        self._specials = [*self._tokenizer.get_added_tokens_decoder()]
        # Tokens without a text are what xgrammar takes for special ones, never part of a reply.
        self._texts = [
            "" if token in self._specials else str(self._tokenizer.id_to_token(token))
            for token in range(size)
        ]
        vocabulary = xgrammar.TokenizerInfo(self._texts, stop_token_ids=self._model.end)
        compiler = xgrammar.GrammarCompiler(vocabulary, max_threads=1)
        # Real models write compactly under a schema too, and then most of a reply is forced.
        compact: dict[str, Any] = {"any_whitespace": False, "separators": (",", ":")}

        @lru_cache(maxsize=256)
        def compiled(schema: str, bounds: Bounds) -> xgrammar.CompiledGrammar:
            stricter = json.dumps(_bounded(json.loads(schema), bounds))
            return compiler.compile_json_schema(stricter, **compact)

        self._compiled = compiled

    def prompt(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> list[int]:
        """Return a chat's tokens, up to where the assistant is to speak."""
        text = self._template.render(messages=messages, tools=tools, add_generation_prompt=True)
        return self.tokens(text)

    def tokens(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids

    def grammar(self, schema: dict[str, Any]) -> xgrammar.CompiledGrammar:
        """Return what holds a reply to a schema.

        Raises:
            RuntimeError: xgrammar cannot make a grammar of it.
        """
        return self._compiled(json.dumps(schema), self.bounds)

    def write(
        self, prompt: list[int], grammar: xgrammar.CompiledGrammar | None, sampling: Sampling
    ) -> Writing:
        """Begin a reply.

        Raises:
            TooLong: Prompt and reply would not fit into the context.
        """
        room = self._model.context - len(prompt) - (sampling.max_tokens or 0)
        if room < 0:
            raise TooLong(
                f"This model's maximum context length is {self._model.context} tokens. "
                f"However, you requested {self._model.context - room} tokens."
            )
        limit = sampling.max_tokens or min(_LONGEST, room)
        draw = _Draw(sampling, len(self._texts))
        reading = Reading(self._model)
        if grammar is None:
            draws = self._free(prompt[-_READ:], reading, draw)
        else:
            draws = self._held(prompt[-_READ:], reading, draw, grammar)
        return Writing(draws, self._texts, limit)

    def recite(self, text: str) -> Writing:
        """Return a reply that is given beforehand, in pieces like any other."""
        pieces = (text[at : at + 8] for at in range(0, len(text), 8))
        return Writing(((piece, self.tokens(piece)) for piece in pieces), [], sys.maxsize)

    def _free(self, prompt: list[int], reading: Reading, draw: _Draw) -> Iterator[_Written]:
        allowed = np.ones(len(self._texts), np.bool_)
        allowed[[token for token in self._specials if token != self._model.end]] = False
        read = prompt
        while (token := draw(reading.feed(read), allowed)) != self._model.end:
            yield self._texts[token], [token]
            read = [token]

    def _held(
        self, prompt: list[int], reading: Reading, draw: _Draw, grammar: xgrammar.CompiledGrammar
    ) -> Iterator[_Written]:
        matcher = xgrammar.GrammarMatcher(grammar, terminate_without_stop_token=True)
        mask = xgrammar.allocate_token_bitmask(1, len(self._texts))
        bits = mask.numpy().view(np.uint8)[0]
        unread = prompt
        while True:
            # What the schema leaves no choice about is not worth asking the model.
            if forced := _forced(matcher):
                matcher.accept_string(forced)
                tokens = self.tokens(forced)
                yield forced, tokens
                unread = unread + tokens
            if matcher.is_terminated():
                return
            matcher.fill_next_token_bitmask(mask)
            allowed = np.unpackbits(bits, count=len(self._texts), bitorder="little")
            token = draw(reading.feed(unread), allowed.view(np.bool_))
            matcher.accept_token(token)
            yield self._texts[token], [token]
            unread = [token]


def _forced(matcher: xgrammar.GrammarMatcher) -> str:
    """Return what must come next."""
    try:
        return matcher.find_jump_forward_string()
    except UnicodeDecodeError as split:
        # xgrammar counts bytes: "é" and "è" begin alike, and it stops between their halves.
        return split.object[: split.start].decode()


_Written = tuple[str, list[int]]
"""A piece of a reply and the tokens it consists of."""


class Writing:
    """A reply that is being written; iterate over its pieces once, then read the rest."""

    def __init__(self, draws: Iterator[_Written], texts: list[str], limit: int) -> None:
        self._draws, self._texts, self._limit = draws, texts, limit
        self.tokens = 0
        self.cut = False
        """Whether it ended because it became too long."""

    def __iter__(self) -> Iterator[str]:
        for text, tokens in self._draws:
            left = self._limit - self.tokens
            self.tokens += min(left, len(tokens))
            if len(tokens) > left:
                self.cut = True
                yield "".join(self._texts[token] for token in tokens[:left])
                return
            yield text


class _Draw:
    """Draws tokens; the highest logit wins at temperature 0, others join in above."""

    def __init__(self, sampling: Sampling, size: int) -> None:
        self._temperature, self._size = sampling.temperature, size
        self._random = np.random.default_rng(sampling.seed)

    def __call__(self, logits: FloatArray, allowed: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
        if not allowed.any():
            raise Unwritable("The model has none of the characters that the schema allows next.")
        scores = logits.astype(np.float64)
        if self._temperature:
            # The largest of logits with Gumbel noise is a draw from their softmax.
            scores = scores / self._temperature + self._random.gumbel(size=self._size)
        return int(np.where(allowed, scores, -np.inf).argmax())


def _bounded(schema: Any, to: Bounds) -> Any:
    """Return a stricter schema, whose texts and lists end: a random model would never end one."""
    if isinstance(schema, list):
        return [_bounded(part, to) for part in schema]
    if not isinstance(schema, dict):
        return schema
    bounds: dict[str, Any] = {}
    if schema.get("type") == "string" and not schema.keys() & {"enum", "const", "pattern"}:
        bounds = {"maxLength": to.text}
    elif schema.get("type") == "array":
        bounds = {"minItems": to.least, "maxItems": to.most}
    return bounds | {key: _bounded(part, to) for key, part in schema.items()}
