"""A typed command becomes a finished mission, from camera images alone.

Shows the whole of Bosun from the library: configuration -> agent -> mission -> summary.
Run it: `python demos/01_typed_command.py ["command"] [seed]`. It leaves an episode and a film in
runs/, and prints where.
"""

from __future__ import annotations

import sys
from pathlib import Path

from agent.build import Agent
from agent.config import load_config
from agent.console import Console
from agent.mission import Mission, fresh_folder, run_mission

COMMAND = "put the red block in the drawer, close it and turn on the lamp"


def main(command: str, seed: int) -> None:
    """Run one command in the scene of a seed."""
    config = load_config(None)
    folder = fresh_folder(config.episode.directory)
    mission = Mission(command, seed, episode=folder, video=folder.with_suffix(".mp4"))
    agent = Agent(config)
    try:
        summary = run_mission(agent, mission, [Console()])
    finally:
        agent.close()
    print(f"World's own verdict: {summary['world_success']}")
    print(f"Episode: {folder}\nVideo: {Path(str(mission.video))}")


if __name__ == "__main__":
    main(
        sys.argv[1] if len(sys.argv) > 1 else COMMAND, int(sys.argv[2]) if len(sys.argv) > 2 else 20
    )
