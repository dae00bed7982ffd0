"""Demonstrations made up for tests: of every skill, with labels that fit and images of noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.facts import after
from agent.types import Scene
from agent.workspace import DRAWER_TRAVEL, OBJECTS
from skills.dataset import (
    OBJECT_NAMES,
    ShardWriter,
    call_of,
    scene_labels,
)
from skills.registry import load_contracts
from tests.scenes import scene

FRAMES = 10
SIZES = {"front": (24, 32), "wrist": (24, 24)}
"""Camera name -> height and width in pixels; small, so that tests are fast."""
Call = tuple[str, dict[str, str]]
CALLS: list[Call] = [
    ("pick", {"object": "red block"}),
    ("pick", {"object": "can"}),
    ("place_in", {"object": "red block", "target": "blue bowl"}),
    ("place_in", {"object": "can", "target": "drawer"}),
    ("place_on", {"object": "red block", "target": "plate"}),
    ("place_on", {"object": "can", "target": "left zone"}),
    ("place_on", {"object": "red block", "target": "green block"}),
    ("push", {"object": "can", "direction": "left"}),
    ("push", {"object": "red block", "direction": "back"}),
    ("open", {"object": "drawer"}),
    ("close", {"object": "drawer"}),
    ("press", {"object": "button"}),
]


def start_of(skill: str, args: Mapping[str, str]) -> Scene:
    """Return a scene with everything in it, from which a call can begin."""
    held = {args["object"]: "hand"} if skill.startswith("place") else {}
    return scene(*OBJECTS, on=held, opening=0.0 if skill == "open" else DRAWER_TRAVEL)


def write_demos(folder: Path, calls: Sequence[Call], seed: int = 0, frames: int = FRAMES) -> None:
    """Write a shard with a demonstration of each call, in turn, each in a scene of its own.

    What is handled moves evenly to where the call's effect takes it; the gripper switches half way.
    """
    rng, writer = np.random.default_rng(seed), ShardWriter()
    for demo, (skill, args) in enumerate(calls):
        start = start_of(skill, args)
        end = after(start, load_contracts()[skill].facts("effects", args)[0])
        for frame in range(frames):
            progress = frame / (frames - 1)
            now = end if progress == 1 else _between(start, end, args["object"], progress)
            action = np.append(rng.normal(0, 0.01, 6), float(frame < frames // 2))
            writer.add(
                {
                    **{n: rng.integers(0, 256, (*s, 3), np.uint8) for n, s in SIZES.items()},
                    "state": rng.normal(size=15).astype(np.float32),
                    "action": action.astype(np.float32),
                    "demo": np.int32(demo),
                    **call_of(skill, args),
                    "progress": np.float32(progress),
                    "success": progress == 1,
                    "mount": np.full(9, 0.001 * demo),
                    **scene_labels(now),
                }
            )
    writer.save(folder)


def without(folder: Path, name: str) -> None:
    """Take an object out of a shard's labels."""
    path = folder / "present.npy"
    present: np.ndarray[Any, Any] = np.load(path)
    present[:, OBJECT_NAMES.index(name)] = False
    np.save(path, present)


def _between(start: Scene, end: Scene, name: str, share: float) -> Scene:
    """Return the start, but with one thing part of the way to where it will be."""
    was, will = start.objects[name], end.objects[name]
    opening = None
    if was.articulation is not None and will.articulation is not None:
        opening = was.articulation + share * (will.articulation - was.articulation)
    position = was.position + share * (will.position - was.position)
    now = replace(was, position=position, articulation=opening)
    return replace(start, objects={**start.objects, name: now})
