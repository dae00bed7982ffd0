"""A mission that is spoken from beginning to end: asked for, repeated, agreed to, and stopped.

Shows a synthetic voice that talks to the robot through a microphone, which is virtual and real in
all else: it tells what to do, hears the question back, and says yes; a second mission it stops
halfway by a word. Needs `pip install -e '.[speech]'`, flite and PulseAudio.
Run it: `python demos/05_spoken_mission.py ["command"] [seed]`. It leaves episodes and a film in
runs/, prints where, and exits with 1 where the robot did something else.
"""

from __future__ import annotations

import os
import queue
import sys
import threading

from agent.commands.listen import spoken
from agent.config import load_config
from agent.level_meter import LevelMeter
from agent.mission import Mission, fresh_folder
from agent.speech.microphone import Microphone
from skills.evaluate.virtual_microphone import VirtualMicrophone, virtual_microphone
from skills.evaluate.voices import VOICES

COMMAND = "put the red block in the drawer"
STOPPED = "put all blocks on the left"
VOICE = next(voice for voice in VOICES if voice.label == "flite/rms")
PATIENCE_S = 120.0
"""How long the person waits for what the robot should say next, s."""
TRIES = 4
"""How often the person says the same thing."""


class Person(threading.Thread):
    """Talks to the robot, and listens to what it answers before saying more."""

    def __init__(self, microphone: VirtualMicrophone, command: str) -> None:
        """Say nothing before the thread is started."""
        super().__init__(name="person", daemon=True)
        self._microphone, self._command = microphone, command
        self._heard: queue.Queue[str] = queue.Queue()
        self.ear = Microphone(None, self.hear)

    def hear(self, sentence: str) -> None:
        """Hear and print one sentence of the robot."""
        print(f"   robot: {sentence}", flush=True)
        self._heard.put(sentence)

    def run(self) -> None:
        """Have one mission carried out and another one stopped; then nothing more is heard."""
        try:
            self._wait_for("I am listening.")
            self._ask_for(self._command)
            self._wait_for("“Done.")
            self._ask_for(STOPPED)
            self._say("stop", "“I hold still now.")
        except queue.Empty:
            print("  person: It does not do as I say.", flush=True)
        finally:
            self.ear.close()

    def _ask_for(self, command: str) -> None:
        """Say a command until the robot has understood it, and agree."""
        for _ in range(TRIES):
            if f"I heard: {command}." in self._say(command, "Shall I?"):
                self._say("yes", "“I will")
                return
            self._say("no", "Then I leave it.")
        raise queue.Empty

    def _say(self, words: str, reply: str) -> str:
        """Say something, again where it was not made out, and return the reply to it."""
        for _ in range(TRIES):
            print(f"  person: {words}", flush=True)
            self._microphone.play(VOICE.say(words))
            if reply in (heard := self._wait_for(reply, ": ignored.")):
                return heard
        raise queue.Empty

    def _wait_for(self, *parts: str) -> str:
        """Return the next sentence of the robot that has one of these in it."""
        while True:
            sentence = self._heard.get(timeout=PATIENCE_S)
            if any(part in sentence for part in parts):
                return sentence


def main(command: str, seed: int) -> bool:
    """Return whether the first mission was carried out and the second one was stopped."""
    config = load_config(None, ["speech.voice=none"])
    folder = fresh_folder(config.episode.directory)
    first = Mission("", seed, folder, folder.with_suffix(".mp4"))
    with virtual_microphone() as microphone:
        os.environ.update(microphone.environment)
        person = Person(microphone, command)
        person.start()
        screen = LevelMeter(sys.stdout)
        missions = list(spoken(config, person.ear, first, screen, confirm=True, tell=person.hear))
    for mission in missions:
        print(
            f"{mission['command']}: {mission['outcome']}, by the world's own verdict "
            f"{mission['world_success']}\nEpisode: {mission['episode']}"
        )
    print(f"Film: {first.video}")
    ends = [mission["outcome"] for mission in missions]
    return ends == ["success", "stopped"] and missions[0]["world_success"] is True


if __name__ == "__main__":
    went_well = main(
        sys.argv[1] if len(sys.argv) > 1 else COMMAND, int(sys.argv[2]) if len(sys.argv) > 2 else 20
    )
    sys.exit(not went_well)
