"""What the README shows is what the program does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from agent.cli import _parser, main
from agent.config import load_config
from skills.interface.files import load_interface

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CARD = (ROOT / "skills/checkpoints/README.md").read_text()
COMMANDS = re.findall(r"(?m)^(?:\$ )?(bosun .+?)(?: {2,}#.*)?$", README + CARD)

BLOCKS = re.findall(r"(?s)```yaml\n(.*?)```", README)


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_understood(line: str) -> None:
    words = shlex.split(line, comments=True)
    assert _parser().parse_args(words[1:]).verb == words[1]


def test_the_arm_shown_is_a_configuration(tmp_path: Path) -> None:
    (shown,) = (block for block in BLOCKS if block.startswith("robot:"))
    file = tmp_path / "my_arm.yaml"
    file.write_text(shown)
    ros = load_config(file).robot.ros2
    assert ros.joints.names == tuple(ros.limits)
    assert len(shown.splitlines()) == 20


def test_the_policy_shown_is_an_interface(tmp_path: Path) -> None:
    (shown,) = (b for b in BLOCKS if b.startswith("name:") and "\nactions:" in b)
    file = tmp_path / "my_policy.yaml"
    file.write_text(shown)
    assert load_interface(str(file)).actions.dim == 7
    assert len(shown.splitlines()) <= 20


def test_every_file_named_is_there() -> None:
    for path in re.findall(r"\]\(([\w./-]+)\)", README):
        assert (ROOT / path).exists(), path


def test_question_is_printed_as_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = re.search(r"\$ (bosun run .+)\n((?:.+\n)+?)```", README)
    assert found is not None
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(found[1])[1:]) == 3
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    shown = [line.rstrip() for line in found[2].splitlines()]
    assert [p for p in printed if not p.startswith("Episode:")] == shown
