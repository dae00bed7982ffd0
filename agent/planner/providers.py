"""Opens the language model that a configuration names."""

from __future__ import annotations

from typing import Any

from agent.errors import ConfigError, MissingDependency
from agent.keys import NO_KEY, key_of
from agent.planner.langchain_chat import CallLimits, LangChainChat, Method
from agent.remote import told
from agent.sections import PlannerConfig

_OPENAI = "openai"
_OPENAI_KEY = "OPENAI_API_KEY"


def open_chat(config: PlannerConfig) -> LangChainChat:
    """Return the chat model `provider:model` of a configuration; nothing is asked yet.

    Raises:
        MissingDependency: The provider's package is not installed.
        ConfigError: There is no such provider, no key, or it does not take these settings.
    """
    from langchain.chat_models import init_chat_model

    provider, _, model = config.kind.partition(":")
    key = _key(config, provider)
    secret = key if key is not None and key != NO_KEY else ""
    settings = _settings(config, provider, key)
    try:
        opened = init_chat_model(model, model_provider=provider, **settings)
    except ImportError as error:
        package = f"langchain-{provider.replace('_', '-')}"
        raise MissingDependency(
            f"The model {config.kind!r} needs a package that is not installed; run "
            f"`pip install {package}`."
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"The model {config.kind!r} cannot be opened: {told(error, secret)}"
        ) from error
    auto: tuple[Method, ...] = ("json_schema", "function_calling")
    return LangChainChat(
        config.kind,
        opened,
        CallLimits(config.limit_s, config.tries),
        auto if config.structured == "auto" else (config.structured,),
        # OpenAI keeps to a schema only where it is told to.
        {"strict": True} if provider == _OPENAI else {},
        secret,
        settings["http_async_client"].aclose if provider == _OPENAI else None,
    )


def _settings(config: PlannerConfig, provider: str, key: str | None) -> dict[str, Any]:
    """Return what the provider's class is made with."""
    settings: dict[str, Any] = {
        "base_url": config.base_url,
        "api_key": key,
        "temperature": config.temperature,
    }
    if provider == _OPENAI:
        from openai import DefaultAsyncHttpxClient

        settings |= {
            # By default connections are shared by all models of a process, over event loops.
            "http_async_client": DefaultAsyncHttpxClient(timeout=config.limit_s),
            "max_tokens": config.reply_tokens,
            "timeout": config.limit_s,
            "max_retries": 0,
            "stream_usage": True,
        }
    return {name: value for name, value in settings.items() if value is not None}


def _key(config: PlannerConfig, provider: str) -> str | None:
    """Return the key; None leaves it to the provider's class to find one."""
    if config.key_file is None and config.key_env is None and provider != _OPENAI:
        return None
    return key_of(config, _OPENAI_KEY, f"The model {config.kind!r}", "planner")
