"""The shipped Foxglove layout shows what is in an episode, and nothing that is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from mcap.reader import make_reader

from agent.episode.writer import EpisodeWriter
from agent.resources import resource
from tests.episode.samples import mission

LAYOUT: dict[str, Any] = json.loads(
    resource("configs/foxglove/bosun.json").read_text(encoding="utf-8")
)
_STEP = re.compile(r"\.(\w+)|\[(-?\d+)\]")


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return topic -> schema as a written episode declares it."""
    with EpisodeWriter(tmp_path_factory.mktemp("foxglove")) as writer:
        for event in mission(np.random.default_rng(0)):
            writer.on_event(event)
    with writer.path.open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    return {
        channel.topic: {
            "name": summary.schemas[channel.schema_id].name,
            **json.loads(summary.schemas[channel.schema_id].data),
        }
        for channel in summary.channels.values()
    }


def _leaves(layout: Any) -> Iterator[str]:
    """Yield the panels of a mosaic, those in its tabs included."""
    if isinstance(layout, str):
        yield layout
        for tab in LAYOUT["configById"][layout].get("tabs", []):
            yield from _leaves(tab["layout"])
        return
    assert layout["direction"] in ("row", "column")
    assert 0 < layout["splitPercentage"] < 100
    yield from _leaves(layout["first"])
    yield from _leaves(layout["second"])


def _paths() -> list[str]:
    paths = []
    for panel in LAYOUT["configById"].values():
        paths += [path["value"] for path in panel.get("paths", [])]
        paths += [panel["topicPath"]] if "topicPath" in panel else []
    return paths


def _field(path: str, schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the part of a topic's schema that a message path leads to."""
    topic, rest = re.match(r"(/[\w/]+)(.*)", path).groups()  # type: ignore[union-attr]
    assert topic in schemas, path
    schema = schemas[topic]
    steps = list(_STEP.finditer(rest))
    assert "".join(step.group() for step in steps) == rest, path
    for step in steps:
        name, index = step.groups()
        if index is not None:
            assert schema["type"] == "array", path
            schema = schema["items"]
        else:
            assert name in schema["properties"], path
            schema = schema["properties"][name]
    return schema


def test_every_panel_is_placed_once_and_named() -> None:
    assert set(LAYOUT) == {
        "configById",
        "globalVariables",
        "userNodes",
        "playbackConfig",
        "layout",
    }
    panels = list(_leaves(LAYOUT["layout"]))
    assert sorted(panels) == sorted(LAYOUT["configById"])
    titles = [panel["foxglovePanelTitle"] for panel in LAYOUT["configById"].values()]
    assert all(titles) and len(set(titles)) == len(titles)


def test_both_cameras_are_shown_as_images(schemas: dict[str, dict[str, Any]]) -> None:
    topics = {
        panel["imageMode"]["imageTopic"]
        for name, panel in LAYOUT["configById"].items()
        if name.startswith("Image!")
    }
    assert topics == {topic for topic in schemas if topic.startswith("/camera/")}
    assert {schemas[topic]["name"] for topic in topics} == {"foxglove.CompressedImage"}


@pytest.mark.parametrize("path", _paths())
def test_every_path_is_in_the_schemas(path: str, schemas: dict[str, dict[str, Any]]) -> None:
    _field(path, schemas)


def test_what_is_plotted_is_a_number(schemas: dict[str, dict[str, Any]]) -> None:
    plots = [p for name, p in LAYOUT["configById"].items() if name.startswith("Plot!")]
    plotted = [path["value"] for plot in plots for path in plot["paths"]]
    assert {_field(path, schemas)["type"] for path in plotted} == {"number"}


def test_every_topic_is_shown(schemas: dict[str, dict[str, Any]]) -> None:
    images = {topic for topic in schemas if topic.startswith("/camera/")}
    shown = {re.match(r"/\w+", path).group() for path in _paths()}  # type: ignore[union-attr]
    assert set(schemas) - images == shown


def test_a_path_that_is_not_there_is_noticed(schemas: dict[str, dict[str, Any]]) -> None:
    for path in ("/action.row[0]", "/nowhere.x", "/state.gripper[0]", "/action.raw[0"):
        with pytest.raises(AssertionError):
            _field(path, schemas)
