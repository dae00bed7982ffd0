"""The transcription API of OpenAI, and of every server that speaks like it."""

from __future__ import annotations

import asyncio
import io
import math
import threading
import wave
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.errors import MissingDependency, SpeechError
from agent.keys import NO_KEY, key_of
from agent.protocols import Transcript
from agent.remote import broke_off, is_unreachable, root, status_of, told, was_late
from agent.sections import SpeechConfig
from agent.speech.source import SAMPLE_RATE_HZ
from agent.speech.whisper_family import SCORES, Segment, plain, prompt_of, transcript_of
from agent.types import FloatArray, Scene

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_FULL_SCALE = 32_767
_FORMATS: tuple[Mapping[str, Any], ...] = (
    {"response_format": "verbose_json"},
    {"response_format": "json", "include": ["logprobs"]},
    {"response_format": "json"},
)
"""How to ask, the most telling first; a server refuses what its model cannot do."""
_CODES = {
    "chinese": "zh",
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "polish": "pl",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
}
"""Code of a language that a server names in words."""


class OpenAITranscription:
    """Transcribes at a server, bounded in time and tries."""

    def __init__(self, model: str, config: SpeechConfig) -> None:
        """Open a client; nothing is asked yet.

        Args:
            model: What the server calls it, such as `whisper-1`.
            config: Says where the server and the key are, and how long it may take.

        Raises:
            MissingDependency: The package is not installed.
            ConfigError: There is no key.
        """
        try:
            from openai import AsyncOpenAI
        except ImportError as error:
            raise MissingDependency(
                "The transcriber 'openai' needs a package that is not installed; run "
                "`pip install -c constraints.txt -e '.[llm]'`."
            ) from error
        self.name = f"openai:{model}"
        key = key_of(config, "OPENAI_API_KEY", f"The transcriber {self.name!r}", "speech")
        self._secret = "" if key == NO_KEY else key
        self._model, self._limit_s = model, config.limit_s
        self._formats = _FORMATS
        self._prompt: str | None = None
        self._client: AsyncOpenAI = AsyncOpenAI(
            api_key=key,
            base_url=config.base_url,
            timeout=config.limit_s,
            # The client waits between tries as the server asks; the limit is over all of them.
            max_retries=config.tries - 1,
        )
        # Connections belong to the loop they were opened in, so it is kept for all utterances.
        self._loop = asyncio.Runner()
        self._one_at_a_time = threading.Lock()

    def expect(self, scene: Scene) -> None:
        """Name what is there to the model."""
        self._prompt = prompt_of(scene)

    def transcribe(self, audio: FloatArray) -> Transcript:
        """Return what was said, see `Transcriber.transcribe`; in less than the limit, or not."""
        from openai import OpenAIError

        try:
            with self._one_at_a_time:
                return self._loop.run(asyncio.wait_for(self._ask(_wav(audio)), self._limit_s))
        # The client passes on whatever a body makes its parsers raise.
        except (OpenAIError, TimeoutError, ValueError, TypeError) as error:
            # What is chained would show the key to whoever prints a traceback.
            raise SpeechError(self._sentence(error)) from None

    def close(self) -> None:
        """Close all connections."""
        with self._one_at_a_time:
            self._loop.run(self._client.close())
            self._loop.close()

    async def _ask(self, sound: bytes) -> Transcript:
        """Ask in one format after another; the first that is not refused is kept."""
        from openai import BadRequestError

        hint: dict[str, Any] = {} if self._prompt is None else {"prompt": self._prompt}
        while True:
            try:
                answer = await self._client.audio.transcriptions.create(
                    model=self._model,
                    file=("utterance.wav", sound, "audio/wav"),
                    temperature=0.0,
                    **self._formats[0],
                    **hint,
                )
            except BadRequestError:
                if len(self._formats) == 1:
                    raise
                self._formats = self._formats[1:]
            else:
                return _transcript(answer)

    def _sentence(self, error: BaseException) -> str:
        """Say what an error means, without the key."""
        status, name = status_of(error), self.name
        if status in (401, 403):
            # What the server says of a key may repeat it.
            return f"{name} refused the key ({status}); set it, or speech.key_file."
        said = told(error, self._secret)
        if status == 429:
            return f"{name} takes no more sound now ({said}); wait, or use another transcriber."
        if status is not None:
            return f"{name} refused or failed ({status}: {said}); use another transcriber."
        if is_unreachable(error):
            return (
                f"{name} cannot be reached ({root(error)}); is the machine online and "
                "speech.base_url right? The transcriber `pocketsphinx` needs no network."
            )
        if was_late(error):
            return (
                f"{name} gave no answer within {self._limit_s:g} s; say it again, or raise "
                "speech.limit_s."
            )
        if broke_off(error):
            return f"{name} broke off in the middle of its answer; say it again."
        return (
            f"{name} gave an answer that cannot be read ({said}); is what speech.base_url names a "
            "server for transcription?"
        )


def _transcript(answer: Any) -> Transcript:
    """Return what an answer holds; servers leave out and add what they like.

    Raises:
        ValueError: It holds no text.
    """
    text = getattr(answer, "text", None)
    if not isinstance(text, str):
        raise ValueError("there is no text in it")
    language = getattr(answer, "language", None)
    code = _CODES.get(language.lower(), language.lower()) if isinstance(language, str) else None
    parts = getattr(answer, "segments", None)
    if isinstance(parts, list) and parts:
        heard = transcript_of([_segment(part) for part in parts], code or None)
        if heard.text == plain(text):
            return heard
    # Scores of other words than these say nothing.
    segments = [Segment(text, _mean_logprob(answer))] if text.strip() else []
    return transcript_of(segments, code or None)


def _segment(part: Any) -> Segment:
    """Return one segment; a score that is no finite number counts as not told."""
    text = getattr(part, "text", "")
    scores: dict[str, Any] = {name: getattr(part, name, None) for name in SCORES}
    told = {name: score for name, score in scores.items() if _is_number(score)}
    return Segment(text if isinstance(text, str) else "", told)


def _mean_logprob(answer: Any) -> dict[str, float]:
    """Return the mean over the tokens, as far as a server told them all."""
    tokens = getattr(answer, "logprobs", None)
    values: list[Any] = [getattr(token, "logprob", None) for token in tokens or ()]
    if not values or not all(map(_is_number, values)):
        return {}
    return {"avg_logprob": sum(values) / len(values)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _wav(audio: FloatArray) -> bytes:
    """Return (samples,) float32 at 16 kHz as a WAV file of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE_HZ)
        out.writeframes((np.clip(audio, -1, 1) * _FULL_SCALE).astype("<i2").tobytes())
    return file.getvalue()
