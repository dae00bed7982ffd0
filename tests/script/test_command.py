"""`bosun mission` from the outside: files in, verdicts out, and what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree as Tree

import pytest
import xmlschema

from agent.cli import main
from agent.episode.reader import read_episode
from agent.resources import resource
from agent.script.schema import MissionFile
from tests.script.samples import PLAIN, written

SCHEMA = Path(__file__).parents[1] / "data" / "junit.xsd"
SHIPPED = ("question", "ambiguous")
SERIES = """\
name: One after another
tags: [own]
commands:
  - say: wait a moment
    expect: {plan: {exactly: [wait]}, ticks: {min: 1}, agrees: false}
  - go home
expect:
  outcome: success
  plan: {exactly: [wait, home]}
  world: [not held(red block)]
scene: {needs: [red block]}
"""
_PROGRAM = [sys.executable, "-m", "agent.cli", "mission"]


def program(folder: Path, *words: str | Path) -> subprocess.Popen[str]:
    """Start `bosun mission` in a folder, in a process group of its own, as at a terminal.

    A shell's background job ignores Ctrl-C, and what it starts would do so, too.
    """
    return subprocess.Popen(
        [*_PROGRAM, *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@dataclass(frozen=True)
class Ran:
    """What came of one call."""

    folder: Path
    code: int
    told: dict[str, Any]
    stderr: str

    def cases(self, mission: str) -> list[dict[str, Any]]:
        return [case for case in self.told["cases"] if case["mission"] == mission]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run two missions that ship, one that misses something, and one that cannot be logged."""
    folder = tmp_path_factory.mktemp("missions")
    (folder / "out").mkdir()
    (folder / "out" / "broken").write_text("Here no episode can be written.")
    files = [
        *(resource(f"configs/missions/{name}.yaml") for name in SHIPPED),
        written(folder, SERIES, "series.yaml"),
        written(folder, PLAIN, "broken.yaml"),
    ]
    started = program(
        folder, *files, "--repeat=2", "--junit=o.xml", "--report=o.html", "--json", "--out=out"
    )
    stdout, stderr = started.communicate()
    return Ran(folder, started.returncode, json.loads(stdout), stderr)


def test_missions_that_ship_pass(ran: Ran) -> None:
    for row in ran.told["rows"][: len(SHIPPED)]:
        assert (row["episodes"], row["successes"], row["scenes"]) == (2, 2, 2)
        assert (row["pass_hat"]["1"], row["pass_hat"]["2"]) == (1.0, 1.0)
        assert row["pass_hat"]["3"] is None
    asked = ran.cases("Which block?")[0]["commands"][0]
    assert asked["outcome"] == "success"
    assert asked["subgoals"][0]["phrase"] == "pick up the green block"


def test_a_missed_expectation_is_a_failure_with_its_command(ran: Ran) -> None:
    case = ran.cases("One after another")[0]
    assert case["status"] == "failed"
    assert len(case["failures"]) == 1
    assert case["failures"][0].startswith("'wait a moment': The world should agree or not")
    assert [command["outcome"] for command in case["commands"]] == ["success", "success"]


def test_an_error_in_one_case_leaves_the_others_alone(ran: Ran) -> None:
    broken = ran.cases("broken")
    assert [case["status"] for case in broken] == ["error", "error"]
    assert "broken" in broken[0]["error"]
    assert len(broken[0]["error"].splitlines()) == 1
    assert ran.told["all"]["errors"] == 2
    assert ran.told["all"]["successes"] == 4


def test_not_all_passed_so_the_call_fails(ran: Ran) -> None:
    assert ran.code == 1
    assert ran.told["passed"] is False


def test_every_command_leaves_an_episode_where_it_is_looked_for(ran: Ran) -> None:
    for case in ran.told["cases"]:
        for command in case["commands"]:
            folder = ran.folder / command["episode"]
            assert folder.is_relative_to(ran.folder / case["folder"])
            # An answer changes the command that is planned, and not what was said at first.
            assert command["command"].startswith(read_episode(folder).command)
    several = ran.cases("One after another")[0]
    assert [Path(c["episode"]).name for c in several["commands"]] == ["1", "2"]
    assert not list(ran.folder.rglob("*.mp4"))


