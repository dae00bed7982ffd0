"""The sections of a configuration: every setting with its default and unit."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from agent.errors import unknown
from agent.facts import CERTAIN
from agent.faults import Fault
from agent.types import Model
from agent.workspace import WORKSPACE_HIGH, WORKSPACE_LOW

Point = tuple[float, float, float]


class Section(Model):
    """Base of the sections: frozen, no unknown keys, no infinities."""

    model_config = ConfigDict(use_attribute_docstrings=True, allow_inf_nan=False)


_MODELS = ("openai:MODEL", "ollama:MODEL", "recorded:EPISODE")
"""What a language model may be called, to show how."""


def _names_a_model(kind: str) -> bool:
    """Return whether a name is `provider:model`."""
    provider, _, name = kind.partition(":")
    return bool(provider and name)


class DisturbanceConfig(Section):
    """What the simulated world does to the robot on purpose."""

    drop_per_s: float = Field(default=0.0, ge=0, le=1)
    """Probability per second of carrying that the gripper opens by itself, 0..1."""
    shift_cm: float = Field(default=0.0, ge=0)
    """Largest distance in cm by which a block is displaced just after it is let go."""
    nudge_per_s: float = Field(default=0.0, ge=0, le=1)
    """Probability per second that a block on the table is pushed by a few cm, 0..1."""
    jam: float = Field(default=0.0, ge=0, le=1)
    """Probability that the drawer is jammed where it is for the whole mission, 0..1."""
    blank_s: float | None = Field(default=None, ge=0)
    """Second of the mission at which cameras begin to show nothing; none is never."""
    frozen_s: float | None = Field(default=None, ge=0)
    """Second of the mission at which cameras begin to repeat one picture; none is never."""
    camera: Literal["front", "wrist"] | None = None
    """Which camera goes blank or freezes; none means both."""
    delay_ticks: int = Field(default=0, ge=0, le=20)
    """How many ticks old the pictures are that the agent gets."""


class RobotConfig(Section):
    """The robot and its world."""

    kind: Literal["tabletop"] = "tabletop"
    """Which robot: `tabletop` is a Franka Panda at a table, simulated in MuJoCo."""
    disturbances: DisturbanceConfig = DisturbanceConfig()
    """What goes wrong on purpose; only a simulated robot has any."""


class PolicyConfig(Section):
    """The network that carries out learned skills."""

    checkpoint: Path | None = None
    """Folder of the weights, below the working directory; none means those shipped with Bosun."""
    limit_s: float | None = Field(default=None, gt=0)
    """How long an answer may take, s; the network then runs in a process of its own, which may die
    or hang. None runs it in this one."""
    fault: Fault | None = None
    """How it fails on purpose; `slow` and `dead` need a process of its own."""
    fault_s: float = Field(default=2.0, ge=0)
    """Second of the mission from which it does."""

    @model_validator(mode="after")
    def _has_its_own_process(self) -> Self:
        if self.fault in (Fault.SLOW, Fault.DEAD) and self.limit_s is None:
            raise ValueError(f"fault {self.fault} needs policy.limit_s to be set, say to 2")
        return self


class PlannerConfig(Section):
    """What turns a command into subgoals."""

    kind: str = "grammar"
    """Which planner: `grammar` needs no key and no network; `provider:model` asks a language model
    through LangChain, such as `openai:gpt-5-mini`; `recorded:EPISODE` plays back what one said."""
    max_subgoals: int = Field(default=30, ge=1, le=30)
    """Subgoals a plan may have."""
    fallback: Literal["grammar"] | None = None
    """What plans where the language model cannot or finds nothing that may be run; none asks the
    human."""
    base_url: str | None = Field(default=None, pattern=r"^https?://")
    """Address of the model's server, where it is not the provider's own; of OpenAI-compatible
    ones, with `/v1`."""
    key_env: str | None = None
    """Environment variable that holds the key; none means the provider's own."""
    key_file: Path | None = None
    """File that holds the key and nothing else, where it is not in the environment."""
    structured: Literal["auto", "json_schema", "function_calling"] = "auto"
    """How the model is asked for JSON; `auto` finds out what the server obeys."""
    prompts: Path | None = None
    """Folder with templates that take the place of the shipped ones of the same name; none means
    those shipped with Bosun."""
    images: bool = False
    """Whether the model is shown what the cameras see, beside the estimated scene."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """Of sampling; none leaves it to the model."""
    reply_tokens: int = Field(default=2_000, ge=100)
    """Tokens an answer may have."""
    limit_s: float = Field(default=60.0, gt=0)
    """How long one question may take, s, tries and waits included."""
    tries: int = Field(default=3, ge=1, le=10)
    """How often it is asked where the server is busy, fails or breaks off."""
    tokens: int = Field(default=200_000, ge=1)
    """Tokens a mission may spend, read and written."""
    cost: float | None = Field(default=None, gt=0)
    """Money a mission may spend, in the unit of the prices; none sets no limit."""
    price_in: float = Field(default=0.0, ge=0)
    """Of a million tokens read."""
    price_out: float = Field(default=0.0, ge=0)
    """Of a million tokens written."""

    @field_validator("kind")
    @classmethod
    def _is_a_planner(cls, kind: str) -> str:
        if kind != "grammar" and not _names_a_model(kind):
            raise ValueError(unknown("planner", kind, ("grammar", *_MODELS)))
        return kind


class SceneConfig(Section):
    """What tells from images which objects are there."""

    checkpoint: Path | None = None
    """Folder of the weights, below the working directory; none means those shipped with Bosun."""


class MonitorConfig(Section):
    """When a running subgoal is called done, failed or doubtful."""

    success_threshold: float = Field(default=0.5, ge=0, le=1)
    """Probability 0..1 from the policy's success head above which a subgoal may be done."""
    presence_threshold: float = Field(default=0.5, ge=0, le=1)
    """Probability 0..1 above which an object is believed to be there."""
    fact_confidence: float = Field(default=CERTAIN, ge=0, le=1)
    """Probability 0..1 that a predicate of the scene must reach to count as evidence."""
    confirm_ticks: int = Field(default=3, ge=1)
    """Ticks in a row that must agree before success is confirmed."""
    stuck_s: float = Field(default=3.0, gt=0)
    """Seconds without motion after which the arm counts as stuck."""
    stuck_m: float = Field(default=0.005, ge=0)
    """Distance in m below which the tool has not moved."""
    alpha: float | None = Field(default=0.05, gt=0, lt=1)
    """Rate of false alarms per subgoal, 0..1, that the bands of what is usual are made for; none
    watches without them."""
    vlm: str | None = None
    """Language model that sees, as `provider:model`: it is shown the front camera's picture from a
    subgoal's start and the last one before success is confirmed, and may only object. None asks
    nobody. Its time, tries, tokens and money are the planner's settings, as are its server and key
    where the planner is the grammar or of the same provider."""
    vlm_calls: int = Field(default=12, ge=0)
    """How often a mission may ask it; after that it goes on without."""

    @field_validator("vlm")
    @classmethod
    def _is_a_model(cls, vlm: str | None) -> str | None:
        if vlm is not None and not _names_a_model(vlm):
            raise ValueError(unknown("model", vlm, _MODELS))
        return vlm


