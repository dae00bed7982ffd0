"""Results of tries on disk, so that a long evaluation that was killed is taken up again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.errors import UsageError


class Ledger:
    """One line of JSON per try; the first line says what is measured.

    It is kept by one process, which writes a line whenever a try has ended.
    """

    def __init__(self, path: Path, about: str, kind: Any) -> None:
        """Take up a file, or begin one.

        Args:
            path: The file.
            about: What is measured; a file about anything else is refused.
            kind: Type of a result, which pydantic can write as JSON.

        Raises:
            UsageError: The file is about something else, is none of ours, or cannot be written.
        """
        self._path, self._adapter = path, TypeAdapter[Any](kind)
        self._known: dict[tuple[str, str], Any] = {}
        try:
            lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
            # What follows the last line break was cut off by a kill.
            whole = lines[:-1]
            if not whole:
                path.write_text(json.dumps({"about": about}) + "\n", encoding="utf-8")
                return
            path.write_text("\n".join([*whole, ""]), encoding="utf-8")
            self._read(whole, about)
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be kept: {error}.") from error

    def _read(self, lines: list[str], about: str) -> None:
        try:
            found = json.loads(lines[0])["about"]
            for line in lines[1:]:
                row = json.loads(line)
                result = self._adapter.validate_python(row["result"], strict=False)
                self._known[row["group"], _key(row["job"])] = result
        except (ValueError, TypeError, KeyError, ValidationError) as error:
            raise UsageError(f"{self._path} is not a file of results; name another one.") from error
        if found != about:
            raise UsageError(
                f"{self._path} holds results of {found}, but asked is for {about}; name another "
                "file."
            )

    def __contains__(self, key: tuple[str, Any]) -> bool:
        """Return whether a group's job is known."""
        return (key[0], _key(key[1])) in self._known

    def __getitem__(self, key: tuple[str, Any]) -> Any:
        """Return what came of a group's job."""
        return self._known[key[0], _key(key[1])]

    def add(self, group: str, job: Any, result: Any) -> None:
        """Keep what came of a job."""
        self._known[group, _key(job)] = result
        row = {
            "group": group,
            "job": job,
            "result": self._adapter.dump_python(result, mode="json"),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def _key(job: Any) -> str:
    return json.dumps(job)
