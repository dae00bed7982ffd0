"""Cells as a table and as a picture."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agent.errors import UsageError
from skills.evaluate.report import Row
from skills.evaluate.table import plot_cells, write_cells

MORE = {"seconds_mean": 30.5, "replans_mean": 0.5, "alarms": 0.25}
ROWS = [
    Row(f"{row}/{column}", 20, successes, MORE).as_json()
    for row, column, successes in [
        ("drop=0", "open_loop", 20),
        ("drop=0", "continuous", 19),
        ("drop=0.3", "open_loop", 0),
        ("drop=0.3", "continuous", 18),
    ]
]


def test_a_line_per_cell(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    write_cells(path, ROWS)
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["row"], line["column"]) for line in lines][2] == ("drop=0.3", "open_loop")
    assert [float(line["rate"]) for line in lines] == [1.0, 0.95, 0.0, 0.9]
    assert {line["alarms"] for line in lines} == {"0.25"}


def test_higher_rates_are_higher_bars(tmp_path: Path) -> None:
    path = tmp_path / "cells.png"
    plot_cells(path, ROWS)
    image = np.asarray(Image.open(path)).astype(int)
    orange = (image == (236, 170, 92)).all(-1).sum(0)
    bars = np.split(orange, np.flatnonzero(np.diff((orange > 50).astype(int))) + 1)
    heights = [int(bar.max()) for bar in bars if bar.max() > 50]
    assert len(heights) == 2
    assert heights[0] > heights[1] > 150


def test_a_missing_cell_leaves_a_gap(tmp_path: Path) -> None:
    plot_cells(tmp_path / "cells.png", ROWS[:3])
    write_cells(tmp_path / "cells.csv", ROWS[:3])


@pytest.mark.parametrize("write", [write_cells, plot_cells])
def test_where_nothing_can_be_written_is_said(write: object, tmp_path: Path) -> None:
    assert callable(write)
    with pytest.raises(UsageError, match="cannot be written"):
        write(tmp_path, ROWS)