class ShieldConfig(Section):
    """Limits on every action, whoever asks for it."""

    workspace_low: Point = tuple(WORKSPACE_LOW.tolist())
    """Smallest x, y, z of the tool in m, base frame."""
    workspace_high: Point = tuple(WORKSPACE_HIGH.tolist())
    """Largest x, y, z of the tool in m, base frame."""
    max_speed_m_s: float = Field(default=0.5, gt=0)
    """Largest speed of the tool in m/s."""
    max_turn_rad_s: float = Field(default=1.5, gt=0)
    """Largest turning rate of the tool in rad/s."""

    @model_validator(mode="after")
    def _encloses_something(self) -> Self:
        for axis, low, high in zip("xyz", self.workspace_low, self.workspace_high, strict=True):
            if low >= high:
                raise ValueError(f"workspace_low must be below workspace_high, but {axis} is not")
        return self


class BudgetConfig(Section):
    """What a mission may spend before it asks for help."""

    replans: int = Field(default=8, ge=0)
    """Plans after the first one."""
    attempts: int = Field(default=2, ge=1)
    """Tries of the same subgoal in a row."""
    seconds: float = Field(default=240.0, gt=0)
    """Seconds of the robot's clock."""


class MemoryConfig(Section):
    """Which recovery helped after which failure, over missions."""

    file: Path | None = Path("runs/memory.sqlite")
    """Where that is kept, below the working directory; none remembers nothing."""


