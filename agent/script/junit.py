"""What came of missions as JUnit XML, which build servers read.

It keeps to the schema of Jenkins' xUnit plugin and Surefire: a suite for each mission, a test case
for each of its cases, and properties on suites only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as Tree

import agent
from agent.errors import UsageError
from agent.script.bench import Finding, Status
from agent.script.printable import printable
from agent.script.tally import Tally, by_mission


def write_junit(findings: Sequence[Finding], began: datetime, path: Path) -> None:
    """Write the file.

    Args:
        findings: What came of every case.
        began: When the first one was begun.
        path: The file.

    Raises:
        UsageError: It cannot be written.
    """
    root = Tree.Element("testsuites", _counts(Tally("bosun mission", tuple(findings))))
    for tally in by_mission(findings):
        skipped = {"skipped": str(tally.count(Status.NOT_RUN))}
        when = {"timestamp": began.strftime("%Y-%m-%dT%H:%M:%S")}
        suite = Tree.SubElement(root, "testsuite", {**_counts(tally), **skipped, **when})
        _properties(suite, tally)
        for finding in tally.findings:
            _case(suite, finding)
    Tree.indent(root)
    try:
        Tree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def _counts(tally: Tally) -> dict[str, str]:
    return {
        "name": printable(tally.name),
        "tests": str(len(tally.findings)),
        "failures": str(tally.count(Status.FAILED)),
        "errors": str(tally.count(Status.ERROR)),
        "time": f"{tally.wall_s:.3f}",
    }


def _properties(suite: Tree.Element, tally: Tally) -> None:
    case = tally.findings[0].case
    found = {
        "bosun": agent.__version__,
        "file": str(case.file),
        "tags": " ".join(case.mission.tags),
    }
    for k, chance in tally.pass_hat.items():
        if chance is not None:
            found[f"pass^{k}"] = f"{chance:.4f}"
    properties = Tree.SubElement(suite, "properties")
    for name, value in found.items():
        Tree.SubElement(properties, "property", {"name": name, "value": printable(value)})


def _case(suite: Tree.Element, finding: Finding) -> None:
    case = finding.case
    attributes = {
        "name": printable(case.name),
        "classname": printable(case.suite),
        "time": f"{finding.wall_s:.3f}",
    }
    element = Tree.SubElement(suite, "testcase", attributes)
    match finding.status:
        case Status.NOT_RUN:
            Tree.SubElement(element, "skipped", {"message": "It was interrupted before its end."})
        case Status.ERROR:
            _trouble(element, "error", finding.sentences)
        case Status.FAILED:
            _trouble(element, "failure", finding.sentences)
    told = [json.dumps(summary, ensure_ascii=False) for summary in finding.summaries]
    lines = [f"episodes: {case.folder}", *told]
    Tree.SubElement(element, "system-out").text = printable("\n".join(lines))


def _trouble(element: Tree.Element, kind: str, sentences: Sequence[str]) -> None:
    kinds = {"error": "bosun.error", "failure": "bosun.expectation"}
    attributes = {"type": kinds[kind], "message": printable(sentences[0])}
    Tree.SubElement(element, kind, attributes).text = printable("\n".join(sentences))
