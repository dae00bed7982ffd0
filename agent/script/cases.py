"""Cases: each script in each of its scenes, with a name and a folder of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from agent.errors import UsageError
from agent.facts import holds
from agent.script.load import Script
from agent.script.schema import SEED, MissionFile
from agent.script.source import Problem
from agent.script.vocabulary import Call, Claim, parse_need, split_need
from agent.types import Scene
from skills.dataset import in_sight
from skills.evaluate.commands import initial_scene
from skills.tasks import possible

_SCENES = 3_000
"""Scenes looked at for each script."""
_FOLDER = 100
"""Characters that the name of a folder may have."""


@dataclass(frozen=True, slots=True)
class Case:
    """One try of one script.

    Attributes:
        mission: What the file holds, with the values filled in.
        suite: What reports call the mission.
        file: The file.
        script: Which of the scripts of the call; its cases are the tries of one thing.
        name: What reports call the case; unique within the suite.
        seed: Of its scene.
        folder: Where its episodes go.
    """

    mission: MissionFile = field(repr=False)
    suite: str
    file: Path
    script: int
    name: str
    seed: int
    folder: Path

    def episode(self, command: int) -> Path:
        """Return the folder of a command's episode; the only one's is that of the case."""
        return self.folder if len(self.mission.spoken) == 1 else self.folder / str(command + 1)


def make_cases(scripts: Sequence[Script], repeat: int, out: Path) -> list[Case]:
    """Return every script's cases, one after another.

    Raises:
        UsageError: Too few scenes have what a script needs; says where that is written.
    """
    names = _Unique()
    missions: dict[Path, str] = {}
    cases: list[Case] = []
    problems: list[Problem] = []
    for index, script in enumerate(scripts):
        file = script.source.file
        if file not in missions:
            missions[file] = names(Path(), file.stem)
        seeds = list(islice(_seeds(script), repeat))
        if len(seeds) < repeat:
            problems.append(_too_few(script, len(seeds), repeat))
        for seed, name in zip(seeds, _case_names(script, seeds), strict=True):
            folder = names(Path(missions[file]), name)
            case = Case(
                script.mission,
                script.name,
                file,
                index,
                name,
                seed,
                out / missions[file] / folder,
            )
            cases.append(case)
    if problems:
        raise UsageError("\n".join(map(str, problems)))
    return cases


def meets(needs: Sequence[str], scene: Scene) -> bool:
    """Return whether a scene has at its start what a mission needs."""
    # Whether there is room for a call takes long to find out, so that is asked last.
    parsed = sorted(map(parse_need, needs), key=lambda need: isinstance(need, Call))
    return all(_has(scene, need) for need in parsed)


def _has(scene: Scene, need: Claim | Call | str) -> bool:
    match need:
        case Claim():
            return holds(need.fact, scene) is need.holds
        case Call():
            return any(need.fits(task.skill, task.args) for task in possible(scene))
    name, wanted = split_need(need)
    return (name in (in_sight(scene) if wanted else scene).objects) is wanted


def _seeds(script: Script) -> Iterator[int]:
    """Yield the seeds of the scenes in which a script is tried."""
    scene = script.mission.scene
    if script.seed is None:
        looked_at = range(scene.first, scene.first + _SCENES)
        yield from (seed for seed in looked_at if meets(scene.needs, initial_scene(seed)))
    elif meets(scene.needs, initial_scene(script.seed)):
        while True:
            yield script.seed


def _case_names(script: Script, seeds: Sequence[int]) -> Iterator[str]:
    values = [f"{name}={value}" for name, value in script.values.items() if name != SEED]
    for number, seed in enumerate(seeds, 1):
        again = [f"try={number}"] if script.seed is not None and len(seeds) > 1 else []
        yield ", ".join([*values, f"{SEED}={seed}", *again])


def _too_few(script: Script, found: int, repeat: int) -> Problem:
    """Say that scenes lack what is needed, where the needs are written."""
    scene, where = script.mission.scene, ("scene", "needs")
    needs = ", ".join(scene.needs)
    values = ", ".join(f"{name}={value}" for name, value in script.values.items())
    about = f" with {values}" if values else ""
    if script.seed is not None:
        sentence = f"The scene of seed {script.seed} does not have all of {needs}; take another."
        return script.source.problem(where, sentence)
    sentence = (
        f"Only {found} of the {_SCENES} scenes from seed {scene.first} on have all of {needs}"
        f"{about}, and --repeat needs {repeat}."
    )
    return script.source.problem(where, sentence)


class _Unique:
    """Makes names that a folder may have, each once in its folder."""

    def __init__(self) -> None:
        self._taken: set[tuple[Path, str]] = set()

    def __call__(self, within: Path, name: str) -> str:
        plain = re.sub(r"[^A-Za-z0-9._=-]+", "-", name.replace(", ", "_")).strip("-.")[:_FOLDER]
        found, number = plain or "mission", 1
        # Some file systems do not tell upper and lower case apart.
        while (within, found.lower()) in self._taken:
            number += 1
            found = f"{plain}-{number}"
        self._taken.add((within, found.lower()))
        return found
