"""Whispers that hear nothing, and a microphone without hardware."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from skills.evaluate import virtual_microphone as virtual
from skills.evaluate.virtual_microphone import VirtualMicrophone
from tests.llm.processes import Transcriptions
from tests.speech.tiny_whisper import make_checkpoints, make_converted


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one of openai-whisper's checkpoints for each variant."""
    pytest.importorskip("whisper")
    return make_checkpoints(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one of faster-whisper's folders for each variant."""
    pytest.importorskip("whisper")
    pytest.importorskip("faster_whisper")
    return make_converted(tmp_path_factory.mktemp("converted"))


@pytest.fixture(scope="session")
def transcriptions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Transcriptions]:
    """Yield a server of OpenAI's transcription API."""
    with Transcriptions(tmp_path_factory.mktemp("transcriptions")) as server:
        yield server


@pytest.fixture
def virtual_microphone() -> Iterator[VirtualMicrophone]:
    if not all(map(shutil.which, virtual.PROGRAMS)):
        pytest.skip("needs pulseaudio and pulseaudio-utils")
    with virtual.virtual_microphone() as microphone:
        yield microphone
