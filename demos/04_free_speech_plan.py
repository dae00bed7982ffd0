"""What a language model makes of free speech, and what verification makes of that; nothing moves.

Shows every question to the model, its answer and what was found wrong with it. Needs
`pip install -e '.[llm]'` and a key, or a model on this machine.
Run it: `python demos/04_free_speech_plan.py [CONFIG.yaml] [COMMAND]`, for example with
`configs/ollama.yaml`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from agent.build import Agent
from agent.config import load_config
from agent.console import Console
from agent.events import Consulted, Event
from agent.mission import Mission, run_mission

CONFIG = Path("configs/openai.yaml")
COMMAND = "I spilled my coffee, can you put everything red out of the way?"
SEED = 20


class Conversation:
    """Prints what the model is told last, and what it answers."""

    def on_event(self, event: Event) -> None:
        """Print one question and its answer."""
        if isinstance(event, Consulted):
            print(f"\n== {event.decision}, asked of {event.model}\n{event.turns[-1].text}")
            print(f"\n== {event.fault or 'answer'}, after {event.seconds:.1f} s\n{event.reply}\n")


def main(config: Path, command: str) -> None:
    """Plan one command."""
    agent = Agent(load_config(config))
    try:
        run_mission(agent, Mission(command, SEED, dry_run=True), [Conversation(), Console()])
    finally:
        agent.close()


if __name__ == "__main__":
    main(
        Path(sys.argv[1]) if len(sys.argv) > 1 else CONFIG,
        sys.argv[2] if len(sys.argv) > 2 else COMMAND,
    )
