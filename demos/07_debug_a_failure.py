"""A mission that failed, found out about afterwards: what happened, why, and would this mend it?

A hand that drops things meets a robot that may not plan anew. The episode is done again to the
bit, decided anew with a budget of new plans, which shows where the two part, and taken up live
shortly before that, with that budget, until the tower stands. Leaves a page of the failure with
the place marked. Run it: `python demos/07_debug_a_failure.py [seed]`. It exits with 1 where the
story does not hold.
"""

from __future__ import annotations

import sys
from pathlib import Path

from agent.build import Agent
from agent.config import load_config
from agent.console import Console
from agent.episode.page import PAGE, Mark, write_page
from agent.episode.reader import Episode, read_episode
from agent.mission import Mission, fresh_folder, run_mission
from agent.replay.check import check
from agent.replay.decisions import Difference, Reviewer
from agent.replay.resume import bring_to
from agent.replay.variation import varied
from skills.evaluate.commands import draw_stack

MEND = ["budget.replans=8"]
BEFORE_TICKS = 5


def fail(seed: int) -> Episode:
    """Run a mission that cannot cope with what happens, and return its episode."""
    command = draw_stack(seed)
    if command is None:
        sys.exit(f"There are not three free blocks in the scene of seed {seed}; try another.")
    folder = fresh_folder(Path("runs"))
    unlucky = ["robot.disturbances.drop_per_s=0.3", "budget.replans=0", "budget.attempts=1"]
    agent = Agent(load_config(None, unlucky))
    try:
        run_mission(agent, Mission(command.text, seed, folder), [Console()])
    finally:
        agent.close()
    return read_episode(folder)


def review(episode: Episode) -> Difference | None:
    """Return where the mission would first have been decided otherwise with the mend."""
    reviewer = Reviewer(MEND)
    try:
        return next(iter(reviewer(episode).differences), None)
    finally:
        reviewer.close()


def go_on(episode: Episode, tick: int) -> bool:
    """Take the mission up live, with the mend; return whether the world says it succeeded."""
    agent = Agent(varied(episode, MEND, None))
    try:
        bring_to(agent, episode, tick)
        folder = fresh_folder(Path("runs"))
        summary = run_mission(agent, Mission(episode.command, None, folder), [Console()])
    finally:
        agent.close()
    return summary["outcome"] == "success" and summary["world_success"] is True


def main(seed: int) -> bool:
    """Tell the story; return whether every part of it holds."""
    episode = fail(seed)
    again = check(episode)
    print(f"\nDone again: {again.ticks} ticks, {'the same' if again.same else 'another way'}.")
    first = review(episode)
    if first is None:
        print("New plans would not have mattered.")
        return False
    print(f"At tick {first.tick} it {first.then}; with the mend it {first.now}.")
    print(f"Because {first.cause}.")
    page = episode.path.with_name(PAGE)
    mark = Mark(first.time_s, first.kind.value, first.then, first.now, first.cause)
    write_page(episode, page, [mark])
    print(f"All of it, tick by tick: {page}\n")
    mended = go_on(episode, max(0, first.tick - BEFORE_TICKS))
    failed = episode.result is not None and episode.result.outcome.value == "needs_help"
    return failed and again.same and mended


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_009))
