"""The language model behind LangChain, over real HTTP, with everything that can go wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from langchain_core.output_parsers import BaseCumulativeTransformOutputParser

from agent.errors import ConfigError, MissingDependency
from agent.events import Turn
from agent.planner.answer import plan_schema, read_plan
from agent.planner.chat import ChatFault, Fault, Reply, Request
from agent.planner.langchain_chat import LangChainChat
from agent.planner.providers import open_chat
from agent.sections import PlannerConfig
from skills.registry import load_contracts
from tests.llm.processes import Proxy, Server, Serving
from tests.scenes import scene

CONTRACTS = load_contracts()
KEY = "sk-planted-5e1f0a9c7b"
REQUEST = Request(
    "plan",
    (Turn("system", "You plan for a robot."), Turn("user", "Put the red block in the bowl.")),
    plan_schema(scene(), CONTRACTS),
)
LIMIT_S = 8.0
"""Where a limit is to be reached; elsewhere a slow machine has longer."""


@contextmanager
def chatting(url: str, **settings: Any) -> Iterator[LangChainChat]:
    """Yield a chat with the server at a URL."""
    chosen = {
        "kind": "openai:tiny-llama",
        "base_url": url,
        "key_env": "OPENAI_API_KEY",
        "limit_s": 60,
        **settings,
    }
    with closing(open_chat(PlannerConfig(**chosen))) as chat:
        yield chat


def ask(
    chat: LangChainChat,
    halted: Callable[[], bool] = lambda: False,
    heard: Callable[[str], None] = lambda sentence: None,
) -> Reply:
    return chat.ask(REQUEST, halted, heard)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.mark.parametrize("structured", ["json_schema", "function_calling", "auto"])
def test_a_model_under_a_schema_states_a_plan(server: Server, structured: str) -> None:
    with chatting(server.base_url, structured=structured) as chat:
        reply = ask(chat)
    plan = read_plan(reply.text, "x", CONTRACTS)
    assert all(subgoal.skill in CONTRACTS for subgoal in plan.subgoals)
    assert reply.tokens_in > 0 and reply.tokens_out > 0 and reply.seconds > 0
    [request] = server.requests()
    assert request["authorization"] == f"Bearer {KEY}"
    asked = request["body"]["messages"]
    assert [message["role"] for message in asked] == ["system", "user"]


@pytest.mark.parametrize(
    ("fault", "code", "tries"),
    [
        ("slow", Fault.TIMEOUT, 1),
        ("cut", Fault.BROKE_OFF, 3),
        ("cut-headers", Fault.BROKE_OFF, 3),
        ("429", Fault.RATE_LIMITED, 3),
        ("quota", Fault.RATE_LIMITED, 3),
        ("500", Fault.SERVER_ERROR, 6),
        ("503", Fault.SERVER_ERROR, 6),
        ("401", Fault.UNAUTHORIZED, 1),
        ("404", Fault.REJECTED, 2),
        ("half-json", Fault.MALFORMED, 1),
        ("html", Fault.MALFORMED, 1),
        ("huge", Fault.TOO_LONG, 1),
        ("endless", Fault.TIMEOUT, 1),
        ("stalled", Fault.TIMEOUT, 1),
        ("no-choices", Fault.MALFORMED, 1),
        ("empty-content", Fault.MALFORMED, 1),
        ("free-text", Fault.IGNORES_SCHEMA, 2),
        ("refuses", Fault.MALFORMED, 1),
    ],
)
def test_each_fault_ends_in_its_code_in_time(
    proxy: Proxy, fault: str, code: Fault, tries: int
) -> None:
    limit_s = LIMIT_S if code is Fault.TIMEOUT else 60
    began = time.monotonic()
    with chatting(proxy.url(fault), limit_s=limit_s) as chat, pytest.raises(ChatFault) as failed:
        ask(chat)
    assert failed.value.fault is code
    assert KEY not in str(failed.value)
    assert str(failed.value).endswith((".", "?", "!"))
    assert time.monotonic() - began < limit_s + 2
    assert proxy.counts()[fault] <= tries


@pytest.mark.parametrize("structured", ["json_schema", "function_calling"])
def test_no_parser_reads_all_again_with_each_piece(
    server: Server, structured: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(self: object, pieces: object) -> None:
        raise AssertionError("LangChain's parser is at work, in a thread that nothing ends.")

    monkeypatch.setattr(BaseCumulativeTransformOutputParser, "_atransform", parse)
    with chatting(server.base_url, structured=structured) as chat:
        assert json.loads(ask(chat).text)["subgoals"] is not None


@pytest.mark.parametrize(
    "fault", ["none", "429-twice", "500-once", "rejects-json-schema", "ignores-json-schema"]
)
def test_what_passes_or_can_be_asked_in_another_way_ends_in_a_plan(
    proxy: Proxy, fault: str
) -> None:
    with chatting(proxy.url(fault)) as chat:
        assert json.loads(ask(chat).text)["subgoals"] is not None


def test_a_way_that_is_obeyed_is_kept(proxy: Proxy) -> None:
    with chatting(proxy.url("rejects-json-schema")) as chat:
        ask(chat)
        before = proxy.counts()["rejects-json-schema"]
        ask(chat)
    assert proxy.counts()["rejects-json-schema"] == before + 1


def test_a_server_that_ignores_every_schema_is_recognised(serving: Serving) -> None:
    kind = f"openai:{serving.model}"
    with (
        chatting(serving.base_url, kind=kind, reply_tokens=100) as chat,
        pytest.raises(ChatFault) as failed,
    ):
        ask(chat)
    assert failed.value.fault in (Fault.IGNORES_SCHEMA, Fault.MALFORMED)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://no-such-machine.invalid/v1"])
def test_a_machine_that_is_not_there_is_said_at_once(url: str) -> None:
    began = time.monotonic()
    with chatting(url) as chat, pytest.raises(ChatFault) as failed:
        ask(chat)
    assert failed.value.fault is Fault.UNREACHABLE
    assert "--planner grammar" in str(failed.value)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("fault", ["slow", "stalled", "endless", "429"])
def test_a_stop_ends_the_waiting_at_once(proxy: Proxy, fault: str) -> None:
    stopped_at: list[float] = []
    began = time.monotonic()

    def halted() -> bool:
        if time.monotonic() - began < 1.0:
            return False
        stopped_at.append(time.monotonic())
        return True

    with chatting(proxy.url(fault)) as chat, pytest.raises(ChatFault) as failed:
        ask(chat, halted)
    assert failed.value.fault is Fault.STOPPED
    assert time.monotonic() - stopped_at[0] < 0.1


def test_the_sentence_to_the_human_is_heard_as_it_comes(server: Server) -> None:
    sentence = "I will put the red block away and then look after the rest of the table."
    server.script([json.dumps({"reply": sentence, "question": None, "subgoals": []})])
    heard: list[str] = []
    with chatting(server.base_url, structured="json_schema") as chat:
        ask(chat, heard=heard.append)
    assert heard[-1] == sentence
    assert all(sentence.startswith(part) for part in heard)


def test_pictures_reach_the_server(server: Server) -> None:
    request = Request("plan", REQUEST.turns, REQUEST.schema, {"front": b"\x89PNG picture"})
    with chatting(server.base_url) as chat:
        chat.ask(request, lambda: False, lambda sentence: None)
    content = server.requests()[0]["body"]["messages"][1]["content"]
    assert content[0]["type"] == "text"
    assert content[1]["image_url"]["url"].startswith("data:image/png;base64,")


def test_openais_key_goes_to_no_other_server(server: Server) -> None:
    with chatting(server.base_url, key_env=None) as chat:
        ask(chat)
    assert KEY not in json.dumps(server.requests())


def test_a_key_can_lie_in_a_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-of-a-file\n")
    with chatting(server.base_url, key_file=tmp_path / "key") as chat:
        ask(chat)
    assert server.requests()[0]["authorization"] == "Bearer sk-of-a-file"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"kind": "openai:gpt-5-mini"}, "OPENAI_API_KEY"),
        ({"kind": "openai:gpt-5-mini", "key_env": "MY_KEY"}, "MY_KEY"),
        ({"kind": "openai:gpt-5-mini", "key_file": Path("none")}, "planner.key_file none"),
        ({"kind": "nobody:model"}, "nobody"),
    ],
)
def test_what_cannot_be_opened_is_said_before_anything_is_asked(
    settings: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ConfigError, match=told):
        open_chat(PlannerConfig(**settings))


def test_a_provider_whose_package_is_missing_is_named() -> None:
    with pytest.raises(MissingDependency, match="pip install langchain-mistralai"):
        open_chat(PlannerConfig(kind="mistralai:large"))
