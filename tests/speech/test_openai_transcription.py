"""The transcription client over real HTTP, with everything that can go wrong."""

from __future__ import annotations

import logging
import math
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.config import Config
from agent.errors import ConfigError, MissingDependency, SpeechError
from agent.protocols import Transcript
from agent.sections import GateConfig, SpeechConfig
from agent.speech.gate import Cause, Gate, Ruling
from agent.speech.openai_transcription import OpenAITranscription
from agent.transcription import open_transcriber
from tests.llm.processes import Transcriptions
from tests.scenes import scene

pytest.importorskip("openai")
KEY = "sk-planted-7c1d0e5b9a"
SOUND = np.zeros(32_000, np.float32)
PLAIN = "put the red block in the blue bowl"
LIMIT_S = 3.0


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@contextmanager
def transcribing(url: str, **settings: Any) -> Iterator[OpenAITranscription]:
    """Yield a client of the server at a URL."""
    chosen = {"base_url": url, "key_env": "OPENAI_API_KEY", "limit_s": 30, **settings}
    client = OpenAITranscription("whisper-1", SpeechConfig(**chosen))
    try:
        yield client
    finally:
        client.close()


def heard(url: str, **settings: Any) -> Transcript:
    with transcribing(url, **settings) as client:
        return client.transcribe(SOUND)


def ruling(transcript: Transcript) -> tuple[Ruling, Cause]:
    decision = Gate(GateConfig(), "openai:whisper-1").decide(transcript, 2.0)
    return decision.ruling, decision.cause


def test_words_and_scores_come_back(transcriptions: Transcriptions) -> None:
    transcript = heard(transcriptions.url("said"))
    assert transcript.text == PLAIN
    assert transcript.evidence["avg_logprob"] == -0.21
    assert transcript.confidence == pytest.approx(math.exp(-0.21))
    assert (transcript.no_speech, transcript.language) == (0.02, "en")
    assert ruling(transcript) == (Ruling.ACCEPT, Cause.CLEAR)


def test_the_server_gets_sound_model_names_and_key(transcriptions: Transcriptions) -> None:
    with transcribing(transcriptions.url("echo")) as client:
        client.expect(scene())
        text = client.transcribe(SOUND).text
    assert text.startswith("whisper 1 verbose json 1 16000 32000 red block green block")
    assert text.endswith("bearer sk planted 7c1d0e5b9a")


def test_a_whole_command_is_as_doubtful_as_its_worst_part(transcriptions: Transcriptions) -> None:
    transcript = heard(transcriptions.url("two-parts"))
    assert transcript.evidence["avg_logprob"] == -2.5
    assert ruling(transcript) == (Ruling.REJECT, Cause.SCORED_BADLY)


@pytest.mark.parametrize(
    ("answer", "confidence", "requests"),
    [("only-json", math.exp(-0.3), 2), ("bare", 0.0, 3)],
)
def test_a_format_that_is_refused_is_left_for_the_next_one(
    transcriptions: Transcriptions, answer: str, confidence: float, requests: int
) -> None:
    transcriptions.reset()
    with transcribing(transcriptions.url(answer)) as client:
        transcript = client.transcribe(SOUND)
        assert transcriptions.counts()[answer] == requests
        client.transcribe(SOUND)
    assert transcriptions.counts()[answer] == requests + 1
    assert transcript.text == PLAIN
    assert transcript.confidence == pytest.approx(confidence)
    assert ruling(transcript) == (Ruling.CONFIRM, Cause.DOUBTFUL)


@pytest.mark.parametrize("answer", ["other-words", "nan"])
def test_scores_that_say_nothing_of_the_words_do_not_count(
    transcriptions: Transcriptions, answer: str
) -> None:
    transcript = heard(transcriptions.url(answer))
    assert transcript.text == PLAIN
    assert "avg_logprob" not in transcript.evidence
    assert ruling(transcript) == (Ruling.CONFIRM, Cause.DOUBTFUL)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("empty-text", Cause.EMPTY),
        ("welsh", Cause.OTHER_LANGUAGE),
        ("huge", Cause.TOO_LONG),
    ],
)
def test_what_cannot_be_a_command_is_refused(
    transcriptions: Transcriptions, answer: str, cause: Cause
) -> None:
    assert ruling(heard(transcriptions.url(answer))) == (Ruling.REJECT, cause)


def test_hostile_text_is_plain_words(transcriptions: Transcriptions) -> None:
    text = heard(transcriptions.url("hostile")).text
    assert text == "2j 0 owned rm rf put the red block"


@pytest.mark.parametrize(
    ("answer", "told", "tries"),
    [
        ("401", "refused the key", 1),
        ("leak", "500", 3),
        ("404", "does not exist", 1),
        ("429", "takes no more sound", 3),
        ("500", "500", 3),
        ("slow", "within 3 s", 1),
        ("endless", "within 3 s", 1),
        ("cut", "broke off", 3),
        ("half-json", "cannot be read", 1),
        ("html", "cannot be read", 1),
        ("no-text", "cannot be read", 1),
        ("number", "cannot be read", 1),
        ("list", "cannot be read", 1),
    ],
)
def test_each_fault_is_one_sentence_in_time_and_without_the_key(
    transcriptions: Transcriptions,
    answer: str,
    told: str,
    tries: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    transcriptions.reset()
    caplog.set_level(logging.DEBUG)
    limit_s = LIMIT_S if "within" in told else 30
    began = time.monotonic()
    with pytest.raises(SpeechError, match=told) as failed:
        heard(transcriptions.url(answer), limit_s=limit_s)
    assert time.monotonic() - began < limit_s + 3
    assert transcriptions.counts()[answer] <= tries
    assert str(failed.value).endswith((".", "?"))
    assert KEY not in "".join(traceback.format_exception(failed.value))
    assert KEY not in caplog.text


@pytest.mark.parametrize("answer", ["429-once", "500-once"])
def test_what_passes_is_asked_again(transcriptions: Transcriptions, answer: str) -> None:
    transcriptions.reset()
    assert heard(transcriptions.url(answer)).text == PLAIN
    assert transcriptions.counts()[answer] == 2


def test_after_a_fault_the_next_utterance_is_heard(transcriptions: Transcriptions) -> None:
    with transcribing(transcriptions.url("500-once"), tries=1) as client:
        transcriptions.reset()
        with pytest.raises(SpeechError):
            client.transcribe(SOUND)
        assert client.transcribe(SOUND).text == PLAIN


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://no-such-machine.invalid/v1"])
def test_a_machine_that_is_not_there_is_said(url: str) -> None:
    with pytest.raises(SpeechError, match=r"cannot be reached.*speech\.base_url"):
        heard(url, tries=1)


def test_openais_key_goes_to_no_other_server(transcriptions: Transcriptions) -> None:
    assert "planted" not in heard(transcriptions.url("echo"), key_env=None).text


def test_a_key_can_lie_in_a_file(transcriptions: Transcriptions, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("of-a-file\n")
    text = heard(transcriptions.url("echo"), key_file=tmp_path / "key").text
    assert text.endswith("bearer of a file")


def test_a_missing_key_or_package_is_said_when_it_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = Config(speech=SpeechConfig(transcriber="openai:whisper-1"))
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        open_transcriber(config, {})
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingDependency, match=r"\[llm\]"):
        open_transcriber(config, {})
