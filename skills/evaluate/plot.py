"""Reliability drawn as a picture: what is stated against what is so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from agent.errors import UsageError

_SIDE, _MARGIN = 260, 48
_INK, _GREY, _BAR = (30, 30, 30), (190, 190, 190), (96, 140, 200)


def plot_reliability(path: Path, tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw one panel per table of `skills.evaluate.looks.reliability`, side by side.

    A bar is the share that was so among answers of that stated probability, with their number above
    it; bars that end on the diagonal mean what they say.

    Args:
        path: A PNG file.
        tables: Name -> table.

    Raises:
        UsageError: The file cannot be written.
    """
    width, height = (_SIDE + 2 * _MARGIN) * len(tables), _SIDE + 2 * _MARGIN
    image = Image.new("RGB", (width, height), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    for index, (name, table) in enumerate(tables.items()):
        _panel(draw, index * (_SIDE + 2 * _MARGIN) + _MARGIN, name, table)
    try:
        image.save(path, "PNG")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error}.") from error


def _panel(draw: ImageDraw.ImageDraw, left: int, name: str, table: Mapping[str, Any]) -> None:
    top, bottom = _MARGIN, _MARGIN + _SIDE
    for step in range(0, 11, 2):
        at, label = round(_SIDE * step / 10), f"{step / 10:.1f}"
        draw.line([(left, bottom - at), (left + _SIDE, bottom - at)], _GREY)
        draw.text((left - 24, bottom - at - 6), label, _INK)
        draw.text((left + at - 8, bottom + 4), label, _INK)
    for cell in table["bins"]:
        if not cell["count"]:
            continue
        left_x, right_x = (left + round(_SIDE * cell[end]) for end in ("low", "high"))
        y = bottom - round(_SIDE * cell["observed"])
        draw.rectangle([left_x + 2, y, right_x - 2, bottom], _BAR)
        draw.text((left_x + 2, y - 12), str(cell["count"]), _INK)
    draw.line([(left, bottom), (left + _SIDE, top)], _INK)
    draw.rectangle([left, top, left + _SIDE, bottom], outline=_INK)
    draw.text((left, 8), f"{name}: error {table['calibration_error']:.3f}", _INK)
    draw.text((left + 60, bottom + 22), "stated probability", _INK)