def test_junit_of_a_real_call_keeps_to_the_schema(ran: Ran) -> None:
    xmlschema.XMLSchema(SCHEMA).validate(ran.folder / "o.xml")
    root = Tree.parse(ran.folder / "o.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("8", "2", "2")
    assert len(root.findall("testsuite")) == 4


def test_the_page_of_a_real_call_shows_pictures_and_links_to_episodes(ran: Ran) -> None:
    text = (ran.folder / "o.html").read_text(encoding="utf-8")
    episodes = [command["episode"] for case in ran.told["cases"] for command in case["commands"]]
    for episode in episodes:
        assert f'href="{episode.replace("=", "%3D")}"' in text
    # The start, a verdict for each subgoal and the closing look, and the end.
    assert text.count("data:image/jpeg") >= 3 * len(episodes)
    assert "pick up the green block: confirmed, done" in text


def test_progress_goes_to_stderr_and_no_traceback_does(ran: Ran) -> None:
    assert "8/8" in ran.stderr
    assert "Traceback" not in ran.stderr


def kill_worker(parent: int) -> None:
    """Kill the one process that runs the cases of a call."""
    processes = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    )
    lines = [line.split(None, 2) for line in processes.stdout.splitlines()]
    workers = [line[0] for line in lines if line[1] == str(parent) and "spawn_main" in line[2]]
    assert len(workers) == 1
    os.kill(int(workers[0]), signal.SIGKILL)


MANY = 500
"""Cases of a call that is not let come to its end."""


def read_until(progress: IO[str], done: int) -> str:
    """Read a progress bar until at least so many cases are done; it does not show every number."""
    said = ""
    while not any(int(count) >= done for count in re.findall(rf" (\d+)/{MANY}", said)):
        # What is there is read at once: the call does not wait for whoever watches it.
        read = os.read(progress.fileno(), 4096).decode(errors="replace")
        assert read, f"The call ended before {done} cases were done:\n{said}"
        said += read
    return said


def test_what_was_done_before_a_kill_and_an_interrupt_is_reported(tmp_path: Path) -> None:
    file = written(tmp_path, PLAIN.replace("go home", "flibber the wug"), "asks.yaml")
    started = program(tmp_path, file, f"--repeat={MANY}", "--junit=o.xml")
    assert started.stderr is not None
    said = read_until(started.stderr, 3)
    kill_worker(started.pid)
    # A new process goes on.
    said += read_until(started.stderr, 8)
    os.killpg(started.pid, signal.SIGINT)
    stdout, rest = started.communicate()
    assert started.returncode == 1
    assert "Traceback" not in said + rest
    assert "cases were not run" in stdout
    suite = Tree.parse(tmp_path / "o.xml").getroot().find("testsuite")
    assert suite is not None
    skipped = int(suite.get("skipped", "0"))
    assert 0 < skipped <= MANY - 8
    # It may have been killed between two cases.
    errors = int(suite.get("errors", "0"))
    assert errors in (0, 1)
    assert int(suite.get("failures", "0")) == MANY - skipped - errors


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ([], ["mission files", "--schema"]),
        (["nowhere.yaml"], ["'nowhere.yaml'"]),
        (["wrong.yaml"], ["wrong.yaml:3:11", "'success'"]),
        (["right.yaml", "--tag", "quick"], ["There is no tag 'quick'"]),
        (["right.yaml", "--junit", "nowhere/o.xml"], ["no folder nowhere"]),
        (["right.yaml", "--set", "budget.replan=1"], ["budget.replans"]),
        (["right.yaml", "--repeat", "0"], ["--repeat"]),
    ],
)
def test_wrong_calls_run_nothing(
    words: list[str],
    parts: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, PLAIN, "right.yaml")
    written(tmp_path, "commands: [go home]\nexpect:\n outcome: sucess\n", "wrong.yaml")
    assert main(["mission", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    for part in parts:
        assert part in captured.err
    assert {path.name for path in tmp_path.iterdir()} == {"right.yaml", "wrong.yaml"}


def test_the_schema_describes_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mission", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == MissionFile.model_json_schema()
    for model in (schema, *schema["$defs"].values()):
        for name, key in model.get("properties", {}).items():
            # What a key says is left out where its section says the very same.
            section = schema["$defs"].get(key.get("$ref", "").rpartition("/")[2], {})
            assert key.get("description") or section.get("description"), name
