"""Mission files that are wrong are told where and what is near; nothing is half read."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import UsageError
from agent.script.load import load_scripts
from agent.types import MissionOutcome
from tests.script.samples import PLAIN, written


def complaint(folder: Path, text: str) -> list[str]:
    """Return what is said of a file, a line for each problem, without the file's name."""
    file = written(folder, text)
    with pytest.raises(UsageError) as raised:
        load_scripts([file])
    lines = str(raised.value).splitlines()
    assert all(line.startswith(f"{file}:") for line in lines)
    return [line.removeprefix(f"{file}:") for line in lines]


@pytest.mark.parametrize(
    ("text", "where", "parts"),
    [
        (PLAIN + "tag: [x]\n", "5:1", ["key 'tag'", "'tags'"]),
        ("commands: [go home]\nexpect: {outcom: success}\n", "2:10", ["'outcom'", "'outcome'"]),
        ("commands: [go home]\nexpect: {outcome: sucess}\n", "2:19", ["'sucess'", "'success'"]),
        ("commands: [go home]\nexpect:\n  world:\n    - inn(can, drawer)\n", "4:7", ["'in'"]),
        ("commands: [go home]\nexpect:\n  world: [not lit(buton)]\n", "3:11", ["'button'"]),
        ("commands: [go home]\nexpect:\n  world:\n    - in(can, plate)\n", "4:7", ["'plate'"]),
        ("commands: [go home]\nexpect:\n  world:\n    - lit()\n", "4:7", ["1 arguments", "0"]),
        ("commands: [go home]\nexpect:\n  world: [in(can, drawer)]\n", "3:11", ["in quotes"]),
        ("commands: [go home]\nexpect:\n  plan: {contains: [pik]}\n", "3:21", ["'pick'"]),
        ("commands: [go home]\nexpect:\n  plan: {exactly: [push(can)]}\n", "3:20", ["direction"]),
        ("commands: [go home]\nexpect:\n  reasons: {seen: [droped]}\n", "3:20", ["'dropped'"]),
        ("commands: [go home]\nexpect: {question: '['}\n", "2:20", ["regular expression"]),
        ("commands: [go home]\nexpect: {ticks: many}\n", "2:17", ["number", "'many'"]),
        ("commands: [go home]\nexpect: {ticks: {min: 2, max: 1}}\n", "2:17", ["Min 2", "max 1"]),
        ("commands: [go home]\nexpect: {ticks: {min: 0}}\n", "2:17", ["nothing could fail"]),
        ("commands: [go home]\nexpect: {world: []}\n", "2:9", ["nothing could fail"]),
        ("commands: [go home]\nexpect: {plan: {}}\n", "2:16", ["nothing could fail"]),
        ("commands: [go home]\n", "1:1", ["could not fail"]),
        ("expect: {ticks: 1}\n", "1:1", ["'commands' is missing"]),
        ("commands: []\nexpect: {ticks: 1}\n", "1:11", ["at least 1"]),
        ("commands: [1]\nexpect: {ticks: 1}\n", "1:12", ["quotes"]),
        (PLAIN + "set:\n  budget: {replan: 1}\n", "6:12", ["'replan'", "'replans'"]),
        (PLAIN + "set: {budget: {replans: '1'}}\n", "5:25", ["integer", "'1'"]),
        (PLAIN + "set: {robot: {disturbances: {camera: fornt}}}\n", "5:38", ["'front'"]),
        (PLAIN + "set: {episode: {directory: x}}\n", "5:6", ["--out"]),
        (PLAIN + "scene: {needs: [red blok]}\n", "5:17", ["'red block'"]),
        (PLAIN + "scene: {seed: -1}\n", "5:15", ["greater than or equal to 0"]),
        ("commands: [go home]\ncommands: [wait]\n", "2:1", ["'commands'", "line 1"]),
        ("commands:\n  - say: x\n    say: y\n", "3:5", ["'say'", "line 2"]),
        ("commands: [go home\n", "2:1", ["not YAML"]),
        ("commands: [a]\n---\ncommands: [b]\n", "2:1", ["not YAML"]),
        ("", "1:1", ["keys and values"]),
        ("- go home\n", "1:1", ["keys and values"]),
        ("a: &a [*a]\n", "1:1", ["ircular"]),
        ("a: " + "[" * 600, "1:1", ["plain keys"]),
        ("\x00", "1:1", ["YAML forbids"]),
        ("commands: ['go {where}']\nexpect: {ticks: 1}\n", "1:12", ["'where'"]),
        (PLAIN + "parameters: {place: home}\n", "5:14", ["{place}"]),
        (PLAIN + "matrix: {seed: [x]}\n", "5:16", ["whole numbers"]),
        (PLAIN + "matrix: {seed: [1, 1]}\n", "5:16", ["twice"]),
        (PLAIN + "matrix: {seed: []}\n", "5:16", ["at least 1"]),
        (PLAIN + "matrix: {seed: [1]}\nexclude: [{sed: 1}]\n", "6:12", ["'seed'"]),
        (PLAIN + "matrix: {seed: [1]}\nexclude: [{seed: 2}]\n", "6:18", ["'2'"]),
        (PLAIN + "matrix: {seed: [1]}\nexclude: [{seed: 1}]\n", "6:10", ["left out"]),
        (PLAIN + "matrix: {seed: [1]}\nexclude: [{}]\n", "6:11", ["at least 1"]),
        (PLAIN + "matrix: {seed: [1]}\nscene: {seed: 2}\n", "6:15", ["axis seed"]),
        (
            "commands:\n  - say: go home\n    corrections: [{say: no}]\nexpect: {ticks: 1}\n",
            "3:25",
            ["quotes"],
        ),
        (
            "commands:\n  - say: x\n    corrections: [{say: y}]\nexpect: {ticks: 1}\n",
            "3:19",
            ["during or at_s"],
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    text: str, where: str, parts: list[str], tmp_path: Path
) -> None:
    said = complaint(tmp_path, text)
    matching = [line for line in said if line.startswith(f"{where}: ")]
    assert matching, said
    assert any(all(part in line for part in parts) for line in matching), said


def test_all_that_is_wrong_is_told_once_over_all_combinations(tmp_path: Path) -> None:
    text = (
        "matrix: {colour: [red, green]}\n"
        "commands:\n  - say: take {color}\n    answer: [x]\n"
        "expect:\n  believes:\n    - held({colour} blok)\n"
    )
    said = complaint(tmp_path, text)
    assert [line.split(": ")[0] for line in said] == ["3:10", "4:5", "7:7", "7:7"]


def test_no_file_is_run_if_one_of_them_is_wrong(tmp_path: Path) -> None:
    good, bad = written(tmp_path, PLAIN, "good.yaml"), written(tmp_path, "x: 1\n", "bad.yaml")
    with pytest.raises(UsageError, match=r"bad\.yaml:1:1"):
        load_scripts([good, bad])


@pytest.mark.parametrize("name", ["mision.yaml", "."])
def test_what_is_no_file_is_said(name: str, tmp_path: Path) -> None:
    written(tmp_path, PLAIN)
    with pytest.raises(UsageError, match=r"mission\.yaml|is a folder"):
        load_scripts([tmp_path / name])


def test_values_are_filled_in_with_their_types(tmp_path: Path) -> None:
    text = (
        "name: Any {colour}\n"
        "parameters: {most: 3}\n"
        "matrix: {colour: [red, green], seed: [7, 8]}\n"
        "exclude: [{colour: red, seed: 8}]\n"
        "commands: ['take the {colour} block']\n"
        "expect: {replans: {max: '{most}'}, question: 'x{2,3}'}\n"
    )
    scripts = load_scripts([written(tmp_path, text)])
    assert [(s.values["colour"], s.seed) for s in scripts] == [
        ("red", 7),
        ("green", 7),
        ("green", 8),
    ]
    assert scripts[0].mission.spoken[0].say == "take the red block"
    assert scripts[0].name == "Any {colour}"
    expect = scripts[0].mission.expect
    assert expect is not None
    assert expect.replans is not None
    assert not isinstance(expect.replans, float)
    assert expect.replans.max == 3
    assert expect.question == "x{2,3}"


def test_short_forms_are_read(tmp_path: Path) -> None:
    text = "commands: [go home]\nexpect: {outcome: [stopped, needs_help], ticks: 0}\n"
    expect = load_scripts([written(tmp_path, text)])[0].mission.expect
    assert expect is not None
    assert expect.outcome == (MissionOutcome.STOPPED, MissionOutcome.NEEDS_HELP)
    assert expect.ticks == 0


def test_tags_choose(tmp_path: Path) -> None:
    tagged = written(tmp_path, PLAIN + "tags: [quick]\n", "tagged.yaml")
    plain = written(tmp_path, PLAIN, "plain.yaml")
    assert [s.name for s in load_scripts([tagged, plain], ["quick"])] == ["tagged"]
    with pytest.raises(UsageError, match="Did you mean 'quick'"):
        load_scripts([tagged, plain], ["quik"])
