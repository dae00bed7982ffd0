"""What noun phrases stand for in a scene, and what to ask when that is not clear."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.facts import whereabouts
from agent.planner.discourse import Discourse
from agent.planner.noun_phrase import NounPhrase, Quantity, Relation, nested
from agent.planner.question import UnclearError, listed, plurals, the
from agent.planner.relations import SIDES, aligned, extreme, stands
from agent.planner.states import is_in_state
from agent.types import HAND, TABLE, Scene
from agent.workspace import BUTTON, DRAWER, MOVABLE, ZONE, ZONES, kind_of

Kinds = frozenset[str]
_SPECIAL = {"table": TABLE, "hand": HAND}
_KINDS = {"lamp": BUTTON, "side": ZONE}


class Resolver:
    """Finds what is meant in the imagined scene, with the help of what was named before.

    Objects less likely to be there than `min_presence` are not seen. Objects of earlier subgoals
    stay known, so that a block lost on the way is missed and not forgotten.
    """

    def __init__(
        self, scene: Scene, touched: Mapping[str, str], min_presence: float, forbidden: Kinds
    ) -> None:
        """Begin a command.

        Args:
            scene: As it is now; `scene` is to be advanced with what the command does.
            touched: Name -> kind of what earlier subgoals handled.
            min_presence: Probability 0..1 below which an object counts as not seen.
            forbidden: What must not be handled, and so belongs to no "all".
        """
        self.scene = scene
        self.discourse = Discourse()
        self._seen = {n: o.kind for n, o in scene.objects.items() if o.presence >= min_presence}
        self._touched = dict(touched)
        self._known = {**self._touched, **self._seen, **dict.fromkeys(ZONES, ZONE)}
        self._forbidden = forbidden
        self._held_at_first = scene.held

    def kind(self, name: str) -> str:
        """Return the kind of a thing or zone."""
        return self._known.get(name) or kind_of(name) or ""

    def find(
        self, phrase: NounPhrase, kinds: Kinds, can: str, avoid: Sequence[str] = ()
    ) -> list[str]:
        """Return what a phrase stands for among things of some kinds.

        Args:
            phrase: What was said.
            kinds: What would make sense here.
            can: What can be done with these kinds, as in "I can open".
            avoid: What to leave out where any would do.

        Raises:
            UnclearError: Nothing fits, or more than what is meant.
        """
        if phrase.alternatives:
            return self._first(phrase, kinds, can, avoid)
        found = self.matches(phrase, kinds)
        if phrase.exceptions:
            left_out = self._left_out(phrase, kinds, can)
            found = [n for n in found if n not in left_out]
        if phrase.quantity is Quantity.NONE:
            raise UnclearError(f"You speak of no {phrase.text}, so I do nothing. What should I do?")
        if phrase.quantity is Quantity.ALL:
            found = [n for n in found if n not in self._forbidden]
        if not found:
            raise self._nothing(phrase, kinds, can)
        if lost := next((n for n in found if self._is_lost(n)), None):
            raise UnclearError(f"I see no {lost}. {self.view()} Where is it?", missing=True)
        return self._counted(phrase, found, avoid)

    def _left_out(self, phrase: NounPhrase, kinds: Kinds, can: str) -> set[str]:
        """Return what "all blocks except the small one" leaves out; it must be something."""
        names = set[str]()
        for exception in phrase.exceptions:
            alike = not exception.kind and not exception.pronoun
            meant = replace(exception, kind=phrase.kind) if alike else exception
            found = self.matches(meant, kinds)
            if not found and phrase.plural:
                raise self._nothing(meant, kinds, can)
            if len(found) > 1 and not exception.plural:
                raise UnclearError(_which(meant.text, found))
            names.update(found)
        return names

    def _first(self, phrase: NounPhrase, kinds: Kinds, can: str, avoid: Sequence[str]) -> list[str]:
        """Return what the first of several alternatives stands for that is there."""
        unclear: UnclearError | None = None
        for option in (replace(phrase, alternatives=()), *phrase.alternatives):
            try:
                return self.find(option, kinds, can, avoid)
            except UnclearError as error:
                unclear = unclear or error
        assert unclear is not None
        raise unclear

    def matches(self, phrase: NounPhrase, kinds: Kinds) -> list[str]:
        """Return everything of some kinds that a phrase fits, however many that is."""
        if phrase.pronoun:
            return self._related(self._pronoun(phrase, kinds), phrase.relations, phrase)
        found = self._described(phrase, kinds)
        if phrase.other:
            found = self._others(phrase, found)
        if phrase.state:
            found = [n for n in found if n in ZONES or is_in_state(n, phrase.state, self.scene)]
        flat = self._related(found, phrase.relations, phrase)
        if not flat and len(phrase.relations) > 1:
            flat = self._related(found, nested(phrase.relations), phrase)
        if phrase.superlative:
            count = phrase.count or 1
            flat = extreme(flat, phrase.superlative, None, count, self.scene)
        return flat

    def _described(self, phrase: NounPhrase, kinds: Kinds) -> list[str]:
        kind = _KINDS.get(phrase.kind, phrase.kind)
        return [
            name
            for name, its in self._known.items()
            if its in kinds
            and (not kind or its == kind)
            and all(w in (*name.split(), its) for w in phrase.words)
        ]

    def _others(self, phrase: NounPhrase, found: list[str]) -> list[str]:
        named = self.discourse.named
        if not named:
            raise UnclearError(f"Other than which {phrase.text}? {self.view()}")
        found = [n for n in found if n not in named]
        if phrase.kind or phrase.words:
            return found
        # "The other one" is of the kind that was named last.
        latest = {self.kind(n) for n in (*self.discourse.latest, self.discourse.place or "")}
        alike = [n for n in found if self.kind(n) in latest]
        return alike if phrase.quantity is Quantity.DEFINITE and alike else found

    def _related(
        self, found: list[str], relations: Sequence[Relation], phrase: NounPhrase
    ) -> list[str]:
        """Return the things that stand as every relation says."""
        for relation in relations:
            found = self._by_relation(found, relation, phrase)
        return found

    def _by_relation(self, found: list[str], relation: Relation, phrase: NounPhrase) -> list[str]:
        there = [n for n in found if n in self.scene.objects or n in ZONES]
        if relation.kind in ("nearest", "farthest") or (
            phrase.superlative in ("nearest", "farthest") and relation.kind in ("to", "from")
        ):
            anchors = self.anchors(relation.anchors[0])
            end = relation.kind if relation.kind in ("nearest", "farthest") else phrase.superlative
            if len(anchors) > 1:
                raise UnclearError(_which(relation.anchors[0].text, anchors))
            return extreme(there, end, anchors[0], phrase.count or 1, self.scene)
        if relation.anchors and relation.anchors[0].kind == "side":
            return self._on_side(there, relation, phrase)
        related = [self.anchors(a) for a in relation.anchors]
        ways = [[other] for other in related[0]] if related else [[]]
        if relation.kind == "between":
            ways = [[other for names in related for other in names]]
            if len(ways[0]) != 2:
                raise UnclearError(f"Between which two things do you mean? {self.view()}")

        def so(name: str) -> bool:
            others = [way for way in ways if name not in way]
            return any(stands(name, relation.kind, way, self.scene) for way in others)

        # What was lost on the way stands nowhere, and must be missed rather than passed over.
        fitting = [n for n in found if n not in there or so(n) is not relation.negated]
        if relation.kind in SIDES and len(fitting) > 1 and not phrase.plural and len(ways) == 1:
            straight = [
                n
                for n in fitting
                if n in there and aligned(n, relation.kind, ways[0][0], self.scene)
            ]
            return straight if len(straight) == 1 else fitting
        return fitting

    def _on_side(self, found: list[str], relation: Relation, phrase: NounPhrase) -> list[str]:
        """Return what is "on the left": the end thing if one is meant, else all in that half."""
        side = relation.anchors[0].words[0]
        if not phrase.plural and not relation.negated and side != "centre":
            return extreme(found, side, None, 1, self.scene)
        if side == "centre":
            inside = [n for n in found if stands(n, "in", ["centre zone"], self.scene)]
        else:
            kind = {"front": "in front of", "back": "behind"}.get(side, f"{side} of")
            inside = [n for n in found if stands(n, kind, ["centre zone"], self.scene)]
        return [n for n in found if (n in inside) is not relation.negated]

    def anchors(self, phrase: NounPhrase) -> list[str]:
        """Return what a preposition relates to: things, zones, the table or the hand.

        Raises:
            UnclearError: There is no such thing.
        """
        if phrase.kind in _SPECIAL:
            return [_SPECIAL[phrase.kind]]
        if phrase.pronoun == "there" and self.discourse.place:
            return [self.discourse.place]
        kinds = frozenset(self._known.values())
        found = self.matches(phrase, kinds)
        if not found:
            raise self._nothing(phrase, kinds, "see")
        # "Left of the red one" is said of things like those that are moved, not of a red bowl.
        movable = [n for n in found if self.kind(n) in MOVABLE]
        return movable if movable and not phrase.kind else found

    def _pronoun(self, phrase: NounPhrase, kinds: Kinds) -> list[str]:
        """Return what a pronoun stands for; what was being moved outlives a replan."""

        def fits(name: str) -> bool:
            return self.kind(name) in kinds

        held = self.scene.held
        if phrase.pronoun == "held":
            if held is None:
                raise UnclearError(f"I am not holding anything. {self.view()} What do you mean?")
            return [held.name]
        found = self.discourse.several(fits) if phrase.plural else self.discourse.one(fits)
        found = found or tuple(n for n in self._touched if fits(n))
        in_hand = held or self._held_at_first
        if not found and in_hand is not None and fits(in_hand.name):
            found = (in_hand.name,)
        if not found:
            raise UnclearError(f"What do you mean by {phrase.text!r}? {self.view()}")
        return list(found)

    def _counted(self, phrase: NounPhrase, found: list[str], avoid: Sequence[str]) -> list[str]:
        """Return as many as are meant, or ask which of them."""
        count = phrase.count
        if phrase.quantity is Quantity.ALL or count is None or len(found) == count:
            return found
        if len(found) < count:
            raise UnclearError(
                f"I see only {the(found)}, not {count} of these. {self.view()}", missing=True
            )
        if phrase.quantity is Quantity.ANY:
            return sorted(found, key=lambda n: self._effort(n, avoid))[:count]
        for group in (self.discourse.latest, (self.discourse.place or "",)):
            just_named = [n for n in found if n in group]
            if len(just_named) == count and not phrase.other:
                return just_named
        text = "one" if phrase.pronoun else phrase.text
        raise UnclearError(_which(text if count == 1 else f"{count} {text}s", found))

    def _effort(self, name: str, avoid: Sequence[str]) -> tuple[bool, bool, bool]:
        """Return how little a thing lends itself where any would do; the scene's order decides."""
        thing = self.scene.objects.get(name)
        buried = thing is not None and bool(self.scene.contents(name)) and thing.kind != DRAWER
        return name in avoid, buried, thing is not None and thing.support != TABLE

    def _is_lost(self, name: str) -> bool:
        return name not in self._seen and name not in ZONES

    def _nothing(self, phrase: NounPhrase, kinds: Kinds, can: str) -> UnclearError:
        """Return the question about a phrase that nothing fits."""
        bare = replace(phrase, relations=(), state="", superlative="", other=False)
        if phrase.pronoun or phrase.other:
            return UnclearError(f"I see no {phrase.text}. {self.view()} Which one do you mean?")
        if alike := self._described(bare, kinds):
            alike = [n for n in alike if n in self.scene.objects or n in ZONES] or alike
            places = (f"the {n} is {whereabouts(n, self.scene)}" for n in alike[:4])
            return UnclearError(
                f"I see no {phrase.text}; {listed(places)}. Which one do you mean?", missing=True
            )
        if wrong := self._described(bare, frozenset(self._known.values())):
            return UnclearError(
                f"I can {can} only {plurals(kinds)}, not the {wrong[0]}. What should I do instead?"
            )
        names = [n for n, k in self._known.items() if k in kinds]
        near = difflib.get_close_matches(phrase.text, names, n=1, cutoff=0.5)
        guess = f" Did you mean the {near[0]}?" if near else " Which one do you mean?"
        zones = f" The zones are: {', '.join(ZONES)}." if phrase.kind == "zone" else ""
        text = phrase.text if phrase.text != "thing" else plurals(kinds)
        return UnclearError(f"I see no {text}. {self.view()}{zones}{guess}", missing=True)

    def view(self) -> str:
        """Return what is seen, in a sentence."""
        return f"I see: {', '.join(self._seen)}." if self._seen else "I see nothing on the table."


def _which(text: str, names: Sequence[str]) -> str:
    return f"Which {text} do you mean: {the(names, 'or')}?"
