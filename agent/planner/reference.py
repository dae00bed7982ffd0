"""What noun phrases stand for in the scene, and what to ask when that is not clear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agent.facts import holds
from agent.planner.noun_phrase import NounPhrase
from agent.planner.question import UnclearError, listed
from agent.types import Fact, Scene, SkillContract, SubgoalResult
from agent.workspace import ZONE, ZONES, kind_of


def argument_kinds(contracts: Mapping[str, SkillContract], argument: str) -> frozenset[str]:
    """Return every kind that some skill takes for an argument."""
    specs = (c.args[argument] for c in contracts.values() if argument in c.args)
    return frozenset(kind for spec in specs for kind in spec.kinds)


class Resolver:
    """Finds what is meant, and remembers it for "it", "there" and "the others".

    Objects less likely to be there than `min_presence` are not seen. Objects of earlier subgoals
    stay known, so that a block lost on the way is missed and not forgotten.
    """

    def __init__(
        self,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        history: Sequence[SubgoalResult],
        min_presence: float,
    ) -> None:
        """Begin a command."""
        self._scene = scene
        self._seen = {n: o.kind for n, o in scene.objects.items() if o.presence >= min_presence}
        objects = (result.subgoal.args.get("object", "") for result in history)
        self._touched = {n: kind for n in objects if (kind := kind_of(n))}
        self._movable = argument_kinds(contracts, "object")
        self._targets = argument_kinds(contracts, "target")
        self._last: tuple[str, ...] = ()
        self._target: str | None = None
        self._mentioned: set[str] = set()

    @property
    def last(self) -> tuple[str, ...]:
        """The objects that "it" or "them" stands for."""
        return self._last

    def objects(self, phrases: Iterable[NounPhrase], source: NounPhrase | None) -> tuple[str, ...]:
        """Return the objects to be moved, in the order named.

        Args:
            phrases: What was said.
            source: Where they are said to be now.
        """
        place = None
        if source is not None:
            place = self._find(source, self._targets)
            self._mentioned.add(place)
        found = dict.fromkeys(n for phrase in phrases for n in self._meant(phrase, place))
        self._last = tuple(found)
        self._mentioned.update(found)
        return self._last

    def target(self, phrase: NounPhrase) -> str:
        """Return the place something is to be put."""
        self._target = self._find(phrase, self._targets)
        self._mentioned.add(self._target)
        return self._target

    def fits(self, phrase: NounPhrase) -> tuple[bool, bool]:
        """Return whether a description can stand for a place, and whether for an object."""
        return (
            bool(self._candidates(phrase, self._targets)),
            bool(self._candidates(phrase, self._movable)),
        )

    def _meant(self, phrase: NounPhrase, place: str | None) -> list[str]:
        """Return the objects one phrase stands for, at a place if one is given."""
        found = self._referents(phrase) if phrase.pronoun else self._matches(phrase, self._movable)
        left_out = {n for e in phrase.exceptions for n in self._meant(e, None)}
        found = [n for n in found if n not in left_out]
        if place is not None:
            found = [n for n in found if n in self._touched or self._is_at(n, place)]
        if lost := next((n for n in found if n not in self._seen), None):
            raise self._not_seen(lost)
        if not found:
            text = phrase.text if phrase.words else "block to move"
            raise self._not_seen(text if place is None else f"{text} at the {place}")
        return self._counted(phrase, found, self._last)

    def _find(self, phrase: NounPhrase, kinds: frozenset[str]) -> str:
        """Return the one bowl, plate or zone a phrase stands for."""
        if phrase.pronoun:
            if self._target is None:
                raise UnclearError(f"Which place do you mean by {phrase.text!r}? {self._view()}")
            return self._target
        found = self._matches(phrase, kinds)
        if not found:
            if phrase.words == ("table",):
                raise UnclearError(f"Where on the table: {listed(ZONES, 'or')}?")
            zones = f" The zones are: {', '.join(ZONES)}." if ZONE in kinds else ""
            raise UnclearError(
                f"I see no {phrase.text}. {self._view()}{zones} Which one do you mean?",
                missing=True,
            )
        last = () if self._target is None else (self._target,)
        alike = [n for n in found if self._kind(n) == self._kind(last[0])] if last else []
        found = self._counted(phrase, alike or found, last)
        if len(found) > 1:
            raise UnclearError(f"I can use only one place; {_which('place', found)}")
        return found[0]

    def _matches(self, phrase: NounPhrase, kinds: frozenset[str]) -> list[str]:
        """Return everything of these kinds that a description fits."""
        if phrase.other and not self._mentioned:
            raise UnclearError(f"Other than which {phrase.text}? {self._view()}")
        found = self._candidates(phrase, kinds)
        every = self._candidates(phrase, frozenset(self._known().values()))
        if every and not found and any(word in self._known().values() for word in phrase.words):
            if kinds == self._movable:
                text = f"I can move only {listed(_plurals(kinds))}, not the {phrase.text}."
            else:
                text = f"I can put things only in or on {listed(_plurals(kinds))}."
            raise UnclearError(f"{text} What should I do instead?")
        return [n for n in found if not (phrase.other and n in self._mentioned)]

    def _known(self) -> dict[str, str]:
        """Return everything there is or was, name -> kind."""
        return {**self._touched, **self._seen, **dict.fromkeys(ZONES, ZONE)}

    def _candidates(self, phrase: NounPhrase, kinds: frozenset[str]) -> list[str]:
        known = self._known()
        if (exact := " ".join(phrase.words)) in known:
            known = {exact: known[exact]}
        return [
            name
            for name, kind in known.items()
            if kind in kinds and all(w in (*name.split(), kind) for w in phrase.words)
        ]

    def _referents(self, phrase: NounPhrase) -> list[str]:
        """Return what a pronoun stands for; what was being moved outlives a replan."""
        held = self._scene.held
        known = self._last or tuple(self._touched) or ((held.name,) if held else ())
        if not known:
            raise UnclearError(f"What do you mean by {phrase.text!r}? {self._view()}")
        return list(known)

    def _counted(self, phrase: NounPhrase, found: list[str], last: Sequence[str]) -> list[str]:
        """Return as many as are meant, or ask which of them."""
        if phrase.count is None or len(found) == phrase.count:
            return found
        just_named = [n for n in found if n in last]
        if phrase.count == len(just_named) and phrase.definite:
            return just_named
        if len(found) < phrase.count:
            raise UnclearError(
                f"I see only {listed(found)}, not {phrase.count}. {self._view()}", missing=True
            )
        text = "one" if phrase.pronoun else phrase.text
        several = f"{phrase.count} {text}s"
        raise UnclearError(_which(text if phrase.count == 1 else several, found))

    def _is_at(self, name: str, place: str) -> bool:
        return holds(Fact(predicate="on", args=(name, place)), self._scene)

    def _kind(self, name: str) -> str:
        return self._seen.get(name) or kind_of(name) or ""

    def _not_seen(self, asked: str) -> UnclearError:
        question = f"I see no {asked}. {self._view()} Which one do you mean?"
        return UnclearError(question, missing=True)

    def _view(self) -> str:
        return f"I see: {', '.join(self._seen)}." if self._seen else "I see nothing on the table."


def _which(text: str, names: Sequence[str]) -> str:
    return f"Which {text} do you mean: {listed((f'the {n}' for n in names), 'or')}?"


def _plurals(kinds: Iterable[str]) -> list[str]:
    return sorted(f"{kind}s" for kind in kinds)
