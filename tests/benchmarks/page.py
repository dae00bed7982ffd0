"""Measures the page of a long mission: how long it takes to write, to open and to step through.

`python -m tests.benchmarks.page EPISODE` repeats the ticks of an episode to a mission of 240 s,
writes its page, opens it in headless Chromium, and prints a line of JSON: seconds to write and to
open, milliseconds per tick shown (numbers, plan, scene and events; pictures are decoded beside),
the script's memory in MB, and the page's size in units of that of its pictures as PNG.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from agent.episode.page import write_page
from agent.episode.reader import read_episode
from agent.episode.writer import EpisodeWriter
from agent.events import Event, MissionEnded, MissionStarted, Ticked
from agent.pictures import png
from tests.episode.chromium import headless

_TICKS = 2400
_SHOWN = """
const began = performance.now();
for (let tick = 0; tick < count; tick += 24) show(tick);
return (performance.now() - began) / Math.ceil(count / 24);
"""


def measure(source: Path, folder: Path) -> dict[str, float]:
    """Return what `python -m tests.benchmarks.page` prints, writing into an empty folder."""
    pictures = 0
    with EpisodeWriter(folder) as writer:
        for event in _long(list(read_episode(source).events())):
            writer.on_event(event)
            if isinstance(event, Ticked):
                pictures += sum(len(png(image)) for image in event.observation.images.values())
    page = folder / "page.html"
    began = time.perf_counter()
    write_page(read_episode(folder), page)
    write_s = time.perf_counter() - began
    driver: Any = headless()
    try:
        began = time.perf_counter()
        driver.get(page.as_uri())
        return {
            "write_s": write_s,
            "open_s": time.perf_counter() - began,
            "show_ms": driver.execute_script(_SHOWN),
            "memory_mb": driver.execute_script("return performance.memory.usedJSHeapSize / 1e6"),
            "size": page.stat().st_size / pictures,
        }
    finally:
        driver.quit()


def _long(events: list[Event]) -> Iterator[Event]:
    """Yield a mission's events again and again, later each time, until there are ticks enough."""
    ticks, length_s = 0, events[-1].time_s + 0.1
    for again in count():
        for event in events:
            if isinstance(event, MissionEnded) or (again and isinstance(event, MissionStarted)):
                continue
            ticks += isinstance(event, Ticked)
            yield replace(event, time_s=round(event.time_s + again * length_s, 6))
            if ticks == _TICKS:
                return


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("episode", type=Path)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(parser.parse_args().episode, Path(folder))))


if __name__ == "__main__":
    main()
