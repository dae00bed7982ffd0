"""From a configuration to what turns sound into words; it names the concrete classes."""

from __future__ import annotations

from collections.abc import Mapping

from agent.config import Config
from agent.errors import ConfigError, unknown
from agent.protocols import Transcriber
from agent.types import SkillContract

_SPHINX = "pocketsphinx"
_KINDS = (_SPHINX, "whisper:MODEL", "faster-whisper:MODEL", "openai:MODEL")


def open_transcriber(config: Config, contracts: Mapping[str, SkillContract]) -> Transcriber:
    """Return what is configured, loaded and ready for many utterances.

    Args:
        config: Names it.
        contracts: The skills that commands are about.

    Raises:
        ConfigError: There is no such kind, its model is not named, or it has no key.
        MissingDependency: It needs a package that is not installed.
        SpeechError: Its model is not there or cannot be read.
    """
    kind, _, model = config.speech.transcriber.partition(":")
    match kind, bool(model):
        case "pocketsphinx", False:
            from agent.speech.grammar import CommandGrammar
            from agent.speech.pocketsphinx import PocketsphinxTranscriber

            return PocketsphinxTranscriber(CommandGrammar(contracts).network)
        case "whisper", True:
            from agent.speech.openai_whisper import OpenAIWhisper

            return OpenAIWhisper(model)
        case "faster-whisper", True:
            from agent.speech.faster_whisper import FasterWhisper

            return FasterWhisper(model)
        case "openai", True:
            from agent.speech.openai_transcription import OpenAITranscription

            return OpenAITranscription(model, config.speech)
    raise ConfigError(unknown("transcriber", config.speech.transcriber, _KINDS))
