"""A command as a list of clauses: who is to be moved, and where to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.planner import lexicon as lex
from agent.planner.noun_phrase import NounPhrase, describes, noun_phrase
from agent.planner.question import UnclearError

_BREAKS = lex.VERBS | {lex.AND, lex.THEN, lex.CORRECT}
_MARKERS = _BREAKS | {lex.AT, lex.TO, lex.FROM, lex.EXCEPT, lex.DOWN}


@dataclass(frozen=True, slots=True)
class Clause:
    """One verb with what belongs to it.

    Attributes:
        verb: A marker of the lexicon.
        objects: What is to be moved; empty where it is understood.
        target: Where to.
        source: Where it is now.
        down: Whether no target is needed, as in "drop it".
        correction: What replaces the last object or the target, whichever it can stand for.
    """

    verb: str
    objects: tuple[NounPhrase, ...] = ()
    target: NounPhrase | None = None
    source: NounPhrase | None = None
    down: bool = False
    correction: NounPhrase | None = None


def parse(command: str) -> list[Clause]:
    """Return the clauses of a command.

    Raises:
        UnclearError: When a part of the command is not understood; nothing is guessed or skipped.
    """
    tokens = lex.tokenise(command)
    if odd := next((t for t in tokens if t in lex.NOT_UNDERSTOOD), None):
        raise UnclearError(f"I do not understand {odd!r} in a command.", offer=True)
    clauses = _Parser(tokens).clauses()
    if not clauses:
        raise UnclearError("I heard no command.", offer=True)
    return clauses


class _Parser:
    """Reads tokens from left to right; no token is ever passed over unread."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def clauses(self) -> list[Clause]:
        """Return every clause, corrections applied."""
        found: list[Clause] = []
        while True:
            corrects = self._skip(lex.AND, lex.THEN, lex.CORRECT)
            if not self._next:
                return found
            elliptic = self._next not in lex.VERBS
            clause = self._clause(found[-1] if found else None)
            if corrects and found:
                found[-1] = _amended(found[-1], clause) if elliptic else clause
            else:
                found.append(clause)

    @property
    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, *markers: str) -> bool:
        """Pass over markers; return whether a correction was among them."""
        corrects = False
        while self._next and self._next in markers:
            corrects |= self._take() == lex.CORRECT
        return corrects

    def _clause(self, previous: Clause | None) -> Clause:
        if self._next in lex.VERBS:
            verb = self._take()
        elif describes(self._next) or (previous and self._next in (lex.AT, lex.TO)):
            shared = previous is not None and previous.verb == lex.PICK
            verb = lex.PICK if shared else lex.PLACE
        else:
            raise self._not_understood(self._next)
        if verb not in (lex.PICK, lex.PLACE):
            if self._next and self._next not in _BREAKS:
                raise self._not_understood(f"{verb.lower()} ... {self._next.lower()}")
            return Clause(verb)
        clause = Clause(verb)
        while self._next and (self._next not in _BREAKS):
            clause = self._part(clause)
        return replace(clause, correction=self._correction())

    def _part(self, clause: Clause) -> Clause:
        """Read one part of a clause: "down", a place, or the objects."""
        if self._next not in _MARKERS:
            if clause.objects or clause.target:
                raise self._not_understood(self._next)
            return replace(clause, objects=tuple(self._phrases()))
        marker = self._take()
        if marker == lex.DOWN:
            return replace(clause, down=True)
        if marker == lex.EXCEPT:
            raise UnclearError("I did not understand what to leave out.", offer=True)
        place = self._phrase()
        if marker == lex.FROM or (marker == lex.AT and clause.verb == lex.PICK):
            self._refuse_second(clause.source, place)
            return replace(clause, source=place)
        self._refuse_second(clause.target, place)
        if place.exceptions and clause.objects:
            # "Put all blocks in the bowl except the red one": what is left out is a block.
            *others, last = clause.objects
            last = replace(last, exceptions=last.exceptions + place.exceptions)
            place = replace(place, exceptions=())
            clause = replace(clause, objects=(*others, last))
        return replace(clause, target=place, verb=lex.PLACE)

    def _refuse_second(self, first: NounPhrase | None, second: NounPhrase) -> None:
        if first is not None:
            raise UnclearError(f"Do you mean {first.text!r} or {second.text!r} as the place?")

    def _phrases(self) -> list[NounPhrase]:
        """Read "the red and the green block, no, the blue one"."""
        found = [self._phrase()]
        while True:
            if (corrected := self._correction()) is not None:
                found[-1] = corrected
            elif self._ahead(lex.AND):
                self._skip(lex.AND)
                found.append(self._phrase())
            else:
                return found

    def _correction(self) -> NounPhrase | None:
        """Return the last phrase said to replace another, as in "the red, no, the blue one"."""
        phrase = None
        while self._ahead(lex.CORRECT, lex.AND):
            self._skip(lex.AND, lex.CORRECT)
            phrase = self._phrase()
        return phrase

    def _ahead(self, *markers: str) -> bool:
        """Return whether markers of these, the first one among them, precede a noun phrase."""
        at, seen = self._at, set[str]()
        while at < len(self._tokens) and self._tokens[at] in markers:
            seen.add(self._tokens[at])
            at += 1
        follows = at < len(self._tokens) and self._tokens[at] not in _MARKERS
        return follows and markers[0] in seen

    def _phrase(self) -> NounPhrase:
        tokens: list[str] = []
        while self._next and self._next not in _MARKERS:
            tokens.append(self._take())
        if all(token in lex.DETERMINERS for token in tokens):
            raise UnclearError("A part of the command is missing.", offer=True)
        exceptions: list[NounPhrase] = []
        if self._next == lex.EXCEPT:
            self._take()
            exceptions = self._phrases()
        return noun_phrase(tokens, exceptions)

    def _not_understood(self, text: str) -> UnclearError:
        said = repr(text) if text.islower() else "that"
        return UnclearError(f"I do not understand {said}.", offer=True)


def _amended(clause: Clause, correction: Clause) -> Clause:
    """Return a clause with what "no, the green one" replaces replaced."""
    if clause.verb not in (lex.PICK, lex.PLACE):
        raise UnclearError("I do not know what to correct.", offer=True)
    if clause.target and not correction.target and len(correction.objects) == 1:
        return replace(clause, correction=correction.objects[0])
    return replace(
        clause,
        verb=correction.verb,
        objects=correction.objects or clause.objects,
        target=correction.target or clause.target,
        source=correction.source or clause.source,
    )
