"""The robot tested like software: missions with what must come of them, run and reported.

Shows a few of the missions in configs/missions, each in two scenes: a question and its answer, a
correction in mid-mission, two commands in one world, and a camera that goes dark. Prints which
passed and how likely several tries in a row pass, and leaves a page with plans, verdicts and
pictures. Run it: `python demos/06_mission_suite.py [FILE.yaml ...]`. It exits with 1 where a
mission fails.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from agent.resources import resource
from agent.script.page import write_page
from agent.script.suite import Suite, run_suite
from agent.script.tally import Tally, by_mission

MISSIONS = ("question", "correction", "lamp", "blank")
REPEAT = 2
PAGE = Path("runs/06_mission_suite.html")


def main(files: Sequence[Path]) -> bool:
    """Run the missions and return whether all of them passed."""
    began = datetime.now()
    findings = run_suite(Suite(files, repeat=REPEAT))
    for finding in findings:
        print(f"{finding.status.value:8} {finding.case.suite}, {finding.case.name}")
        for sentence in finding.sentences:
            print(f"         {sentence}")
    overall = Tally("all", tuple(findings))
    for tally in (*by_mission(findings), overall):
        chances = (f"pass^{k} {p:.0%}" for k, p in tally.pass_hat.items() if p is not None)
        print(f"{tally.name:32} {', '.join(chances)}")
    PAGE.parent.mkdir(exist_ok=True)
    write_page(findings, began, PAGE)
    print(f"Report: {PAGE}")
    return overall.passed


if __name__ == "__main__":
    shipped = [resource(f"configs/missions/{name}.yaml") for name in MISSIONS]
    sys.exit(not main([Path(word) for word in sys.argv[1:]] or shipped))
