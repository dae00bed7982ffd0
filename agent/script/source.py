"""A YAML file as data of which each part knows its line and column."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agent.errors import UsageError, unknown
from agent.resources import resource

Place = tuple[str | int, ...]
"""The keys and indices that lead to a part of a file."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong with a file, and where; `line` and `column` count from 1."""

    file: Path
    line: int
    column: int
    sentence: str

    def __str__(self) -> str:
        """Return it as compilers write it, so that editors find the place."""
        return f"{self.file}:{self.line}:{self.column}: {self.sentence}"


class WrongFile(Exception):
    """A file cannot be read at all; carries the problems."""

    def __init__(self, *problems: Problem) -> None:
        """Keep at least one problem."""
        super().__init__(*problems)
        self.problems = problems


class Source:
    """One file.

    Attributes:
        file: Where it lies.
        data: What it holds.
    """

    def __init__(self, file: Path) -> None:
        """Read a file.

        Raises:
            UsageError: There is no such file, or it cannot be read.
            WrongFile: It is not YAML, names a key twice, or does not hold keys and values.
        """
        self.file = file
        text = _text(file)
        try:
            loader = yaml.SafeLoader(text)
            self._root = loader.get_single_node()
            doubled = [*self._doubled(self._root, frozenset())]
            if doubled:
                raise WrongFile(*doubled)
            self.data: Any = None if self._root is None else loader.construct_document(self._root)
            json.dumps(self.data, default=str)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            sentence = f"This is not YAML: {error.problem}."
            raise WrongFile(Problem(file, line, column, sentence)) from error
        except yaml.YAMLError as error:
            sentence = "This is not YAML: it holds characters that YAML forbids."
            raise WrongFile(Problem(file, 1, 1, sentence)) from error
        except (TypeError, ValueError, RecursionError) as error:
            sentence = f"This is more than plain keys and values: {error}."
            raise WrongFile(Problem(file, 1, 1, sentence)) from error
        if not isinstance(self.data, dict):
            raise WrongFile(self.problem((), "A mission file holds keys and values, see --schema."))

    def problem(self, place: Sequence[str | int], sentence: str, *, key: bool = False) -> Problem:
        """Return a problem at a place, or as near to it as the file goes.

        Args:
            place: Where; parts that the file does not have are passed over.
            sentence: What is wrong.
            key: Whether it is the last key itself that is wrong, and not what it stands for.
        """
        node, mark = self._root, self._root.start_mark if self._root else None
        for part in place:
            found = _child(node, part)
            if found is None:
                continue
            name, node = found
            mark = (name if key and part == place[-1] else node).start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Problem(self.file, line, column, sentence)

    def _doubled(self, node: yaml.Node | None, above: frozenset[int]) -> Iterator[Problem]:
        """Yield every key that its mapping has had before."""
        if node is None or id(node) in above:
            return
        above |= {id(node)}
        if isinstance(node, yaml.MappingNode):
            seen: dict[str, int] = {}
            for key, value in node.value:
                mark = key.start_mark
                if isinstance(key, yaml.ScalarNode) and key.value in seen:
                    sentence = f"{key.value!r} stands here already, in line {seen[key.value]}."
                    yield Problem(self.file, mark.line + 1, mark.column + 1, sentence)
                elif isinstance(key, yaml.ScalarNode):
                    seen[key.value] = mark.line + 1
                yield from self._doubled(value, above)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                yield from self._doubled(value, above)


def _child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the key and the value of one part of a node, None where it has none."""
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if k.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        beside = [*file.parent.glob("*.yaml")] or resource("configs/missions").glob("*.yaml")
        raise UsageError(unknown("mission file", str(file), map(str, beside))) from None
    except IsADirectoryError:
        raise UsageError(f"{file} is a folder; name its files, as in {file}/*.yaml.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}.") from error
