"""Floods the runtime with plans of a random model, and counts what becomes of them.

`python -m tests.llm.flood --plans 10000 --scenes 200` starts the server itself and prints a line
of JSON. Every plan keeps to the schema; nearly all are nonsense.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from agent.doubles import FixedEstimator, Recorder, ScriptedMonitor, StillRobot
from agent.events import Planned, SubgoalStarted
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


@dataclass
class Tally:
    """What became of the plans.

    Attributes:
        plans: Plans that the model stated.
        asked: Of those, questions.
        rejected: Of those, refused by verification, with reasons.
        accepted: Of those, accepted.
        impossible: Accepted plans that the independent executor refuses, and why; none, one hopes.
        unverified: Subgoals that ran though no accepted plan has them; none, one hopes.
        reasons: How often each kind of reason was given.
    """

    plans: int = 0
    asked: int = 0
    rejected: int = 0
    accepted: int = 0
    impossible: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


def flood(chat: LangChainChat, plans: int, scenes: int) -> Tally:
    """Run missions in one scene after another until this many plans were stated."""
    tally = Tally()
    prompts = Prompts(30, 0.5)
    with tqdm(total=plans, desc="plans", disable=not sys.stderr.isatty()) as bar:
        while tally.plans < plans:
            scene = initial_scene(1_000_000 + (tally.plans * scenes) // plans)
            before = tally.plans
            _mission(chat, prompts, scene, tally)
            bar.update(tally.plans - before)
    return tally


def _mission(chat: LangChainChat, prompts: Prompts, scene: Scene, tally: Tally) -> None:
    """Run one mission whose every subgoal succeeds, and count its plans."""
    recorder, robot = Recorder(), StillRobot()
    planner = LLMPlanner(chat, prompts, Allowance(10**9), tell=recorder.on_event)
    Bench(
        robot=robot,
        planner=planner,
        estimator=FixedEstimator([scene]),
        monitor=ScriptedMonitor([DONE]),
        subscribers=[recorder],
    ).runtime.run(_COMMAND, 0)
    allowed: set[str] = set()
    for event in recorder.events:
        if isinstance(event, Planned):
            _count(event, scene, tally)
            allowed |= {s.phrase for s in event.plan.subgoals if not event.problems}
        elif isinstance(event, SubgoalStarted):
            # The runtime's own look between plans, attempt 0, is in no plan.
            ran = {event.subgoal.phrase} if event.attempt else set()
            tally.unverified += ran - allowed


def _count(event: Planned, scene: Scene, tally: Tally) -> None:
    tally.plans += 1
    if event.problems:
        tally.rejected += 1
        tally.reasons.update(_kind(problem) for problem in event.problems)
    elif event.plan.question is not None:
        tally.asked += 1
    else:
        tally.accepted += 1
        why = _refused(event.plan, scene)
        if why is not None:
            tally.impossible.append(f"{[s.phrase for s in event.plan.subgoals]}: {why}")


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
    """Return what a problem is about: the predicate it names, or its first words."""
    _, _, sentence = problem.partition(": ")
    words = (sentence or problem).split()
    return words[2].partition("(")[0] if words[:2] == ["It", "needs"] else " ".join(words[:3])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=int, default=10_000)
    parser.add_argument("--scenes", type=int, default=200)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = make_tiny_llama(Path(folder) / "tiny-llama")
        with Server(Path(folder), model) as server:
            settings = PlannerConfig(kind="openai:tiny-llama", base_url=server.base_url)
            chat = open_chat(settings)
            tally = flood(chat, args.plans, args.scenes)
            chat.close()
    sys.stdout.write(json.dumps(vars(tally)) + "\n")


if __name__ == "__main__":
    main()
