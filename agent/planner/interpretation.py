"""From statements to goals, in a scene that is imagined to follow them step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from agent.planner import arranging, fixtures, putting
from agent.planner.clauses import Clause
from agent.planner.conditions import Condition
from agent.planner.context import Context
from agent.planner.expansion import Imagination
from agent.planner.goals import Goal, targets
from agent.planner.noun_phrase import NounPhrase
from agent.planner.question import UnclearError, the, unread
from agent.planner.reference import Resolver
from agent.planner.sentences import Choice, Either, Ensure, Statement
from agent.planner.truth import is_true
from agent.types import HAND, Scene, SkillContract
from agent.workspace import BUTTON, DRAWER, kind_of

_ALONE = {"home": "home", "look": "look", "wait": "wait"}
_MOVING = ("pick", "put", "move", "put down", "remove", "push", "pull", "stack", "touch")

_VERBS: Mapping[str, Callable[[Clause, Context], list[Goal]]] = {
    "pick": putting.pick,
    "put": putting.put,
    "drop": putting.let_go,
    "release": putting.let_go,
    "let": putting.let_go,
    "put down": putting.put_down,
    "remove": putting.remove,
    "push": fixtures.push,
    "pull": fixtures.push,
    "open": lambda clause, context: fixtures.slide(clause, context, "open"),
    "close": lambda clause, context: fixtures.slide(clause, context, "close"),
    "press": fixtures.press,
    "on": lambda clause, context: fixtures.press(clause, context, "lit"),
    "off": lambda clause, context: fixtures.press(clause, context, "unlit"),
    "turn": fixtures.turn,
    "stack": arranging.stack,
    "swap": arranging.swap,
    "empty": arranging.empty,
    "clear": arranging.clear,
    "tidy": arranging.tidy,
}


class Interpreter:
    """Finds the goals of statements, one after the other.

    Attributes:
        goals: What was found so far.
        notes: What was left out, and why.
        forbidden: What must not be handled.
    """

    def __init__(
        self,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        touched: Sequence[str],
        min_presence: float,
        certainty: float,
    ) -> None:
        """Begin a command in this scene."""
        self._contracts = contracts
        self._certainty = certainty
        kinds = {n: kind for n in touched if (kind := kind_of(n))}
        self.forbidden: frozenset[str] = frozenset()
        self._make_resolver = partial(Resolver, scene, kinds, min_presence)
        self._work = Imagination(scene, contracts, certainty)
        self._context = Context(self._make_resolver(frozenset()), contracts, certainty)
        self._grasps: list[Goal] = []
        self._unwanted: list[tuple[str | None, str | None]] = []
        self.goals: list[Goal] = []
        self.notes: list[str] = []

    def run(self, statements: Sequence[Statement]) -> None:
        """Find the goals of a command.

        Raises:
            UnclearError: What is meant is not clear, or cannot be done.
        """
        denied = [s for s in statements if isinstance(s, Clause) and s.negated]
        wanted = [s for s in statements if s not in denied]
        if denied and not wanted:
            raise UnclearError(
                "You say only what I should not do, so I do nothing. What should I do instead?"
            )
        self._forbid(denied)
        for statement in wanted:
            self._statement(statement)
        self._drop_implied_grasps(())

    def _forbid(self, denied: Sequence[Clause]) -> None:
        """Take note of what must not be handled."""
        found = set[str]()
        kinds = self._context.movable | {DRAWER, BUTTON}
        for clause in denied:
            if clause.verb in _ALONE or not clause.objects:
                raise unread(f"not {clause.verb}")
            if clause.places:
                # "Don't put it in the bowl" says where it must not go, not that it must stay.
                goals = putting.put(clause, self._context)
                self._unwanted += [(g.object, g.target) for g in goals]
                continue
            for phrase in clause.objects:
                found.update(self._context.resolver.find(phrase, kinds, "handle"))
        self.forbidden = frozenset(found)
        self._context = replace(self._context, resolver=self._make_resolver(self.forbidden))
        self._prime([phrase for clause in denied for phrase in clause.named])

    def _statement(self, statement: Statement) -> None:
        if isinstance(statement, Choice):
            self._choose(statement)
        elif isinstance(statement, Either):
            self._either(statement)
        elif isinstance(statement, Ensure):
            self._ensure(statement.condition)
        else:
            self._clause(statement)

    def _clause(self, clause: Clause) -> None:
        """Find the goals of a clause, and let them come about in thought."""
        self._prime(clause.context)
        goals = self._wanted(self._goals(clause))
        if clause.times > 1 and not all(g.skill in ("press", "push") for g in goals):
            raise unread("twice" if clause.times == 2 else f"{clause.times} times")
        if clause.amount and any(g.skill != "push" for g in goals):
            raise unread("a bit")
        self._drop_implied_grasps(goals)
        self.goals += goals
        self._grasps = [g for g in goals if g.skill == "pick"]
        if len(self._grasps) > 1:
            # They are picked up in their turn, when it is known where each of them goes.
            return
        for goal in goals:
            if not self._work.is_so(goal):
                self._imagine(goal)
        self._context.resolver.scene = self._work.scene

    def _wanted(self, goals: list[Goal]) -> list[Goal]:
        """Leave out of several goals what was said not to be put there.

        Raises:
            UnclearError: That was all.
        """
        kept = [g for g in goals if (g.object, g.target) not in self._unwanted]
        if goals and not kept:
            raise UnclearError(
                f"You tell me to put the {goals[0].object} in or on the {goals[0].target}, and not "
                "to. Which do you mean?"
            )
        return kept

    def _drop_implied_grasps(self, following: Sequence[Goal]) -> None:
        """Leave out grasps that the next clause needs anyway, as in "pick it up and put it there".

        Raises:
            UnclearError: Several things were to be picked up at once, and that is not so.
        """
        placed = {g.object for g in following if g.target}
        if self._grasps and all(g.object in placed for g in self._grasps):
            del self.goals[-len(self._grasps) :]
        elif len(self._grasps) > 1:
            raise UnclearError(
                "I can hold only one thing at a time. "
                f"Where should I put {the(str(g.object) for g in self._grasps)}?"
            )
        self._grasps = []

    def _imagine(self, goal: Goal) -> None:
        if goal.skill == "release" and goal.object is not None:
            self._work.let_go(goal, strict=False)
        else:
            self._work.achieve(goal, [])

    def _goals(self, clause: Clause) -> list[Goal]:
        verb = clause.verb
        if verb in _ALONE:
            return [Goal(_ALONE[verb])]
        if verb in ("push", "pull", "move", "pick"):
            clause = fixtures.about_fixture(clause, self._context) or clause
        if clause.verb == "move":
            side = any(a.kind == "side" for p in clause.places for a in p.anchors)
            pushed = clause.direction or (clause.amount and side)
            clause = replace(clause, verb="push" if pushed else "put")
        if clause.verb in ("put", "pick") and clause.particle == "away":
            clause = replace(clause, verb="tidy", particle="")
        if clause.verb == "turn" and not clause.particle and len(clause.objects) == 2:
            clause = replace(clause, verb="swap")
        if clause.verb not in _VERBS:
            raise unread(verb)
        return _VERBS[clause.verb](clause, self._context)

    def _prime(self, phrases: Sequence[NounPhrase]) -> None:
        """Take note of what was named earlier in the sentence, though its turn comes later."""
        resolver = self._context.resolver
        kinds = self._context.movable | targets(self._contracts) | {BUTTON}
        for phrase in phrases:
            if not phrase.pronoun and phrase.kind not in ("table", "hand", "side"):
                resolver.discourse.mention(resolver.matches(phrase, kinds))

    def _choose(self, choice: Choice) -> None:
        self._prime(choice.condition.context)
        true = is_true(choice.condition, self._context)
        branch = choice.then if true else choice.otherwise
        if not branch:
            so = "so" if true else "not so"
            self.notes.append(f"It is {so} that {choice.condition.text}.")
        for statement in branch:
            if isinstance(statement, Clause) and statement.negated:
                self.notes.append("You told me to leave that alone.")
            else:
                self._statement(statement)

    def _either(self, either: Either) -> None:
        """Do the first of several things that can be done."""
        unclear: UnclearError | None = None
        for clause in either.clauses:
            before = (len(self.goals), self._work, self._context.resolver.scene)
            try:
                self._work = self._work.copy()
                self._clause(clause)
            except UnclearError as error:
                unclear = unclear or error
                del self.goals[before[0] :]
                self._work, self._context.resolver.scene = before[1], before[2]
            else:
                return
        assert unclear is not None
        raise unclear

    def _ensure(self, condition: Condition) -> None:
        """Bring about what "make sure that" is about."""
        for part in (condition, *condition.also):
            verbs = {"open": "open", "closed": "close", "lit": "on", "unlit": "off"}
            opposite = {"open": "close", "closed": "open", "lit": "off", "unlit": "on"}
            verb = (opposite if part.negated else verbs).get(part.state)
            if verb is not None:
                self._clause(Clause(verb, (part.subject,)))
            elif part.relations and not part.negated:
                self._clause(Clause("put", (part.subject,), part.relations))
            elif part.state == "empty" and part.subject.kind == HAND:
                self._clause(Clause("put down"))
            elif part.state == "empty":
                self._clause(Clause("empty", (part.subject,)))
            else:
                raise unread(part.text)
