"""Nonsense: whatever is said, the planner asks or plans what can be carried out."""

from __future__ import annotations

import numpy as np

from agent.planner.grammar import GrammarPlanner
from agent.planner.verify import PlanVerifier
from agent.planner.vocabulary import LEXICON
from agent.types import Scene, SubgoalResult
from tests.planner.test_commands import CONTRACTS, ENTRIES, SCENES
from tests.planner.test_replanning import result

PHRASES = [" ".join(words) for words in LEXICON]
COMMANDS = [entry["command"].split() for entry in ENTRIES if entry["command"]]
WHERE = [*SCENES.values(), Scene(0.0)]
TRIES = 600


def nonsense(rng: np.random.Generator) -> str:
    """Return random phrases, or a command with words left out, put in and mixed with another."""
    if rng.random() < 0.3:
        return " ".join(rng.choice(PHRASES, size=int(rng.integers(1, 10))))
    words = list(COMMANDS[rng.integers(len(COMMANDS))])
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(words) + 1))
        match int(rng.integers(3)):
            case 0:
                del words[at : at + 1]
            case 1:
                words.insert(at, str(rng.choice(PHRASES)))
            case _:
                words = [*words[:at], *COMMANDS[rng.integers(len(COMMANDS))][at:]]
    return " ".join(words)


def test_nonsense_is_asked_about_or_can_be_done() -> None:
    """Nothing raises, and no plan that could not be carried out is given."""
    rng = np.random.default_rng(0)
    verifier = PlanVerifier(max_seconds=1000)
    planned = 0
    for _ in range(TRIES):
        command, where = nonsense(rng), WHERE[rng.integers(len(WHERE))]
        made = GrammarPlanner().plan(command, where, CONTRACTS, [])
        assert bool(made.subgoals) != bool(made.question), command
        assert verifier.problems(made, where, CONTRACTS) == [], command
        planned += bool(made.subgoals)
    assert planned > TRIES / 20


def test_nonsense_may_have_a_history() -> None:
    """A planner that did not make the first plan does not raise either."""
    rng = np.random.default_rng(1)
    planner = GrammarPlanner()
    history: list[SubgoalResult] = []
    for _ in range(TRIES // 3):
        command, where = nonsense(rng), WHERE[rng.integers(len(WHERE))]
        made = planner.plan(command, where, CONTRACTS, history)
        assert bool(made.subgoals) != bool(made.question), command
        history += [result(subgoal, good=bool(rng.random() < 0.5)) for subgoal in made.subgoals]
        history = history[-int(rng.integers(1, 8)) :]
