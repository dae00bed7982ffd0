"""Whisper as OpenAI published it, run by PyTorch on this machine."""

from __future__ import annotations

import os
import pickle
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from agent.errors import MissingDependency, SpeechError, unknown
from agent.protocols import Transcript
from agent.speech.whisper_family import SCORES, TOKENS, Segment, prompt_of, transcript_of
from agent.types import FloatArray, Scene

_SUFFIX = ".pt"
_UNREADABLE = (
    RuntimeError,
    LookupError,
    TypeError,
    ValueError,
    EOFError,
    OSError,
    pickle.PickleError,
)
"""What PyTorch and the package raise over a file that is no checkpoint of theirs."""
_REACH_S = 5.0
"""How long the server of the weights may take to answer at all, s; the package would wait for
ever."""


class OpenAIWhisper:
    """Transcribes with the package `openai-whisper`."""

    def __init__(self, model: str) -> None:
        """Load a model, or fetch it where this machine does not have it yet.

        Args:
            model: A name such as `base.en`, a file of weights, or a folder that holds one.

        Raises:
            MissingDependency: The package is not installed.
            SpeechError: There is no such model, or it cannot be fetched or read.
        """
        try:
            import whisper
        except ImportError as error:
            raise MissingDependency(
                "The transcriber 'whisper' needs the package openai-whisper; run "
                "`pip install -c constraints.txt -e '.[whisper]'`."
            ) from error
        source = _local(model) or _named(model, whisper.available_models())
        try:
            self._model = whisper.load_model(source)
        except _UNREADABLE as error:
            raise SpeechError(
                f"The Whisper model {source} is damaged or of another kind "
                f"({type(error).__name__}); put a checkpoint of openai-whisper there, or delete it "
                "to have it fetched again."
            ) from error
        self._on_gpu = self._model.device.type == "cuda"
        self._prompt: str | None = None

    def expect(self, scene: Scene) -> None:
        """Name what is there to the decoder."""
        self._prompt = prompt_of(scene)

    def transcribe(self, audio: FloatArray) -> Transcript:
        """Return what was said, see `Transcriber.transcribe`.

        It is decoded once, without chance: trying again at higher temperatures, as the package does
        when its own scores are bad, finds words in everything. The scores are the gate's to judge.
        """
        import torch

        try:
            told: dict[str, Any] = self._model.transcribe(
                audio,
                fp16=self._on_gpu,
                temperature=0.0,
                beam_size=5,
                sample_len=TOKENS,
                without_timestamps=True,
                condition_on_previous_text=False,
                compression_ratio_threshold=None,
                logprob_threshold=None,
                no_speech_threshold=None,
                initial_prompt=self._prompt,
            )
        except (RuntimeError, torch.OutOfMemoryError) as error:
            raise SpeechError(f"Whisper failed on an utterance: {error}.") from error
        segments = [
            Segment(part["text"], {name: part[name] for name in SCORES})
            for part in told["segments"]
        ]
        return transcript_of(segments, told["language"])


def _local(model: str) -> str | None:
    """Return the file of weights that is meant; None where a name is.

    Raises:
        SpeechError: A file or folder is meant, and there are no weights.
    """
    path = Path(model).expanduser()
    if path.is_file():
        return str(path)
    if path.is_dir():
        files = sorted(path.glob(f"*{_SUFFIX}"))
        if len(files) == 1:
            return str(files[0])
        found = f"{len(files)} of them" if files else "none"
        raise SpeechError(
            f"The folder {path} must hold one Whisper checkpoint, a file *{_SUFFIX}, but holds "
            f"{found}; put one there, or name the file."
        )
    if model.startswith((".", "~")) or len(path.parts) > 1 or path.suffix == _SUFFIX:
        raise SpeechError(
            f"There is no Whisper model at {path}; put a checkpoint of openai-whisper, a file "
            f"*{_SUFFIX}, there."
        )
    return None


def _named(name: str, known: list[str]) -> str:
    """Return a name of the package's, once its weights are here or can be fetched.

    Raises:
        SpeechError: There is no such name, or its weights are neither here nor to be had.
    """
    if name not in known:
        raise SpeechError(
            f"{unknown('Whisper model', name, known)} A file *{_SUFFIX} or its folder will do too."
        )
    from whisper import _MODELS

    cache = Path(os.getenv("XDG_CACHE_HOME") or Path.home() / ".cache") / "whisper"
    file = cache / Path(_MODELS[name]).name
    if not file.is_file():
        try:
            asked = urllib.request.Request(_MODELS[name], method="HEAD")
            urllib.request.urlopen(asked, timeout=_REACH_S).close()
        except OSError as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise SpeechError(
                f"The Whisper model {name!r} is not on this machine and cannot be fetched "
                f"({reason}); put its checkpoint at {file}, or name a local file *{_SUFFIX}."
            ) from error
    return name
