"""Floods the runtime with plans of a random model, and counts what becomes of them.

`python -m tests.llm.flood --plans 10000 --scenes 200` starts the server itself and prints a line
of JSON. Every plan keeps to the schema and has at least one subgoal; nearly all are nonsense.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from tqdm import tqdm

from agent.doubles import FixedEstimator, Recorder, ScriptedMonitor, StillRobot
from agent.events import Consulted, Event, Planned, SubgoalStarted
from agent.planner.consultant import Allowance
from agent.planner.langchain_chat import LangChainChat
from agent.planner.llm import LLMPlanner
from agent.planner.prompts import Prompts
from agent.planner.providers import open_chat
from agent.sections import PlannerConfig
from agent.types import Plan, Scene
from skills.evaluate.commands import initial_scene
from tests.llm.executor import Impossible, World
from tests.llm.processes import Server
from tests.llm.tiny_llama import make_tiny_llama
from tests.parts import DONE, Bench

_COMMAND = "tidy up"
_FEWEST = range(1, 7)
"""Fewest subgoals of a mission's plans, mission after mission: a random model soon ends a list."""
_TEXT = 6
"""Characters of the model's words, which say nothing and take time."""
_ENDS = (".", "!", "?")


@dataclass
class Tally:
    """What became of what the model said.

    Attributes:
        asked: How often it was asked.
        questions: Of its answers, those that ask the human, which are no plans.
        nothing: Of its answers, those that are neither a question nor have a subgoal.
        plans: The rest: plans of at least one subgoal.
        rejected: Of those, refused by verification, with reasons.
        accepted: Of those, accepted.
        impossible: Accepted plans that the independent executor refuses, and why; none, one hopes.
        unverified: What ran though no accepted plan has it next; none, one hopes.
        unreasoned: Refused answers whose reasons are not all sentences; none, one hopes.
        steps: How often an accepted plan had so many subgoals.
        skills: How often an accepted plan calls each skill.
        reasons: How often each kind of reason was given for a plan.
        first_reasons: The same of each plan's first reason, so that they add up to `rejected`.
        wary: First reasons of rejected plans that the executor, which knows no lengths, times or
            doubts, would have carried out.
    """

    asked: int = 0
    questions: int = 0
    nothing: int = 0
    plans: int = 0
    rejected: int = 0
    accepted: int = 0
    impossible: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    unreasoned: list[str] = field(default_factory=list)
    steps: Counter[int] = field(default_factory=Counter)
    skills: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    first_reasons: Counter[str] = field(default_factory=Counter)
    wary: Counter[str] = field(default_factory=Counter)


def flood(server: Server, plans: int, scenes: int) -> Tally:
    """Run missions in one scene after another until at least this many plans were judged."""
    tally = Tally()
    prompts = Prompts(30, 0.5)
    chat = open_chat(PlannerConfig(kind="openai:tiny-llama", base_url=server.base_url))
    fewest = cycle(_FEWEST)
    with tqdm(total=plans, desc="plans", disable=not sys.stderr.isatty()) as bar:
        while tally.plans < plans:
            scene = initial_scene(1_000_000 + (tally.plans * scenes) // plans)
            before = tally.plans
            # The server keeps every request, and these are many.
            server.clear()
            server.bound(least=next(fewest), text=_TEXT)
            _mission(chat, prompts, scene, tally)
            bar.update(tally.plans - before)
    chat.close()
    return tally


def _mission(chat: LangChainChat, prompts: Prompts, scene: Scene, tally: Tally) -> None:
    """Run one mission whose every subgoal succeeds, and count its answers."""
    recorder, robot = Recorder(), StillRobot()
    planner = LLMPlanner(chat, prompts, Allowance(10**9), tell=recorder.on_event)
    Bench(
        robot=robot,
        planner=planner,
        estimator=FixedEstimator([scene]),
        monitor=ScriptedMonitor([DONE]),
        subscribers=[recorder],
    ).runtime.run(_COMMAND, 0)
    tally.asked += len(recorder.of(Consulted))
    for said in recorder.of(Planned):
        _count(said, scene, tally)
    tally.unverified += unverified(recorder.events, robot)


def unverified(events: Sequence[Event], robot: StillRobot) -> list[str]:
    """Return what ran that was not the next subgoal of the plan accepted last."""
    due: list[str] = []
    found = []
    accepted = False
    for event in events:
        if isinstance(event, Planned) and not event.problems:
            due = [subgoal.phrase for subgoal in event.plan.subgoals]
            accepted = accepted or bool(due)
        # The runtime's own look between plans, attempt 0, is in no plan.
        elif isinstance(event, SubgoalStarted) and event.attempt:
            if due[:1] != [event.subgoal.phrase]:
                found.append(event.subgoal.phrase)
            due = due[1:]
    if robot.sent and not accepted:
        found.append(f"{len(robot.sent)} motions without an accepted plan")
    return found


def _count(said: Planned, scene: Scene, tally: Tally) -> None:
    """Count one answer and, where it is a plan, what the two judges say of it."""
    plan, problems = said.plan, said.problems
    if not all(problem.strip().endswith(_ENDS) for problem in problems):
        tally.unreasoned.append(str(problems))
    if not plan.subgoals:
        if plan.question is not None:
            tally.questions += 1
        else:
            tally.nothing += 1
            if not problems:
                tally.unreasoned.append("A plan of nothing was accepted.")
        return
    tally.plans += 1
    why = _refused(plan, scene)
    if problems:
        tally.rejected += 1
        kinds = [_kind(problem) for problem in problems]
        tally.reasons.update(kinds)
        tally.first_reasons[kinds[0]] += 1
        if why is None:
            tally.wary[kinds[0]] += 1
    else:
        tally.accepted += 1
        tally.steps[len(plan.subgoals)] += 1
        tally.skills.update(subgoal.skill for subgoal in plan.subgoals)
        if why is not None:
            tally.impossible.append(f"{[s.phrase for s in plan.subgoals]}: {why}")


def _refused(plan: Plan, scene: Scene) -> str | None:
    """Return why the independent executor cannot carry a plan out."""
    world = World(scene)
    try:
        for step in plan.subgoals:
            world.take(step)
    except Impossible as error:
        return str(error)
    return None


def _kind(problem: str) -> str:
    """Return what a problem is about: the predicate it names, or its first word or words."""
    _, _, sentence = problem.partition(": ")
    words = (sentence or problem).split()
    if words[:2] == ["It", "needs"]:
        return words[2].partition("(")[0]
    return words[0] if words[0] == "Pushing" else " ".join(words[:3])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=int, default=10_000)
    parser.add_argument("--scenes", type=int, default=200)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = make_tiny_llama(Path(folder) / "tiny-llama")
        with Server(Path(folder), model) as server:
            tally = flood(server, args.plans, args.scenes)
    sys.stdout.write(json.dumps(vars(tally)) + "\n")


if __name__ == "__main__":
    main()
