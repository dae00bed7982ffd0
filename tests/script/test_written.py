"""Reports keep to their formats, whatever stands in a mission file or comes from a planner."""

from __future__ import annotations

from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import numpy as np
import pytest
import xmlschema

from agent.errors import UsageError
from agent.pictures import jpeg
from agent.script.bench import Finding, Status
from agent.script.junit import write_junit
from agent.script.page import write_page
from agent.script.trace import Frame
from tests.script.samples import finding

SCHEMA = Path(__file__).parents[1] / "data" / "junit.xsd"
NASTY = "a<script>alert(1)</script>&amp;\"'\x00\x1b[31m\ud800\ufffe]]>é🤖"
BEGAN = datetime(2026, 1, 2, 3, 4, 5)


def findings(folder: Path) -> list[Finding]:
    summary: dict[str, Any] = {
        "outcome": "needs_help",
        "command": NASTY,
        "plan": [{"skill": "home", "args": {}, "phrase": NASTY}],
        "subgoals": [],
        "replans": 1,
        "question": NASTY,
        "seconds": 1.5,
        "world_success": None,
        "episode": str(folder),
    }
    frame = Frame(0.5, NASTY, jpeg(np.zeros((6, 8, 3), np.uint8)))
    return [
        finding(Status.PASSED, wall_s=1234.5678),
        finding(
            Status.FAILED,
            number=1,
            suite=NASTY,
            failures=(NASTY, "Another one."),
            summaries=(summary,),
            frames=((frame,),),
        ),
        finding(Status.ERROR, 1, 2, file="b.yaml", suite=NASTY, error=NASTY),
        finding(Status.NOT_RUN, 1, 3, file="b.yaml"),
    ]


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    file = tmp_path / "out.xml"
    write_junit(findings(tmp_path), BEGAN, file)
    return file


def test_junit_keeps_to_the_schema(junit: Path) -> None:
    xmlschema.XMLSchema(SCHEMA).validate(junit)


def test_the_schema_refuses_what_is_no_junit(junit: Path) -> None:
    text = junit.read_text(encoding="utf-8")
    for right, wrong in (
        ("failure type", "fault type"),
        ('tests="4"', 'tests="four"'),
        ('classname="', 'class="'),
        ("<testcase name=", "<testcase title="),
        ('time="1234.568"', 'time="20 min"'),
    ):
        assert right in text
        changed = text.replace(right, wrong)
        if "fault" in wrong:
            changed = changed.replace("</failure>", "</fault>")
        assert not xmlschema.XMLSchema(SCHEMA).is_valid(changed), wrong


def test_junit_counts_and_says_what_went_wrong(junit: Path) -> None:
    root = Tree.parse(junit).getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "1", "1")
    first, second = root.findall("testsuite")
    assert (first.get("tests"), first.get("failures"), first.get("errors")) == ("2", "1", "0")
    assert second.get("skipped") == "1"
    failure = first.find("testcase/failure")
    assert failure is not None
    assert failure.text is not None
    assert failure.text.splitlines()[-1] == "Another one."
    assert "\\x1b[31m" in (failure.get("message") or "")
    assert "🤖" in (failure.get("message") or "")


class _Page(HTMLParser):
    """Keeps the tags of a page, and the addresses it names."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def read(page: Path) -> tuple[str, _Page]:
    text, parser = page.read_text(encoding="utf-8"), _Page()
    parser.feed(text)
    return text, parser


def test_the_page_needs_nothing_beside_it_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its episodes are in folders below this one, where there are none.
    monkeypatch.chdir(tmp_path)
    write_page(findings(tmp_path), BEGAN, tmp_path / "page.html")
    text, parsed = read(tmp_path / "page.html")
    assert not {"script", "link", "iframe"} & set(parsed.tags)
    assert all(a.startswith(("data:image/jpeg;base64,", "#m")) for a in parsed.addresses)
    assert "img" in parsed.tags
    assert not {"\x00", "\x1b", "\ud800"} & set(text)
    assert "&lt;script&gt;" in text
    assert "1 of 4 passed" in text


def test_the_page_links_to_the_folders_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = findings(tmp_path)[1]
    found.case.folder.mkdir(parents=True)
    page = tmp_path / "page.html"
    write_page([found], BEGAN, page)
    assert "runs/home/seed%3D1" in read(page)[1].addresses
    assert not any("timeline" in address for address in read(page)[1].addresses)
    (found.case.folder / "timeline.html").write_text("")
    write_page([found], BEGAN, page)
    assert "runs/home/seed%3D1/timeline.html" in read(page)[1].addresses


def test_a_report_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    for write in (write_junit, write_page):
        with pytest.raises(UsageError, match="cannot be written"):
            write(findings(tmp_path), BEGAN, tmp_path)
