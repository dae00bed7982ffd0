"""What spoken commands need: a microphone, three parts that hear, and a voice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agent.config import Config
from agent.doctor.check import Check
from agent.errors import BosunError
from agent.speech.voice import NONE, voice_command

_TYPED = "Typed commands do without."
_INSTALL = f"Run `pip install -c constraints.txt -e '.[speech]'`. {_TYPED}"


def parts(config: Config) -> list[Check]:
    """Look whether each is there and works; nothing is heard, said or sent."""
    return [
        _loads(
            "microphone",
            lambda: _microphone(config),
            "Plug it in or name another one, --set speech.device=NAME; on Linux it also needs "
            f"`sudo apt-get install libportaudio2 libasound2-plugins`. {_TYPED}",
        ),
        _loads("voice detector", _voice_detector, _INSTALL),
        _loads(
            "stop word",
            lambda: _stop_words(config),
            f"Choose a word that it knows, --set 'speech.stop_words=[stop]'. {_INSTALL}",
        ),
        _loads(
            "transcriber",
            lambda: _transcriber(config),
            "Install what it names, or take the one that needs nothing else, "
            f"--set speech.transcriber=pocketsphinx. {_TYPED}",
        ),
        _loads(
            "voice",
            lambda: _voice(config),
            "Run `sudo apt-get install espeak-ng`; without a voice what it says is only printed.",
        ),
    ]


def _loads(name: str, load: Callable[[], str], mend: str) -> Check:
    """Return what loading a part tells, or why it failed and what to do about it."""
    try:
        return Check(name, True, load(), required=False)
    except (BosunError, ImportError, OSError) as error:
        return Check(name, False, str(error), mend, required=False)


def _microphone(config: Config) -> str:
    from agent.speech.microphone import Microphone, input_devices

    device = config.speech.device
    Microphone(device)
    chosen = "the system's own" if device is None else f"{device!r}"
    return f"{chosen}, of: {', '.join(input_devices())}"


def _voice_detector() -> str:
    from agent.speech.vad import FRAME, SpeechProbability

    SpeechProbability()(np.zeros(FRAME, np.float32))
    return "Silero's network runs"


def _stop_words(config: Config) -> str:
    from agent.speech.source import BLOCK, Block
    from agent.speech.spotter import NetworkSpotter, spotter_for

    told = []
    for word in config.speech.stop_words:
        spotter = spotter_for(word)
        spotter.hear(Block(np.zeros(BLOCK, np.float32), 0.0))
        is_taught = isinstance(spotter, NetworkSpotter)
        told.append(f"{word!r} by {'its own network' if is_taught else 'pocketsphinx'}")
    return ", ".join(told)


def _transcriber(config: Config) -> str:
    from agent.transcription import open_transcriber
    from skills.registry import load_contracts

    open_transcriber(config, load_contracts())
    return f"{config.speech.transcriber} is ready"


def _voice(config: Config) -> str:
    command = voice_command(config.speech.voice)
    if config.speech.voice == NONE:
        return "not wanted: speech.voice is none"
    if command is None:
        raise FileNotFoundError("none of espeak-ng, flite and festival is installed")
    return f"{command[0]} speaks"
