"""The cells of an evaluation, `row/column`, as a table and as a picture."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from agent.errors import UsageError

_KEYS = ("episodes", "successes", "rate", "low", "high", "seconds_mean", "replans_mean", "alarms")
_BAR, _GAP, _HIGH, _MARGIN = 22, 26, 240, 44
_INK, _GREY = (30, 30, 30), (200, 200, 200)
_COLOURS = ((176, 176, 176), (236, 170, 92), (80, 136, 196))


def write_cells(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one line per cell as comma-separated values.

    Raises:
        UsageError: The file cannot be written.
    """
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["row", "column", *_KEYS])
            for row in rows:
                writer.writerow([*row["name"].split("/"), *(row[key] for key in _KEYS)])
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def plot_cells(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw the rate of each cell as a bar with its bounds, the cells of a row side by side.

    Args:
        path: A PNG file.
        rows: Of a report.

    Raises:
        UsageError: The file cannot be written.
    """
    cells = {tuple(row["name"].split("/")): row for row in rows}
    groups = list(dict.fromkeys(group for group, _ in cells))
    columns = list(dict.fromkeys(column for _, column in cells))
    group_width = len(columns) * _BAR + _GAP
    size = (2 * _MARGIN + max(280, len(groups) * group_width), _HIGH + 2 * _MARGIN + 18)
    image = Image.new("RGB", size, (255, 255, 255))
    draw = ImageDraw.Draw(image)
    base = _MARGIN + _HIGH
    for step in range(0, 11, 2):
        y = base - _HIGH * step // 10
        draw.line([(_MARGIN, y), (size[0] - _MARGIN, y)], _GREY)
        draw.text((8, y - 6), f"{10 * step} %", _INK)
    for g, group in enumerate(groups):
        left = _MARGIN + g * group_width + _GAP // 2
        draw.text((left, base + 6), group, _INK)
        for c, column in enumerate(columns):
            if cell := cells.get((group, column)):
                _bar(draw, left + c * _BAR, base, cell, _COLOURS[c % len(_COLOURS)])
    for c, column in enumerate(columns):
        x = _MARGIN + c * 90
        draw.rectangle([x, base + 28, x + 10, base + 38], _COLOURS[c % len(_COLOURS)])
        draw.text((x + 14, base + 27), column, _INK)
    try:
        image.save(path, "PNG")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error}.") from error


def _bar(
    draw: ImageDraw.ImageDraw,
    left: int,
    base: int,
    cell: Mapping[str, Any],
    colour: tuple[int, int, int],
) -> None:
    top, low, high = (base - round(_HIGH * cell[key]) for key in ("rate", "low", "high"))
    draw.rectangle([left, top, left + _BAR - 4, base], colour)
    middle = left + _BAR // 2 - 2
    draw.line([(middle, low), (middle, high)], _INK)
    draw.text((left, top - 13), f"{100 * cell['rate']:.0f}", _INK)
