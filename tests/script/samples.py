"""Mission files, traces and findings to test with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.script.bench import Finding, Status
from agent.script.cases import Case
from agent.script.schema import MissionFile
from agent.script.trace import Trace
from agent.types import MissionOutcome, Reason, Scene, SceneObject, Subgoal

PLAIN = """\
commands:
  - go home
expect:
  outcome: success
"""
PICK = Subgoal(skill="pick", args={"object": "red block"}, phrase="pick up the red block")
PLACE = Subgoal(
    skill="place_in",
    args={"object": "red block", "target": "drawer"},
    phrase="put the red block in the drawer",
)


def written(folder: Path, text: str, name: str = "mission.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def scene(support: str = "table", opening_m: float = 0.0, lamp: float = 0.0) -> Scene:
    """Return a red block, a plate, a drawer and a button."""
    things = [
        SceneObject("red block", "block", np.array([0.5, 0.1, 0.02]), support=support),
        SceneObject("plate", "plate", np.array([0.5, -0.2, 0.0])),
        SceneObject("drawer", "drawer", np.array([0.4, 0.3, 0.05]), articulation=opening_m),
        SceneObject("button", "button", np.array([0.6, 0.3, 0.03]), articulation=lamp),
    ]
    return Scene(0.0, {thing.name: thing for thing in things})


def trace(**changes: Any) -> Trace:
    """Return a mission that put the red block in the drawer at once."""
    done = Trace(
        outcome=MissionOutcome.SUCCESS,
        question=None,
        plan=(PICK, PLACE),
        runs=(PICK, PLACE),
        reasons=(Reason.DONE, Reason.DONE, Reason.DONE),
        asked=(),
        replans=0,
        attempts=1,
        seconds=7.5,
        wall_s=4.0,
        ticks=75,
        tokens=0,
        agrees=True,
        world=(scene(), scene("drawer", 0.1)),
        believed=(scene(), scene("drawer", 0.1)),
    )
    return replace(done, **changes)


def finding(status: Status, script: int = 0, number: int = 0, **more: Any) -> Finding:
    """Return a finding of a mission without commands that were run."""
    mission = MissionFile.model_validate({"commands": ["go home"], "expect": {"ticks": 1}})
    case = Case(
        mission,
        more.pop("suite", "Home"),
        Path(more.pop("file", "home.yaml")),
        script,
        f"seed={number}",
        number,
        Path(f"runs/home/seed={number}"),
    )
    return Finding(case, status, **more)
