"""A real language model behind real HTTP, small enough to start in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.llm.processes import Proxy, Server, Serving
from tests.llm.tiny_llama import make_tiny_llama


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny random Llama; do not write to it."""
    return make_tiny_llama(tmp_path_factory.mktemp("llm") / "tiny-llama")


@pytest.fixture(scope="session")
def server(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a server that keeps to schemas, and can be told what to answer."""
    with Server(tmp_path_factory.mktemp("server"), tiny_llama) as server:
        yield server


@pytest.fixture(scope="session")
def proxy(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Yield a proxy before that server, with a URL for everything that can go wrong."""
    with Proxy(tmp_path_factory.mktemp("proxy"), server) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def serving(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Yield `transformers serve`, which takes schemas and tools and ignores them."""
    with Serving(tmp_path_factory.mktemp("serving"), tiny_llama) as serving:
        yield serving


@pytest.fixture(autouse=True)
def _forgotten(request: pytest.FixtureRequest) -> None:
    """Let no test see another one's script, requests or counts."""
    if "server" in request.fixturenames:
        request.getfixturevalue("server").clear()
    if "proxy" in request.fixturenames:
        request.getfixturevalue("proxy").reset()
