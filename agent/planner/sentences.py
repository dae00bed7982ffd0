"""Sentences: clauses in the order they are to be carried out, and what that depends on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.planner.clauses import Clause, opens_clause, read_clause
from agent.planner.conditions import Condition, read_condition
from agent.planner.noun_phrase import NounPhrase
from agent.planner.phrases import begins
from agent.planner.question import UnclearError, unread
from agent.planner.tokens import END, Reader, Token, tokenise
from agent.planner.vocabulary import EXAMPLE, VERBS


@dataclass(frozen=True, slots=True)
class Choice:
    """What is done if a condition holds, and what otherwise."""

    condition: Condition
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """Clauses of which one is enough, the first that can be done."""

    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Ensure:
    """A state to bring about where it is not so already."""

    condition: Condition


Statement = Clause | Choice | Either | Ensure

_DESCRIBES = ("det", "colour", "noun", "number", "size", "side")
"""What names a thing or a place in a few words."""


def parse(command: str) -> list[Statement]:
    """Return what a command says, in the order of carrying it out.

    Raises:
        UnclearError: When a part of the command is not understood; nothing is guessed or skipped.
    """
    tokens = _in_order(_without_denied(_with_interjections(tokenise(command))))
    if odd := next((t for t in tokens if t.has("unsupported")), None):
        raise unread(odd.text)
    statements = _Parser(tokens).statements()
    if not statements:
        raise UnclearError(f"I heard no command. Say, for example, {EXAMPLE!r}.")
    return statements


def _with_interjections(tokens: list[Token]) -> list[Token]:
    """Take "wait" for what begins a correction where no other verb follows it."""
    heard: list[Token] = []
    for at, token in enumerate(tokens):
        ahead = [t for t in tokens[at + 1 :] if not t.has("join", "comma", "stop")]
        mends = ahead and (ahead[0].has("correct") or begins(ahead[0]) or ahead[0].has("cancel"))
        mends = mends or (ahead and ahead[0].has("preposition"))
        if token.has("verb", "wait") and heard and mends and token.text in ("wait", "hold on"):
            heard.append(Token(token.text, {"correct": "correct"}))
        else:
            heard.append(token)
    return heard


def _without_denied(tokens: list[Token]) -> list[Token]:
    """Take "no, not the red one but the green one" for "no, the green one"."""
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        said = [t for t in kept if not t.has("join", "comma", "stop")]
        if tokens[at].has("not") and said and said[-1].has("correct"):
            at = _past_denied(tokens, at)
        kept.append(tokens[at])
        at += 1
    return kept


def _past_denied(tokens: list[Token], start: int) -> int:
    """Return where what replaces "not the red one" begins; `start` where nothing plainly does."""
    first, *others = [*tokens[start + 1 :], END]
    opens = next((c for c in ("preposition", "det") if first.has(c)), None)
    for at, token in enumerate(others, start + 2):
        # "Not in the bowl on the left" may be about one place or about two.
        if opens == "det" and token.has("det"):
            return at
        if opens and token.has("join", "comma", "but"):
            return at + 1 if others[at - start - 1].has(opens) else start
        if not any(token.has(category) for category in _DESCRIBES):
            return start
    return start


def _in_order(tokens: list[Token]) -> list[Token]:
    """Take "A, but B first" for "A, but first B"; elsewhere "first" goes without saying."""
    ordered: list[Token] = []
    for token in tokens:
        if not token.has("order", "first"):
            ordered.append(token)
            continue
        since = [t for t in ordered[::-1] if t.has("join", "but", "stop", "then")]
        if since and since[0].has("join", "but"):
            at = max(i for i, t in enumerate(ordered) if t is since[0])
            ordered[at] = Token(ordered[at].text, {"order": "earlier"})
    return ordered


class _Parser:
    """Reads tokens from left to right; no token is ever passed over unread."""

    def __init__(self, tokens: list[Token]) -> None:
        self._reader = Reader(tokens)
        self._said: Clause | None = None

    def statements(self) -> list[Statement]:
        """Return every statement of the command."""
        found: list[Statement] = []
        reader = self._reader
        while True:
            marks = self._marks()
            if reader.done:
                return found
            taken_back = reader.sees("not") and not reader.peek(1).text
            if taken_back or reader.sees("cancel"):
                reader.take()
                found = found[:-1]
            elif reader.accept("else"):
                found = self._with_otherwise(found)
            elif found and "or" in marks:
                found[-1] = self._either(found[-1], self._clause())
            else:
                made = self._statement()
                if "correct" in marks and found:
                    made = _named_before(made, found.pop())
                if "earlier" in marks and found:
                    made = _named_before(made, found[-1])
                    found[-1:] = [*made, found[-1]]
                else:
                    found += made

    def _marks(self) -> set[str]:
        """Pass over what stands between statements; return what it was."""
        reader, seen = self._reader, set[str]()
        while True:
            for category, values in (
                ("join", ()),
                ("correct", ()),
                ("order", ("earlier",)),
                ("or", ()),
            ):
                if reader.sees(category, *values) and not reader.sees("else"):
                    seen.add(reader.take().senses[category])
                    break
            else:
                return seen

    def _statement(self) -> list[Statement]:
        """Read one statement, with what it is said to come before or after."""
        reader = self._reader
        if condition := reader.accept("if"):
            return [self._choice(unless=condition == "unless")]
        if order := reader.accept("order", "before", "after"):
            return self._ordered(order)
        if reader.accept("verb", "ensure"):
            return [Ensure(read_condition(reader))]
        negated = reader.accept("not") is not None
        clause = self._clause()
        if negated:
            return [replace(clause, negated=True)]
        return self._with_tail(clause)

    def _clause(self, context: tuple[NounPhrase, ...] = ()) -> Clause:
        if not opens_clause(self._reader):
            raise unread(self._reader.peek().text, _words_for_verbs())
        clause = replace(read_clause(self._reader, self._said), context=context)
        self._said = clause
        self._check_end()
        return clause

    def _check_end(self) -> None:
        """Make sure that a clause ended where something else can begin."""
        reader = self._reader
        ends = ("join", "correct", "order", "or", "if", "else", "not", "cancel", "verb")
        if not reader.done and not any(reader.sees(category) for category in ends):
            last = reader.peek(-1)
            raise unread(reader.peek().text if last.senses else last.text)

    def _ordered(self, order: str) -> list[Statement]:
        """Read "before A, B" or "after A, B"; the order of carrying out is that of the words."""
        first: list[Statement] = list(self._joined())
        self._marks()
        if self._reader.done:
            raise UnclearError("What should I do besides? A part of the command is missing.")
        if order == "after":
            return [*first, *self._statement()]
        return [*_named_before(self._statement(), first[-1]), *first]

    def _joined(self) -> list[Clause]:
        """Read clauses joined by "and", up to a comma or whatever else ends them."""
        clauses = [self._clause()]
        while self._reader.sees("join", "and") and self._reader.peek(1).has("verb"):
            self._reader.take()
            clauses.append(self._clause())
        return clauses

    def _with_tail(self, clause: Clause) -> list[Statement]:
        """Read "before ...", "after ...", "if ..." or "unless ..." behind a clause."""
        reader, start = self._reader, self._reader.at
        reader.accept("join", "comma")
        if order := reader.accept("order", "before", "after"):
            others: list[Statement] = list(self._joined())
            if order == "before":
                return [clause, *others]
            return [*_named_before(others, clause), clause]
        if reader.sees("if"):
            unless = reader.take().has("if", "unless")
            condition = replace(read_condition(reader), context=clause.named)
            return [_choice(condition, unless, (clause,))]
        reader.at = start
        return [clause]

    def _choice(self, *, unless: bool) -> Choice:
        """Read a condition and what is joined by "and" behind it."""
        condition = read_condition(self._reader)
        self._reader.accept("join", "comma")
        self._reader.accept("join", "then")
        self._reader.accept("join", "comma")
        then = self._statement()
        while True:
            start = self._reader.at
            self._reader.accept("join", "comma")
            joined = self._reader.accept("join", "and") is not None
            if not joined or not self._reader.sees("verb"):
                self._reader.at = start
                return _choice(condition, unless, tuple(then))
            then += self._statement()

    def _with_otherwise(self, found: list[Statement]) -> list[Statement]:
        """Read what is to be done where the last condition does not hold."""
        if not found or not isinstance(found[-1], Choice):
            raise UnclearError("'Otherwise' needs an 'if' before it. What does it depend on?")
        self._reader.accept("join", "comma")
        other = tuple(self._statement())
        last = found[-1]
        if last.then:
            return [*found[:-1], replace(last, otherwise=(*last.otherwise, *other))]
        return [*found[:-1], replace(last, then=other)]

    def _either(self, first: Statement, second: Clause) -> Either:
        if isinstance(first, Clause):
            return Either((first, second))
        if isinstance(first, Either):
            return Either((*first.clauses, second))
        raise UnclearError("I could not read what 'or' stands between. What should I do?")


def _choice(condition: Condition, unless: bool, then: tuple[Statement, ...]) -> Choice:
    """Return a choice; "unless" does the same where the condition does not hold."""
    return Choice(condition, (), then) if unless else Choice(condition, then)


def _named_before(made: list[Statement], said: Statement) -> list[Statement]:
    """Let statements know what was named before them, though its turn comes later."""
    if not isinstance(made[0], Clause) or not isinstance(said, Clause):
        return made
    return [replace(made[0], context=said.named), *made[1:]]


def _words_for_verbs() -> list[str]:
    return [phrase for phrases in VERBS.values() for phrase in phrases.split("|")]
