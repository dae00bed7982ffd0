"""What happens when the hand drops things: the monitor notices, the planner plans again.

Shows one mission twice in the same unlucky world, where the gripper opens by itself with
probability 0.3 per second of carrying: first without replanning, then with it.
Run it: `python demos/02_replan_on_failure.py [seed]`.
"""

from __future__ import annotations

import sys

from agent.build import Agent
from agent.config import load_config
from agent.console import Console
from agent.mission import Mission, run_mission

COMMAND = "put all blocks on the plate"
DROPS = "robot.disturbances.drop_per_s=0.3"


def main(seed: int) -> None:
    """Run the mission without and with replanning."""
    for title, settings in (
        ("Without replanning", [DROPS, "budget.replans=0", "budget.attempts=1"]),
        ("With replanning", [DROPS]),
    ):
        print(f"\n== {title}")
        agent = Agent(load_config(None, settings))
        try:
            summary = run_mission(agent, Mission(COMMAND, seed), [Console()])
        finally:
            agent.close()
        print(f"World's own verdict: {summary['world_success']}, replans: {summary['replans']}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_007)