class Bound(Section):
    """From where a transcript is trusted by one score of its decoder, and where it is refused."""

    score: str
    """`confidence`, `no_speech` or the name of one of the decoder's own scores."""
    accept: float
    """As good as this is taken as it is."""
    reject: float
    """As bad as this is refused; in between the robot asks. Which of the two is larger says which
    way is better."""

    @model_validator(mode="after")
    def _has_a_direction(self) -> Self:
        if self.accept == self.reject:
            raise ValueError(f"accept and reject of {self.score!r} must differ")
        return self


_WHISPER_BOUNDS = (
    Bound(score="avg_logprob", accept=-0.5, reject=-1.0),
    Bound(score="no_speech_prob", accept=0.4, reject=0.6),
    Bound(score="compression_ratio", accept=2.0, reject=2.4),
)
"""Where the decoders themselves see a failure, and stricter bounds for what is not asked about."""


class GateConfig(Section):
    """When what was heard is taken, asked about or refused.

    `python -m tests.benchmarks.gate` measures where the bounds should be.
    """

    pocketsphinx: tuple[Bound, ...] = (Bound(score="confidence", accept=0.6, reject=0.25),)
    """Bounds on what pocketsphinx hears; a plan from it is asked about in any case."""
    whisper: tuple[Bound, ...] = _WHISPER_BOUNDS
    """Bounds on what Whisper hears, whoever runs it."""
    languages: tuple[str, ...] = ("en",)
    """Codes of the languages in which the robot may be spoken to."""
    words: int = Field(default=60, ge=1)
    """Words an utterance may have."""
    words_per_s: float = Field(default=6.0, gt=0)
    """Words a second may hold; people say two to four."""


class SpeechConfig(Section):
    """How the robot hears and speaks."""

    transcriber: str = "pocketsphinx"
    """What turns sound into words: `pocketsphinx`, `whisper:MODEL`, `faster-whisper:MODEL` or
    `openai:MODEL`; a MODEL is a name or a local folder."""
    device: str | None = None
    """The microphone, by a part of its name; None is the system's own."""
    gate: GateConfig = GateConfig()
    """What is taken of what was heard."""
    base_url: str | None = Field(default=None, pattern=r"^https?://")
    """Address of the server of `openai:MODEL`, with `/v1`, where it is not OpenAI's own."""
    key_env: str | None = None
    """Environment variable that holds the key to it; none means OPENAI_API_KEY."""
    key_file: Path | None = None
    """File that holds the key and nothing else, where it is not in the environment."""
    limit_s: float = Field(default=10.0, gt=0)
    """How long a server may take over an utterance, s, tries and waits included."""
    tries: int = Field(default=3, ge=1, le=10)
    """How often it is asked where the server is busy, fails or breaks off."""
    voice: str = "auto"
    """What speaks: `auto` is the first of espeak-ng, flite and festival that is installed, `none`
    only prints; else a command that speaks what it reads from its standard input."""
    stop_words: tuple[str, ...] = Field(default=("stop",), min_length=1)
    """What makes it stop at once, always listened for. `stop` is heard by a network of its own, in
    noise too; any other word of pocketsphinx's English dictionary in quiet rooms only."""


class EpisodeConfig(Section):
    """Where missions are logged."""

    directory: Path = Path("runs")
    """Folder that gets one folder per mission, below the working directory."""
    limit_gb: float | None = Field(default=20.0, gt=0)
    """How many GB the episodes in it may take; when a mission begins, the oldest give way. None
    keeps all. A minute of the simulated arm takes about 13 MB."""
