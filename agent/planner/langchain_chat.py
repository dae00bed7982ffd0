"""A language model behind LangChain: structured, bounded in time, tries and length, cancellable."""

from __future__ import annotations

import asyncio
import base64
import json
import queue
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal, cast

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
)
from langchain_core.runnables import Runnable, RunnableSequence
from langchain_core.utils.json import parse_partial_json
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from agent.planner.answer import printable
from agent.planner.call_faults import fault_of, may_pass
from agent.planner.chat import ChatFault, Fault, Reply, Request
from agent.remote import wait_s

Method = Literal["json_schema", "function_calling"]
_Model = Runnable[LanguageModelInput, BaseMessage]
_Chain = RunnableSequence[LanguageModelInput, Any]
_Pieces = AsyncGenerator[AIMessageChunk, None]

_POLL_S = 0.02
"""How often it is asked whether to give up, s: a stop is answered in less than 100 ms."""
_CLOSE_S = 5.0
"""How long closing connections may take, s."""
_LONGEST = 40_000
"""Characters of a reply; a plan has a few hundred."""
_LONGEST_SENTENCE = 2_000
"""Characters in which the sentence to the human is looked for while they come in."""
_ANOTHER_WAY = (Fault.REJECTED, Fault.SERVER_ERROR, Fault.IGNORES_SCHEMA)
"""What a server may say that does not know one way to ask for JSON, but another one."""
_CHARACTERS_PER_TOKEN = 3
"""Few, so that what a server does not count is not counted too low."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What one question may take.

    Attributes:
        seconds: In all, tries and waits between them included.
        tries: How often it is asked when that may help.
    """

    seconds: float = 60.0
    tries: int = 3


