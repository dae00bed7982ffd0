"""Hearing through a capture path: sounds are played to a microphone that is really listened to."""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable
from contextlib import ExitStack

from agent.speech.hearing import Hearing
from agent.speech.microphone import Microphone
from agent.speech.vad import VoiceEndpointer
from agent.types import FloatArray, Scene
from skills.evaluate.hearing import Bench, Passed
from skills.evaluate.virtual_microphone import virtual_microphone

_ENDS_S = 1.5
"""How long after the end of a sound an utterance may still be handed over, s."""
_POLL_S = 0.1


class CapturedBench:
    """Lets a bench hear what a virtual microphone took in, cut into utterances."""

    def __init__(self, make_bench: Callable[[], Bench]) -> None:
        """Load the bench, start a sound server of its own and listen to it.

        Raises:
            MissingDependency: PulseAudio or a package is not installed.
            SpeechError: The sound server does not start.
        """
        self._bench = make_bench()
        opened = ExitStack()
        atexit.register(opened.close)
        self._microphone = opened.enter_context(virtual_microphone())
        # PortAudio looks for the server in the environment of its own process.
        os.environ.update(self._microphone.environment)
        self._hearing = Hearing(Microphone(), VoiceEndpointer(), None)
        opened.callback(self._hearing.close)

    def __call__(self, sound: FloatArray, scene: Scene) -> Passed:
        """Return what was made of the first utterance that was not refused."""
        for utterance in self._utterances(sound):
            passed = self._bench(utterance, scene)
            if passed.subgoals:
                return passed
        return Passed((), asks=False)

    def _utterances(self, sound: FloatArray) -> list[FloatArray]:
        # What was played before is none of this.
        while self._hearing.utterance(0.0) is not None:
            continue
        self._microphone.play(sound)
        heard, until = list[FloatArray](), time.monotonic() + _ENDS_S
        while time.monotonic() < until:
            if (utterance := self._hearing.utterance(_POLL_S)) is not None:
                heard.append(utterance.audio)
        return heard
