"""House rules that no reviewer should have to remember."""

from __future__ import annotations

import ast
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path for room in ("agent", "skills", "demos") for path in (ROOT / room).rglob("*.py")
)
MAX_FILE, MAX_FUNCTION = 300, 60
MAY_PRINT = ("agent/console.py", "agent/cli.py", "demos/")


def _nodes() -> Iterator[tuple[str, ast.AST]]:
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield name, node


def _caught(handler: ast.ExceptHandler) -> list[str]:
    if handler.type is None:
        return ["BaseException"]
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [ast.unparse(kind).removeprefix("builtins.") for kind in kinds]


def test_imports_point_downward() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_of_the_agent_has_its_place() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rows = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    placed = {name.strip(" ()") for row in rows for name in row.split("|")}
    there = {
        f"agent.{path.parts[0].removesuffix('.py')}"
        for path in (
            p.relative_to(ROOT / "agent") for p in SOURCES if p.is_relative_to(ROOT / "agent")
        )
    }
    assert there - placed - {"agent.__init__", "agent.__main__"} == set()


def test_files_are_short() -> None:
    lengths = {p.relative_to(ROOT).as_posix(): len(p.read_text().splitlines()) for p in SOURCES}
    assert {name: n for name, n in lengths.items() if n > MAX_FILE} == {}


def test_functions_are_short() -> None:
    assert [
        f"{name}:{node.lineno} {node.name}"
        for name, node in _nodes()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > MAX_FUNCTION
    ] == []


def test_no_except_is_broad() -> None:
    assert [
        f"{name}:{node.lineno}"
        for name, node in _nodes()
        if isinstance(node, ast.ExceptHandler)
        and {"Exception", "BaseException"} & set(_caught(node))
    ] == []


def test_only_the_console_the_command_line_and_demos_print() -> None:
    assert [
        f"{name}:{node.lineno}"
        for name, node in _nodes()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "pprint")
        and not name.startswith(MAY_PRINT)
    ] == []


def test_modules_of_the_agent_import_nothing_heavy() -> None:
    # A mission is scored by the world's truth, so `agent.mission` needs the world.
    spared = ("__main__", "mission")
    light = [path.stem for path in (ROOT / "agent").glob("*.py") if path.stem not in spared]
    heavy = {"langchain", "mujoco", "openai", "rclpy", "sounddevice", "torch", "transformers"}
    code = f"import sys, {', '.join('agent.' + name for name in light)}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert heavy & set(done.stdout.split()) == set()


@pytest.mark.parametrize("connect", ["connect", "connect_ex"])
def test_tests_cannot_reach_another_machine(connect: str) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as out,
        pytest.raises(AssertionError, match=r"192\.0\.2\.1"),
    ):
        getattr(out, connect)(("192.0.2.1", 80))


def test_tests_can_reach_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