class LangChainChat:
    """Asks one LangChain chat model for JSON.

    A server may refuse a JSON schema, or take it and answer as it likes. So what came back is
    looked at: a method that was not obeyed is left for the next one, and where none is, that is
    said. The first that is obeyed is kept.
    """

    def __init__(
        self,
        name: str,
        model: BaseChatModel,
        limits: CallLimits,
        methods: tuple[Method, ...] = ("json_schema", "function_calling"),
        options: Mapping[str, Any] | None = None,
        secret: str = "",
        release: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Wrap a model.

        Args:
            name: As `provider:model`.
            model: The model; it should try once only, for tries are counted here.
            limits: What one question may take.
            methods: How to ask for JSON, the best first.
            options: What else its `with_structured_output` takes.
            secret: The key, which no message may hold.
            release: Closes the model's connections.
        """
        self.name = name
        self._model, self._limits = model, limits
        self._methods, self._options = methods, dict(options or {})
        self._secret, self._release = secret, release
        # Connections belong to the loop they were opened in, so there is one for all questions.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chat", daemon=True)
        self._thread.start()

    def ask(
        self, request: Request, halted: Callable[[], bool], heard: Callable[[str], None]
    ) -> Reply:
        """Return the reply, see `Chat.ask`."""
        said: queue.SimpleQueue[str] = queue.SimpleQueue()
        began = time.monotonic()
        future = asyncio.run_coroutine_threadsafe(self._ask(request, said.put), self._loop)
        try:
            while not _ready(future):
                _pass_on(said, heard)
                if halted():
                    raise ChatFault(Fault.STOPPED, "I was stopped while I was planning.")
                if time.monotonic() - began > self._limits.seconds:
                    raise ChatFault(
                        Fault.TIMEOUT,
                        f"{self.name} gave no whole answer within {self._limits.seconds:g} s; "
                        "try again, or raise planner.limit_s.",
                    )
            _pass_on(said, heard)
            error = future.exception()
            if error is not None:
                raise fault_of(error, self.name, self._secret) from error
            reply = future.result()
        finally:
            # A late reply must reach nobody, and its connection be closed.
            future.cancel()
        return Reply(reply.text, reply.tokens_in, reply.tokens_out, time.monotonic() - began)

    def close(self) -> None:
        """Give up what is still being asked and close all connections."""
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(_CLOSE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_S)
        self._loop.close()

    async def _shut(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_asyncgens()
        if self._release is not None:
            await self._release()
        # What is closed says goodbye in the loop's next turn.
        await asyncio.sleep(0)

    async def _ask(self, request: Request, said: Callable[[str], None]) -> Reply:
        """Try one way to ask for JSON after another, each as often as may help."""
        failed: ChatFault | None = None
        for method in self._methods:
            [outcome] = await asyncio.gather(
                self._persistently(method, request, said), return_exceptions=True
            )
            if isinstance(outcome, Reply):
                self._methods = (method,)
                return outcome
            fault = fault_of(outcome, self.name, self._secret)
            failed = failed or fault
            if fault.fault not in _ANOTHER_WAY:
                break
        assert failed is not None
        raise failed

    async def _persistently(
        self, method: Method, request: Request, said: Callable[[str], None]
    ) -> Reply:
        async for attempt in AsyncRetrying(
            stop=stop_after_attempt(self._limits.tries),
            retry=retry_if_exception(may_pass),
            wait=_wait,
            reraise=True,
        ):
            with attempt:
                return await self._once(method, request, said)
        raise AssertionError("The last attempt either returns or raises.")

    async def _once(self, method: Method, request: Request, said: Callable[[str], None]) -> Reply:
        whole: AIMessageChunk | None = None
        asking = self._asking(method, request.schema)
        async with aclosing(cast(_Pieces, asking.astream(_messages(request)))) as pieces:
            async for piece in pieces:
                whole = piece if whole is None else whole + piece
                text = _answer(whole)
                if len(text) > _LONGEST:
                    raise ChatFault(
                        Fault.TOO_LONG,
                        f"{self.name} answers without end; I stopped listening after {_LONGEST} "
                        "characters.",
                    )
                said(_sentence(text))
        if whole is None or not _answer(whole):
            raise ChatFault(Fault.MALFORMED, f"{self.name} answered nothing; try another model.")
        if not _may_be_object(whole):
            raise ChatFault(
                Fault.IGNORES_SCHEMA,
                f"{self.name} answered in free text where JSON of a schema was asked for: its "
                "server does not know structured output, or ignores it. Use another server or "
                "model, or `--planner grammar`.",
            )
        return Reply(_answer(whole), *_usage(whole, request))

    def _asking(self, method: Method, schema: Mapping[str, Any]) -> _Model:
        """Return the model, bound to a schema, without the parser that LangChain puts after it.

        That parser reads all again with each piece, in a thread that cannot be cancelled: a reply
        of megabytes would keep this process busy for hours after it was given up.
        """
        chain = self._model.with_structured_output(dict(schema), method=method, **self._options)
        return cast(_Chain, chain).first


def _ready(future: Future[Reply]) -> bool:
    """Wait a moment for a reply, and return whether it is there."""
    try:
        future.exception(_POLL_S)
    except NotYet:
        return False
    return True


def _pass_on(said: queue.SimpleQueue[str], heard: Callable[[str], None]) -> None:
    """Tell the newest of what has come in since the last time."""
    newest = ""
    while not said.empty():
        newest = said.get()
    if newest:
        heard(newest)


def _wait(state: RetryCallState) -> float:
    outcome = state.outcome
    return wait_s(outcome.exception() if outcome else None, state.attempt_number)


def _messages(request: Request) -> list[AnyMessage]:
    """Return the conversation in LangChain's form; pictures go with the human's first turn."""
    pictures: list[str | dict[str, Any]] = [
        {"type": "image", "base64": base64.b64encode(data).decode(), "mime_type": "image/png"}
        for data in request.images.values()
    ]
    messages: list[AnyMessage] = []
    for turn in request.turns:
        if turn.role == "system":
            messages.append(SystemMessage(turn.text))
        elif turn.role == "assistant":
            messages.append(AIMessage(turn.text))
        else:
            content: list[str | dict[str, Any]] = [{"type": "text", "text": turn.text}, *pictures]
            messages.append(HumanMessage(content if pictures else turn.text))
            pictures = []
    return messages


def _answer(message: AIMessageChunk) -> str:
    """Return what a model said: the arguments of the function it calls, or else its text."""
    calls = "".join(call["args"] or "" for call in message.tool_call_chunks[:1])
    return calls or str(message.text)


def _sentence(text: str) -> str:
    """Return what JSON that has come in so far says to the human."""
    if not text.startswith("{") or len(text) > _LONGEST_SENTENCE:
        return ""
    try:
        so_far = parse_partial_json(text)
    except ValueError:
        return ""
    told = so_far.get("reply") if isinstance(so_far, dict) else None
    return printable(told) if isinstance(told, str) else ""


def _may_be_object(message: AIMessageChunk) -> bool:
    """Return whether an answer is a JSON object, or one that was cut because it grew too long."""
    text = _answer(message)
    if _was_cut(message):
        return text.lstrip().startswith("{")
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _was_cut(message: AIMessage) -> bool:
    """Return whether an answer ends because it may not be longer."""
    reason = str(message.response_metadata.get("finish_reason", ""))
    return reason.removesuffix("_tokens") in ("length", "max")


def _usage(message: AIMessageChunk, request: Request) -> tuple[int, int]:
    """Return the tokens read and written; estimated, on the high side, where nobody counted."""
    usage = message.usage_metadata
    if usage is not None:
        return usage["input_tokens"], usage["output_tokens"]
    read = sum(len(turn.text) for turn in request.turns)
    return read // _CHARACTERS_PER_TOKEN + 1, len(_answer(message)) // _CHARACTERS_PER_TOKEN + 1
