"""From goals to the subgoals still needed, carried out in thought one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from agent.facts import after, holds, seen_to_hold, whereabouts
from agent.planner.goals import PLACING, Goal, contract_of
from agent.planner.placement import leaves_the_table, no_room, parking_zone, possible_pushes
from agent.planner.progress import Progress, deferred
from agent.planner.question import UnclearError, listed
from agent.types import Fact, Scene, SkillContract, Subgoal, SubgoalResult
from agent.workspace import DRAWER, ZONES


@dataclass(frozen=True, slots=True)
class Expansion:
    """What goals take.

    Attributes:
        subgoals: What is still to be done.
        given: The goals that held without doing.
        course: Every goal in the order of reaching it, with what was moved or opened on the way:
            that is promised as well, so it is kept up when something of it is lost.
    """

    subgoals: tuple[Subgoal, ...]
    given: tuple[Goal, ...]
    course: tuple[Goal, ...]


def expand(
    goals: Sequence[Goal],
    scene: Scene,
    contracts: Mapping[str, SkillContract],
    history: Sequence[SubgoalResult],
    certainty: float,
    forbidden: Collection[str] = (),
    given: Sequence[Goal] = (),
) -> Expansion:
    """Return the subgoals that bring about the goals from this scene.

    Goals that surely hold or are known to be done are skipped; what is held is put down before
    something else is picked up; a goal that keeps failing comes after its neighbours.

    Args:
        goals: What was asked for, in order.
        scene: What is there now.
        contracts: The skills there are.
        history: What was done so far.
        certainty: Probability 0..1 from which something that seems so needs nothing done.
        forbidden: What must not be handled.
        given: Goals that held without doing when the mission began.

    Raises:
        UnclearError: A goal cannot be reached.
    """
    progress = Progress(history, contracts, given)
    work = Imagination(scene, contracts, certainty, forbidden)
    work.is_past = lambda goal, later: progress.was_left_behind(goal, later, work.is_so)
    pending = deferred(goals, history)
    held_anyway, course = list[Goal](), list[Goal]()
    while pending:
        goal, start = pending.pop(0), len(work.added)
        _check_in_sight(goal, scene)
        if goal.is_event:
            if not progress.was_done(goal):
                work.achieve(goal, pending)
        elif goal.skill == "release":
            work.let_go(goal, strict=not progress.replanning)
        elif work.is_so(goal):
            held_anyway.append(goal)
        elif not work.is_past(goal, pending):
            work.achieve(goal, pending)
        added = work.added[start:]
        course += [g for g in added if g.skill in (*PLACING, "open") and g is not goal]
        course.append(goal)
    return Expansion(tuple(work.subgoals), tuple(held_anyway), tuple(course))


def _check_in_sight(goal: Goal, scene: Scene) -> None:
    for name in filter(None, (goal.object, goal.target)):
        if name not in scene.objects and name not in ZONES:
            seen = listed(scene.objects)
            raise UnclearError(f"I see no {name}. I see: {seen}. Where is it?", missing=True)


class Imagination:
    """A scene in which subgoals come about as soon as they are thought of.

    Attributes:
        scene: As it is by then.
        subgoals: What was thought of.
        added: The goals these stand for.
        is_past: Whether a goal was reached before and left for the later ones.
    """

    def __init__(
        self,
        scene: Scene,
        contracts: Mapping[str, SkillContract],
        certainty: float,
        forbidden: Collection[str] = (),
    ) -> None:
        """Begin from a scene with nothing done."""
        self.scene = scene
        self.subgoals: list[Subgoal] = []
        self.added: list[Goal] = []
        self._contracts = contracts
        self._certainty = certainty
        self._forbidden = forbidden
        self._target: str | None = None
        self.is_past: Callable[[Goal, Sequence[Goal]], bool] = lambda goal, later: False

    def copy(self) -> Imagination:
        """Return another imagination that goes on from here."""
        twin = Imagination(self.scene, self._contracts, self._certainty, self._forbidden)
        return twin

    def is_so(self, goal: Goal) -> bool:
        """Return whether a goal surely holds already."""
        facts = goal.facts(contract_of(goal.skill, self._contracts))
        return bool(facts) and all(self._surely(fact) for fact in facts)

    def achieve(self, goal: Goal, pending: list[Goal]) -> None:
        """Add what a goal takes: its preconditions first.

        Args:
            goal: What is to be reached.
            pending: The goals that follow; one that puts down what is held may be taken out.

        Raises:
            UnclearError: A precondition cannot be brought about.
        """
        self._target = goal.target
        if goal.skill in PLACING:
            self._place(goal, pending)
        elif goal.skill == "pick" and goal.object:
            self._grasp(goal.object, pending)
        elif goal.skill == "push" and goal.object and goal.direction:
            self._push(goal, pending)
        else:
            if goal.object is not None:
                self._empty_hand(pending)
            self._add(goal)

    def let_go(self, goal: Goal, *, strict: bool) -> None:
        """Open the gripper about a certain thing.

        Raises:
            UnclearError: It is not held, and `strict`.
        """
        held = self.scene.held
        if held is not None and held.name == goal.object:
            self._add(Goal("release"))
        elif strict:
            raise UnclearError(f"I am not holding the {goal.object}. Where should I put it?")

    def _surely(self, fact: Fact) -> bool:
        return seen_to_hold(fact, self.scene, self._certainty)

    def _holds(self, predicate: str, *args: str) -> bool:
        fact = Fact.model_validate({"predicate": predicate, "args": args})
        return holds(fact, self.scene)

    def _place(self, goal: Goal, pending: list[Goal]) -> None:
        """Bring a thing to its place, opening a drawer on the way."""
        name, target = str(goal.object), str(goal.target)
        held = self.scene.held
        if self._must_open(target):
            # It takes an empty hand to pull, so even the thing itself is put down for that.
            self._empty_hand([] if held is not None and held.name == name else pending)
            self._open(target)
        self._grasp(name, pending)
        if not self._holds("room", target):
            raise no_room(name, target, self.scene)
        self._add(goal)

    def _push(self, goal: Goal, pending: list[Goal]) -> None:
        name, direction = str(goal.object), str(goal.direction)
        self._empty_hand(pending)
        self._uncover(name, pending)
        if not self._holds("loose", name):
            where = whereabouts(name, self.scene)
            raise UnclearError(
                f"I can push only what stands on the table itself, and the {name} is {where}. "
                "Should I put it on the table first?"
            )
        if leaves_the_table(name, direction, self.scene):
            ways = listed(possible_pushes(name, self.scene), "or")
            raise UnclearError(
                f"Pushing the {name} {direction} would take it off the table. "
                f"I can push it {ways}; which way should it go?"
            )
        self._add(goal)

    def _grasp(self, name: str, pending: list[Goal]) -> None:
        """Hold a thing: with an empty hand, out of an open drawer, from under what is on it."""
        held = self.scene.held
        if held is not None and held.name == name:
            return
        self._empty_hand(pending)
        carrier = self.scene.objects[name].support
        if self._must_open(carrier):
            self._open(carrier)
        self._uncover(name, pending)
        self._add(Goal("pick", name))

    def _must_open(self, name: str) -> bool:
        """Return whether it is a drawer that is not open, or of which that is not certain.

        How near it is to the border of being open is not asked: the hand gets in there as well.
        """
        thing = self.scene.objects.get(name)
        if thing is None or thing.kind != DRAWER:
            return False
        sure = thing.presence * thing.articulation_confidence >= self._certainty
        return not (sure and self._holds("open", name))

    def _open(self, name: str) -> None:
        self._add(Goal("open", name))

    def _uncover(self, name: str, pending: list[Goal]) -> None:
        """Move what stands on a thing to a free part of the table, the topmost first."""
        for top in self.scene.contents(name):
            self._uncover(top.name, pending)
            self._add(Goal("pick", top.name))
            self._put_down(top.name, pending)

    def _empty_hand(self, pending: list[Goal]) -> None:
        """Put down what is held: where it belongs if that comes later anyway, else on the table."""
        held = self.scene.held
        if held is None:
            return
        own = self._own_goal(held.name, pending)
        if own is None:
            self._put_down(held.name, pending)
        else:
            pending.remove(own)
            self._add(own)

    def _own_goal(self, name: str, pending: list[Goal]) -> Goal | None:
        """Return the next placement of a held thing where it can be done at once."""
        for own in [g for g in pending if g.object == name and g.target]:
            later = pending[pending.index(own) + 1 :]
            if self.is_past(own, later):
                pending.remove(own)
                continue
            if self._must_open(str(own.target)) or not self._holds("room", str(own.target)):
                return None
            return own
        return None

    def _put_down(self, name: str, pending: Sequence[Goal]) -> None:
        """Set down what is held in the nearest free zone, or let it go where there is none.

        Where something else is to go it would be in the way, and who corrects a command does not
        want it there.
        """
        wanted = [self._target, *(goal.target for goal in pending)]
        zone = parking_zone(name, self.scene, [t for t in wanted if t])
        self._add(Goal("place_on", name, zone) if zone else Goal("release"))

    def _add(self, goal: Goal) -> None:
        """Append a subgoal and let its effects come about."""
        if goal.object in self._forbidden:
            raise UnclearError(
                f"That would need the {goal.object}, which you told me to leave alone. "
                "What should I do instead?"
            )
        contract = contract_of(goal.skill, self._contracts)
        args = goal.args(contract)
        self.added.append(goal)
        self.subgoals.append(Subgoal(skill=goal.skill, args=args, phrase=contract.phrase(args)))
        for effect in contract.facts("effects", args):
            self.scene = after(self.scene, effect)
