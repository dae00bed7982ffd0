"""Both Whisper packages through their real loading code, and what they invent."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.config import Config
from agent.errors import ConfigError, MissingDependency, SpeechError
from agent.planner.grammar import GrammarPlanner
from agent.protocols import Transcriber, Transcript
from agent.sections import GateConfig, SpeechConfig
from agent.speech.faster_whisper import FasterWhisper
from agent.speech.gate import Cause, Gate, Ruling
from agent.speech.openai_whisper import OpenAIWhisper
from agent.speech.reading import read
from agent.transcription import open_transcriber
from agent.types import FloatArray
from skills.evaluate.voices import Engine, Voice
from skills.registry import load_contracts
from tests.scenes import scene
from tests.speech.noises import HZ, NOISES, white
from tests.speech.tiny_whisper import VARIANTS

# openai-whisper hands PyTorch's tensors to NumPy, and leaves its list of tokens open.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file .*multilingual.tiktoken:ResourceWarning"),
]

Open = Callable[[str], Transcriber]
BOTH = pytest.mark.parametrize("opened", [OpenAIWhisper, FasterWhisper])
SAID = ("put the red block in the blue bowl", "what is the weather like today")
INVENTIONS: dict[Open, int] = {OpenAIWhisper: 30, FasterWhisper: 70}


@pytest.fixture
def folders(request: pytest.FixtureRequest, opened: Open) -> Path:
    """Return the folder of the models of a package."""
    name = "checkpoints" if opened is OpenAIWhisper else "converted"
    folder: Path = request.getfixturevalue(name)
    return folder


def heard(count: int) -> list[FloatArray]:
    """Return noises, silence and speech of three engines in turn."""
    rng = np.random.default_rng(0)
    speech = [
        Voice(engine, name).say(said)
        for engine, name in ((Engine.ESPEAK, "en-us"), (Engine.FLITE, "slt"))
        for said in SAID
    ]
    sounds = [make(rng, float(rng.uniform(0.5, 4))) for make in [*NOISES.values()] * 5]
    return [(sounds + speech)[number % (len(sounds) + len(speech))] for number in range(count)]


@BOTH
def test_a_local_model_tells_words_and_scores(opened: Open, folders: Path) -> None:
    whisper = opened(str(folders / "sure"))
    whisper.expect(scene())
    transcript = whisper.transcribe(white(np.random.default_rng(0), 2.0))
    assert transcript.text and transcript.text == transcript.text.lower()
    assert set(transcript.evidence) == {
        "avg_logprob",
        "compression_ratio",
        "no_speech_prob",
        "temperature",
    }
    assert transcript.confidence == pytest.approx(np.exp(transcript.evidence["avg_logprob"]))
    assert transcript.no_speech == transcript.evidence["no_speech_prob"]
    assert transcript.language is not None
    assert whisper.transcribe(np.zeros(0, np.float32)).text == ""


@BOTH
def test_the_gate_refuses_whatever_they_invent(opened: Open, folders: Path) -> None:
    """Also where the language is right and the decoder is sure: then the planner is at a loss."""
    if shutil.which("espeak-ng") is None or shutil.which("flite") is None:
        pytest.skip("needs espeak-ng and flite")
    planner, contracts = GrammarPlanner(), load_contracts()
    causes: Counter[Cause] = Counter()
    count = INVENTIONS[opened]
    models = [opened(str(folders / name)) for name in VARIANTS]
    # Most of one that ends by itself, for it is the hardest to tell from speech, and soon done.
    turns = [models[-1], models[-1], models[0], models[-1], models[-1], models[1]]
    for number, sound in enumerate(heard(count)):
        transcript: Transcript = turns[number % len(turns)].transcribe(sound)
        language = () if transcript.language is None else (transcript.language,)
        gate = Gate(GateConfig(languages=language), "whisper:tiny", confirm=False)
        reading = read(transcript, lambda text: planner.plan(text, scene(), contracts, ()))
        decision = gate.decide(transcript, len(sound) / HZ, reading)
        assert decision.ruling is Ruling.REJECT, (transcript, decision)
        causes[decision.cause] += 1
    assert sum(causes.values()) == count
    assert len(causes) > 1


@BOTH
@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("tyni", "Did you mean 'tiny'?"),
        ("./nowhere", "nowhere"),
        ("/a/b/c", "/a/b/c"),
        ("~/no-such-folder", "no-such-folder"),
    ],
)
def test_a_model_that_is_not_there_is_said_at_once(opened: Open, model: str, told: str) -> None:
    began = time.monotonic()
    with pytest.raises(SpeechError, match=told) as failed:
        opened(model)
    assert time.monotonic() - began < 5
    assert "repo" not in str(failed.value).lower()


@pytest.mark.parametrize("model", ["tiny", "somebody/whisper"])
def test_a_model_of_the_hub_that_cannot_be_fetched_is_said_at_once(
    model: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import faster_whisper
    from huggingface_hub.errors import LocalEntryNotFoundError

    asked = []

    def download(name: str, local_files_only: bool = False) -> str:
        asked.append(local_files_only)
        raise LocalEntryNotFoundError("no snapshot")

    monkeypatch.setattr(faster_whisper, "download_model", download)
    with pytest.raises(SpeechError, match=r"not in the hub's cache.*model\.bin"):
        FasterWhisper(model)
    assert asked == [True, False]


def test_a_checkpoint_that_cannot_be_fetched_is_said_with_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import whisper

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(whisper._MODELS, "tiny", "http://127.0.0.1:9/hash/tiny.pt")
    with pytest.raises(SpeechError, match=f"put its checkpoint at {tmp_path}/whisper/tiny.pt"):
        OpenAIWhisper("tiny")


@BOTH
def test_a_damaged_or_lacking_file_is_named(opened: Open, folders: Path, tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match=str(tmp_path)):
        opened(str(tmp_path))
    copy = shutil.copytree(folders / "sure", tmp_path / "copy")
    weights = next(file for file in copy.iterdir() if file.name in ("tiny.pt", "model.bin"))
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(SpeechError, match=str(copy)):
        opened(str(copy))
    weights.write_bytes(b"")
    with pytest.raises(SpeechError, match=str(copy)):
        opened(str(copy))


def test_nothing_of_a_folder_is_looked_for_on_the_hub(converted: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(converted / "sure", tmp_path / "copy")
    (copy / "tokenizer.json").unlink()
    with pytest.raises(SpeechError, match=r"lacks tokenizer\.json"):
        FasterWhisper(str(copy))


@pytest.mark.parametrize(
    ("kind", "package"), [("whisper", "whisper"), ("faster-whisper", "faster_whisper")]
)
def test_a_missing_package_is_named(
    kind: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    config = Config(speech=SpeechConfig(transcriber=f"{kind}:tiny"))
    with pytest.raises(MissingDependency, match=r"\[whisper\]"):
        open_transcriber(config, {})


@pytest.mark.parametrize("kind", ["wisper:tiny", "whisper", "whisper:", "pocketsphinx:x", ""])
def test_a_transcriber_that_is_not_there_is_named(kind: str) -> None:
    config = Config(speech=SpeechConfig(transcriber=kind))
    with pytest.raises(ConfigError, match="There is no transcriber"):
        open_transcriber(config, {})


@pytest.mark.parametrize("kind", ["whisper", "faster-whisper"])
def test_a_folder_can_be_configured(
    kind: str, checkpoints: Path, request: pytest.FixtureRequest
) -> None:
    folder = checkpoints if kind == "whisper" else request.getfixturevalue("converted")
    config = Config(speech=SpeechConfig(transcriber=f"{kind}:{folder / 'sure'}"))
    assert open_transcriber(config, {}).transcribe(np.zeros(HZ, np.float32)).text
