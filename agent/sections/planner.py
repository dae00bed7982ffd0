"""What turns a command into subgoals."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from agent.errors import unknown
from agent.sections.language_model import MODELS, names_a_model
from agent.sections.section import Section


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
        if kind != "grammar" and not names_a_model(kind):
            raise ValueError(unknown("planner", kind, ("grammar", *MODELS)))
        return kind
