"""Whisper run by CTranslate2, without PyTorch: the fastest of them on a processor."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from agent.errors import MissingDependency, SpeechError, unknown
from agent.protocols import Transcript
from agent.speech.whisper_family import SCORES, TOKENS, Segment, prompt_of, transcript_of
from agent.types import FloatArray, Scene

_FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.*")
"""What a folder must hold: what is not there would be looked for on the hub."""
_ON_THE_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


class FasterWhisper:
    """Transcribes with the package `faster-whisper`."""

    def __init__(self, model: str) -> None:
        """Load a model, or fetch it where this machine does not have it yet.

        Args:
            model: A name such as `base.en`, `owner/name` on the Hugging Face hub, or a local
                folder.

        Raises:
            MissingDependency: The package is not installed.
            SpeechError: There is no such model, or it cannot be fetched or read.
        """
        try:
            from faster_whisper import WhisperModel, available_models
        except ImportError as error:
            raise MissingDependency(
                "The transcriber 'faster-whisper' needs a package that is not installed; run "
                "`pip install -c constraints.txt -e '.[whisper]'`."
            ) from error
        folder = _whole(_local(model) or _fetched(model, available_models()))
        try:
            self._model = WhisperModel(str(folder), compute_type="auto", local_files_only=True)
        except (RuntimeError, ValueError, OSError) as error:
            raise SpeechError(
                f"The model in {folder} cannot be read ({error}); put a Whisper model converted "
                "for CTranslate2 there."
            ) from error
        self._prompt: str | None = None

    def expect(self, scene: Scene) -> None:
        """Name what is there to the decoder."""
        self._prompt = prompt_of(scene)

    def transcribe(self, audio: FloatArray) -> Transcript:
        """Return what was said, see `Transcriber.transcribe`; decoded once, without chance."""
        try:
            segments, told = self._model.transcribe(
                audio,
                temperature=0.0,
                beam_size=5,
                max_new_tokens=TOKENS,
                without_timestamps=True,
                condition_on_previous_text=False,
                compression_ratio_threshold=None,
                log_prob_threshold=None,
                no_speech_threshold=None,
                initial_prompt=self._prompt,
            )
            parts = [_segment(part) for part in segments]
        except (RuntimeError, ValueError) as error:
            raise SpeechError(f"Whisper failed on an utterance: {error}.") from error
        return transcript_of(parts, told.language)


def _segment(part: Any) -> Segment:
    return Segment(part.text, {name: getattr(part, name) for name in SCORES})


def _local(model: str) -> Path | None:
    """Return the folder that is meant; None where a name is.

    Raises:
        SpeechError: A folder is meant that is not there.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if model.startswith((".", "~")) or (len(path.parts) > 1 and not _ON_THE_HUB.fullmatch(model)):
        raise SpeechError(
            f"There is no folder {path}; put a Whisper model converted for CTranslate2 there: "
            f"{', '.join(_FILES)}."
        )
    return None


def _whole(folder: Path) -> Path:
    """Return a folder that holds all that a model needs, so that nothing is asked of the hub.

    Raises:
        SpeechError: Something lacks.
    """
    lacking = [name for name in _FILES if not any(folder.glob(name))]
    if lacking:
        raise SpeechError(
            f"The folder {folder} lacks {', '.join(lacking)} of a Whisper model converted for "
            "CTranslate2; put what lacks there."
        )
    return folder


def _fetched(name: str, known: list[str]) -> Path:
    """Return the folder of a model that has a name, fetched only where it is not here yet.

    Raises:
        SpeechError: There is no such name, or it is neither here nor to be had.
    """
    from faster_whisper import download_model
    from httpx import HTTPError
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if name not in known and not _ON_THE_HUB.fullmatch(name):
        raise SpeechError(f"{unknown('Whisper model', name, known)} A local folder will do too.")
    try:
        return Path(download_model(name, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    try:
        return Path(download_model(name))
    except (LocalEntryNotFoundError, HfHubHTTPError, HTTPError, OSError) as error:
        raise SpeechError(
            f"The model {name!r} is no folder here, not in the hub's cache and cannot be fetched "
            f"({type(error).__name__}); get it where there is a network, and name the folder with "
            f"its {', '.join(_FILES)}."
        ) from error
