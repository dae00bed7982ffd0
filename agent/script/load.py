"""From mission files to scripts that can be run; if any file is wrong, none is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent.errors import UsageError, unknown
from agent.script.complaint import complaints
from agent.script.parameters import Filling, combinations
from agent.script.schema import SEED, MissionFile, Parameters, Value
from agent.script.source import Problem, Source, WrongFile

M = TypeVar("M", bound=BaseModel)
_SHARED = (*Parameters.model_fields, "name", "description", "tags")
"""What all combinations of a file share, so that no `{name}` is filled in there."""


@dataclass(frozen=True, slots=True)
class Script:
    """One combination of the values of one mission file.

    Attributes:
        source: The file.
        mission: What it holds, with the values filled in.
        values: The axes of the matrix -> their values here.
    """

    source: Source = field(repr=False)
    mission: MissionFile
    values: dict[str, Value]

    @property
    def name(self) -> str:
        """What reports call the mission."""
        return self.mission.name or self.source.file.stem

    @property
    def seed(self) -> int | None:
        """The seed it is bound to, None where any scene will do that has what it needs."""
        seed = self.values.get(SEED, self.mission.scene.seed)
        return seed if isinstance(seed, int) else None


def load_scripts(files: Sequence[Path], tags: Sequence[str] = ()) -> list[Script]:
    """Return the scripts of some files, in order.

    Args:
        files: Mission files.
        tags: Take only missions with one of these; all without.

    Raises:
        UsageError: A file is not there, or wrong: one line for each thing that is wrong, with file,
            line and column. Or no mission has such a tag.
    """
    scripts: list[Script] = []
    problems: list[Problem] = []
    for file in dict.fromkeys(files):
        try:
            scripts += _read(Source(file))
        except WrongFile as wrong:
            problems += wrong.problems
    if problems:
        # Combinations repeat what is wrong with what they share.
        raise UsageError("\n".join(map(str, dict.fromkeys(problems))))
    known = {tag for script in scripts for tag in script.mission.tags}
    for tag in tags:
        if tag not in known:
            raise UsageError(unknown("tag", tag, known))
    return [s for s in scripts if not tags or set(tags) & set(s.mission.tags)]


def _read(source: Source) -> list[Script]:
    shared = {key: source.data[key] for key in _SHARED if key in source.data}
    axes = {key: shared[key] for key in Parameters.model_fields if key in shared}
    header = _validated(Parameters, axes, source)
    values, problems = combinations(header, source)
    scripts, used = [], {SEED}
    rest = {key: value for key, value in source.data.items() if key not in shared}
    for combination in values:
        filling = Filling({**header.parameters, **combination}, source)
        filled = filling(rest)
        problems += filling.problems
        used |= filling.used
        try:
            mission = _validated(MissionFile, {**shared, **filled}, source)
        except WrongFile as wrong:
            problems += wrong.problems
            continue
        if SEED in combination and mission.scene.seed is not None:
            sentence = "The matrix has an axis seed already; leave one of the two out."
            problems.append(source.problem(("scene", "seed"), sentence))
        scripts.append(Script(source, mission, combination))
    for part in ("parameters", "matrix"):
        for name in shared.get(part, {}):
            if name not in used:
                sentence = f"Nothing in the file says {{{name}}}."
                problems.append(source.problem((part, name), sentence, key=True))
    if problems:
        raise WrongFile(*problems)
    return scripts


def _validated(model: type[M], data: dict[Any, Any], source: Source) -> M:
    try:
        # As JSON, strict validation still takes a list for a tuple and a word for an enum.
        return model.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        raise WrongFile(*complaints(error, model, source)) from error
