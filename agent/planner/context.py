"""What a clause is read in: who is who, what can be done, and how things stand by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from agent.facts import after
from agent.planner.clauses import Clause
from agent.planner.goals import Goal, placement, takes, targets
from agent.planner.noun_phrase import IT, THEM, THERE, NounPhrase, Quantity, Relation
from agent.planner.placement import no_room, parking_zone
from agent.planner.question import UnclearError, listed, the
from agent.planner.reference import Resolver
from agent.spots import free_spot
from agent.types import TABLE, Fact, Scene, SkillContract
from agent.workspace import ZONES

Contracts = Mapping[str, SkillContract]


@dataclass(frozen=True, slots=True)
class Context:
    """What every verb needs to find its goals.

    Attributes:
        resolver: Finds what is meant.
        contracts: The skills there are.
        certainty: Probability 0..1 from which something that seems so counts.
    """

    resolver: Resolver
    contracts: Contracts
    certainty: float

    @property
    def scene(self) -> Scene:
        """How things stand when the clause's turn comes."""
        return self.resolver.scene

    @property
    def movable(self) -> frozenset[str]:
        """The kinds that can be put somewhere."""
        return takes(self.contracts, "place_in", "object") | takes(
            self.contracts, "place_on", "object"
        )

    def things(
        self, clause: Clause, kinds: frozenset[str], can: str, relations: Sequence[Relation] = ()
    ) -> list[str]:
        """Return what a clause is about, all that was said before included where it says nothing.

        Args:
            clause: What was said.
            kinds: What would make sense.
            can: What can be done with these kinds, as in "I can open".
            relations: How all of them are said to stand to other things.
        """
        phrases = with_relations(clause.objects or (self.understood(kinds),), relations)
        found = (n for phrase in phrases for n in self.resolver.find(phrase, kinds, can))
        return list(dict.fromkeys(found))

    def understood(self, kinds: frozenset[str]) -> NounPhrase:
        """Return "it", or "them" where several things were named last."""
        fits = [n for n in self.resolver.discourse.latest if self.resolver.kind(n) in kinds]
        return THEM if len(fits) > 1 else IT

    def target(self, place: Relation, denied: Sequence[Relation], objects: Sequence[str]) -> str:
        """Return where something is to be put: a thing, a zone, or the table.

        Args:
            place: The preposition and what it relates to.
            denied: Where it shall not be put.
            objects: What is put there, if that is known.
        """
        phrase = place.anchors[0] if place.anchors else THERE
        if phrase.kind == "table":
            return TABLE
        every = targets(self.contracts)
        if phrase.pronoun:
            return self._pronoun(place, phrase, objects)
        if phrase.kind == "hand":
            raise UnclearError("I hold what I pick up. What should I put down, and where?")
        bare = not phrase.kind and not phrase.alternatives
        kinds = targets(self.contracts, place.kind) if bare else every
        if bare and not self.resolver.matches(replace(phrase, other=False), kinds):
            kinds = every
        left_out = tuple(a for relation in denied for a in relation.anchors)
        phrase = replace(phrase, exceptions=(*phrase.exceptions, *left_out))
        full = [n for n in self.scene.objects if free_spot(n, self.scene) is None]
        if phrase.alternatives:
            return self._alternative(phrase, kinds, full)
        found = self.resolver.find(phrase, kinds, "put things in or on", [*full, *objects])
        if len(found) > 1:
            raise UnclearError(f"I can use only one place; which one: {the(found, 'or')}?")
        if place.kind in ("in", "into") and self.resolver.kind(found[0]) in self.movable:
            raise UnclearError(
                f"Nothing can be put in the {found[0]}, only on it. What should I put where?"
            )
        return found[0]

    def _alternative(self, phrase: NounPhrase, kinds: frozenset[str], full: Sequence[str]) -> str:
        """Return the first place of several with room, or the first that is there."""
        options = [replace(phrase, alternatives=()), *phrase.alternatives]
        found, unclear = list[str](), None
        for option in options:
            try:
                found += self.resolver.find(option, kinds, "put things in or on")
            except UnclearError as error:
                unclear = unclear or error
        if unclear is not None and not found:
            raise unclear
        return next((n for n in found if n not in full), found[0])

    def _pronoun(self, place: Relation, phrase: NounPhrase, objects: Sequence[str]) -> str:
        """Return the place "it" or "there" stands for; a block that is covered is none."""
        discourse = self.resolver.discourse

        def fits(name: str, kinds: frozenset[str]) -> bool:
            kind = self.resolver.kind(name)
            return kind in kinds and name not in objects and not self._covered(name, kind)

        for kinds in (targets(self.contracts, place.kind), targets(self.contracts)):
            # A bowl spoken of since is meant rather than the place of before; a block is carried.
            found = discourse.since_put(partial(fits, kinds=kinds - self.movable))
            found = found or discourse.there(partial(fits, kinds=kinds))
            if found is not None:
                return found
        raise UnclearError(f"Which place do you mean by {phrase.text!r}? {self.resolver.view()}")

    def _covered(self, name: str, kind: str) -> bool:
        return kind in self.movable and free_spot(name, self.scene) is None

    def put(self, names: Sequence[str], target: str) -> list[Goal]:
        """Return the goals of putting things somewhere, anywhere free on the table included."""
        if target == TABLE:
            return self.put_on_table(names)
        kind = self.resolver.kind(target)
        return [placement(name, target, kind, self.contracts) for name in names if name != target]

    def put_on_table(self, names: Sequence[str]) -> list[Goal]:
        """Return the goals of putting things in free zones; what stands on the table stays."""
        goals, scene = list[Goal](), self.scene
        for name in names:
            thing = scene.objects.get(name)
            if thing is None:
                raise UnclearError(f"I see no {name}. {self.resolver.view()}", missing=True)
            if thing.support == TABLE and thing.support_confidence >= self.certainty:
                continue
            zone = parking_zone(name, scene)
            if zone is None:
                raise no_room(name, "table", scene)
            goals.append(placement(name, zone, self.resolver.kind(zone), self.contracts))
            scene = done(scene, goals[-1])
        return goals


def done(scene: Scene, goal: Goal) -> Scene:
    """Return a scene in which a placement has come about."""
    args = (str(goal.object), str(goal.target))
    return after(scene, Fact(predicate="on", args=args))


def with_relations(
    objects: Sequence[NounPhrase], relations: Sequence[Relation]
) -> tuple[NounPhrase, ...]:
    """Return phrases that are all related to other things as well."""
    return tuple(replace(p, relations=(*p.relations, *relations)) for p in objects)


def where_to(names: Sequence[str]) -> UnclearError:
    """Return the question where things should go."""
    return UnclearError(
        f"Where should I put {the(names)}? I can use a bowl, the plate, the drawer or a zone: "
        f"{listed(ZONES, 'or')}."
    )


def is_everything(phrases: Sequence[NounPhrase]) -> bool:
    """Return whether no more is said than "everything"."""
    return all(p.quantity is Quantity.ALL and not p.kind and not p.words for p in phrases)
