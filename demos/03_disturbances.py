"""A tower in an unlucky world: the hand opens by itself while it carries.

Shows on one film how the monitor finds out within a fifth of a second, what it says of it, the new
plan, and the tower in the end. Run it: `python demos/03_disturbances.py [seed]`. It exits with 1
where nothing was dropped or no tower stands.
"""

from __future__ import annotations

import sys
from pathlib import Path

from agent.build import Agent
from agent.config import load_config
from agent.console import Console
from agent.mission import Mission, run_mission
from skills.evaluate.commands import draw_stack

FILM = Path("runs/03_disturbances.mp4")


def main(seed: int) -> bool:
    """Stack the blocks of a scene while things are dropped; return whether that was overcome."""
    command = draw_stack(seed)
    if command is None:
        sys.exit(f"There are not three free blocks in the scene of seed {seed}; try another.")
    agent = Agent(load_config(None, ["robot.disturbances.drop_per_s=0.3"]))
    try:
        summary = run_mission(agent, Mission(command.text, seed, video=FILM), [Console()])
    finally:
        agent.close()
    print(f"World's own verdict: {summary['world_success']}, replans: {summary['replans']}")
    print(f"Film: {FILM}")
    dropped = any(step["reason"] == "dropped" for step in summary["subgoals"])
    return dropped and summary["outcome"] == "success" and summary["world_success"] is True


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_020))
