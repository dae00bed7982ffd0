"""What is not meant for the robot moves nothing: `python -m tests.benchmarks.quiet`.

Eight voices say sixty sentences about something else; ten minutes of white noise, babble and music
go by; and the robot's own voice is played back into the microphone. All of it goes through what
`bosun listen` uses: voice activity, the stop word, pocketsphinx, gate, planner and conversation.
Each utterance is heard in three situations at once: nobody has asked for anything, a question waits
for a yes, and a mission is on. Exit code 1 if something would move, a question is agreed to, or the
robot asks about one sound more than once.

The robot's own voice needs PulseAudio and takes real time; `--own 0` leaves it out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from agent.build import Agent
from agent.config import Config, load_config
from agent.conversation import Became, Conversation
from agent.listening import Listener
from agent.pause import Pause
from agent.planner.grammar import GrammarPlanner
from agent.protocols import Transcript
from agent.speech.gate import Gate
from agent.speech.hearing import Hearing
from agent.speech.microphone import Microphone
from agent.speech.source import SAMPLE_RATE_HZ, Playback
from agent.speech.spotter import spotter_for
from agent.speech.stop_word import StopWord
from agent.speech.vad import Utterance, VoiceEndpointer
from agent.transcription import open_transcriber
from agent.types import FloatArray, Plan
from skills.dataset import in_sight
from skills.evaluate.commands import initial_scene
from skills.evaluate.offtopic import OFF_TOPIC, SOUNDS
from skills.evaluate.virtual_microphone import virtual_microphone
from skills.evaluate.voices import VOICES
from skills.registry import load_contracts
from tests.benchmarks.listening import Brakes
from tests.speech.sounds import silence

SEED = 1_000_010
"""Of a scene with three things to move, two bowls, a plate and a button."""
COMMAND, SURE = "put the red block in the blue bowl", {"agreement": 1.0, "word_posterior": 0.9}
MAX_FALSE_STOPS_PER_MIN = 0.1
IDLE, ASKED, BUSY = "idle", "asked", "busy"
_QUESTION = "I would pick up the red block, then put it in the drawer. Shall I?"
_OWN = (
    "I will put the red block in the drawer, then press the button.",
    "I missed it.",
    "Something is in the way.",
    "Done.",
    "I hold still now.",
    "I heard: put the red block in the drawer. I would open the drawer. Shall I?",
    "Which block do you mean, the red one or the green one?",
    "Then I leave it. What should I do?",
    "Step 2 of 3: put the red block in the drawer.",
    "I am not sure that it worked.",
)
"""What the robot says, much of which is a command or a yes to whoever hears only a part of it."""


class Situation:
    """A conversation that has come to a certain point, and what it makes of what it hears."""

    def __init__(self, name: str, config: Config) -> None:
        self.name, self._config = name, config
        self._planner, self._contracts = GrammarPlanner(), load_contracts()
        self._scene = in_sight(initial_scene(SEED))
        self.begin()

    def begin(self) -> None:
        """Come to the point anew."""
        self.said: list[str] = []
        self.stops = 0
        self._conversation = Conversation(
            Gate(self._config.speech.gate, "pocketsphinx"),
            self._understand,
            self.said.append,
            lambda: "",
            Pause(),
            self._stop,
            patience_s=3600.0,
        )
        if self.name != IDLE:
            self.hear(Transcript(COMMAND, 0.9, 0.0, language="en", evidence=SURE), 3.0)
        if self.name == BUSY:
            self.hear(Transcript("yes", 0.9, 0.0, language="en", evidence=SURE), 1.5)
            assert self._conversation.command(0.0) == COMMAND
        self.said.clear()

    def hear(self, transcript: Transcript, seconds: float) -> Became:
        """Return what becomes of an utterance."""
        return self._conversation.hear(transcript, seconds)[0]

    def moved(self) -> str:
        """Return what would be done now that was not asked for, nothing for nothing."""
        return self._conversation.wish(0.0) or self._conversation.command(0.0) or ""

    def _stop(self) -> None:
        self.stops += 1

    def _understand(self, text: str) -> Plan:
        return self._planner.plan(text, self._scene, self._contracts, ())


class Room:
    """Hears one sound after another as fast as it can.

    Attributes:
        told: Kind of sound -> what came of it, counted.
        faults: What should not have happened, with the sound and the words.
    """

    def __init__(self, config: Config) -> None:
        self._transcriber = open_transcriber(config, load_contracts())
        self._transcriber.expect(in_sight(initial_scene(SEED)))
        self._endpointer = VoiceEndpointer()
        self._situations = [Situation(name, config) for name in (IDLE, ASKED, BUSY)]
        self.told: dict[str, Counter[str]] = {}
        self.faults: list[dict[str, Any]] = []

    def hear(self, kind: str, what: str, sound: FloatArray) -> None:
        """Hear a sound in every situation."""
        told = self.told.setdefault(kind, Counter())
        told["sounds"] += 1
        for utterance in self._utterances(sound, told):
            transcript = self._transcriber.transcribe(utterance.audio)
            told["utterances"] += 1
            for situation in self._situations:
                became = situation.hear(transcript, len(utterance.audio) / SAMPLE_RATE_HZ)
                told[f"{situation.name}: {became.value}"] += 1
                if moved := situation.moved():
                    self._fault(situation, what, transcript, f"it would do: {moved}")
        for situation in self._situations:
            told["false stops"] += situation.stops
            if len(situation.said) > 1:
                self._fault(situation, what, None, f"it said: {' '.join(situation.said)}")
            situation.begin()

    def _utterances(self, sound: FloatArray, told: Counter[str]) -> Iterator[Utterance]:
        brakes, around = Brakes(), silence(1.0)
        told["milliseconds"] += round(1000 * len(sound) / SAMPLE_RATE_HZ)
        source = Playback([around, sound, around], speed=None)
        hearing = Hearing(source, self._endpointer, StopWord([spotter_for("stop")], brakes))
        while not hearing.ended:
            if (utterance := hearing.utterance(0.1)) is not None:
                yield utterance
        hearing.close()
        self._endpointer.reset()
        told["false pauses"] += brakes.pauses
        told["false stops"] += brakes.stops

    def _fault(
        self, situation: Situation, what: str, transcript: Transcript | None, why: str
    ) -> None:
        heard = transcript.text if transcript else ""
        fault = {"situation": situation.name, "sound": what, "heard": heard, "fault": why}
        self.faults.append(fault)


def sounds(sentences: int, voices: int, minutes: float) -> Iterator[tuple[str, str, FloatArray]]:
    """Yield the kind of every sound, what it is, and the sound."""
    cache = Path(tempfile.gettempdir()) / "bosun-voices"
    for sentence in OFF_TOPIC[:sentences]:
        for voice in VOICES[:voices]:
            yield "off topic", f"{voice.label}: {sentence}", voice.say(sentence, cache)
    rng = np.random.default_rng(0)
    heard_s = {name: 0.0 for name in SOUNDS}
    while (name := min(heard_s, key=lambda n: heard_s[n])) and sum(heard_s.values()) < minutes * 60:
        sound = SOUNDS[name](rng)
        heard_s[name] += len(sound) / SAMPLE_RATE_HZ
        yield name, name, sound


def own_voice(sentences: int) -> dict[str, Any]:
    """Return what the robot makes of its own voice, through a sound server, in real time."""
    heard: list[str] = []
    with virtual_microphone() as microphone:
        os.environ.update(microphone.environment)
        agent = Agent(load_config(None, ["speech.voice=espeak-ng --stdin"]))
        agent.robot.reset(SEED)
        listener = Listener(agent, Microphone(None, heard.append), heard.append, confirm=True)
        try:
            while "I am listening." not in heard:
                time.sleep(0.1)
            # It speaks, listens, and waits for an answer that nobody gives.
            answers = [listener.conversation.answer(sentence) for sentence in _OWN[:sentences]]
            commanded = listener.conversation.command(0.0)
        finally:
            listener.close()
            agent.close()
    taken = [told for told in heard if told.startswith("Heard")]
    said = [told for told in heard if told.startswith("“")]
    return {
        "sentences": sentences,
        "utterances": taken,
        "answers": [answer for answer in answers if answer],
        "commanded": commanded,
        "said_besides": len(said) - sentences,
        "stopped": agent.robot.stopped,
    }


def main() -> int:
    """Listen, print one JSON object, and say by the exit code whether all was left alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=len(OFF_TOPIC), help="about other things")
    parser.add_argument("--voices", type=int, default=len(VOICES), help="that say each of them")
    parser.add_argument("--minutes", type=float, default=10.0, help="of noise")
    parser.add_argument("--own", type=int, default=len(_OWN), help="sentences of the robot's own")
    asked = parser.parse_args()
    room = Room(load_config(None))
    for kind, what, sound in sounds(asked.sentences, asked.voices, asked.minutes):
        room.hear(kind, what, sound)
    own = own_voice(asked.own) if asked.own else None
    minutes = sum(told["milliseconds"] for told in room.told.values()) / 60_000
    stops = sum(told["false stops"] for told in room.told.values())
    missed = [fault["fault"] for fault in room.faults]
    if stops > MAX_FALSE_STOPS_PER_MIN * minutes:
        missed.append(f"{stops} false stops in {minutes:.1f} min")
    if own and (own["answers"] or own["commanded"] or own["said_besides"] or own["stopped"]):
        missed.append("the robot's own voice")
    told = {"sounds": room.told, "faults": room.faults, "own_voice": own, "missed": missed}
    sys.stdout.write(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
