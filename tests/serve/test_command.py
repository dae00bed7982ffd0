"""`bosun serve` itself: what it says, to whom it listens, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from agent.cli import main
from agent.errors import PolicyLost
from skills.clients.openpi import open_openpi
from tests.serve.processes import bosun_serve

KEY = "correct-horse"


def test_a_port_in_use_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    said = capsys.readouterr()
    assert said.err == f"bosun: Port {port} of 127.0.0.1 is in use; name another one with --port.\n"
    assert said.out == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--port", "65536"], "65536 is not a port; they end at 65535"),
        (["--port", "http"], "'http' is not a whole number from 0 on"),
        (["--host", "203.0.113.7"], "This machine has no address '203.0.113.7'"),
        (["--api-key-env", "NO_SUCH_KEY"], "The environment variable NO_SUCH_KEY is not set"),
        (["--api-key-file", "no/such/file"], "The file no/such/file cannot be read"),
        (["--api-key-env", "A", "--api-key-file", "b"], "not allowed with argument"),
        (["--set", "policy.checkpoint=no/such"], "There is no checkpoint in no/such"),
        (["--set", "policy=openpi://localhost:8000"], "which is not served from here"),
        (["--prot", "1"], "--prot"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *words]) == 2
    said = capsys.readouterr()
    assert sentence in said.err and said.err.count("\n") == 1 and said.out == ""


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "a\nb"])
def test_what_is_no_key_is_refused_and_not_repeated(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "key"
    file.write_text(key)
    monkeypatch.setenv("A_KEY", key)
    for words in (["--api-key-env", "A_KEY"], ["--api-key-file", str(file)]):
        assert main(["serve", *words]) == 2
        said = capsys.readouterr().err
        assert "holds no key" in said and (not key or key not in said)


def test_it_warns_where_anybody_may_ask_and_ends_when_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = threading.Event()

    def end_it() -> None:
        while not done.wait(0.05):
            with suppress(PolicyLost):
                open_openpi(f"127.0.0.1:{port}", tries=1)[0].close()
                os.kill(os.getpid(), signal.SIGTERM)
                return

    thread = threading.Thread(target=end_it)
    thread.start()
    try:
        assert main(["serve", "--host", "0.0.0.0", "--port", str(port)]) == 0
    finally:
        done.set()
        thread.join()
    said = capsys.readouterr()
    assert said.out == f"Serving the policy at ws://0.0.0.0:{port}; Ctrl-C ends it.\n"
    assert said.err.startswith("bosun: whoever reaches 0.0.0.0 may use this policy; --api-key-env")


def test_who_shows_the_key_is_served_until_it_is_interrupted() -> None:
    words = ("--port", "0", "--api-key-env", "A_KEY")
    with bosun_serve(*words, env={"A_KEY": KEY}) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split("://")[1].split(";")[0]
        with pytest.raises(PolicyLost, match="wants a key"):
            open_openpi(address)
        backend, interface = open_openpi(address, key=KEY)
        assert interface is not None
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)
        with pytest.raises(PolicyLost):
            backend.ask({})
        backend.close()
    assert (process.returncode, said) == (0, ("", ""))
