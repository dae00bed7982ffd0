"""What is to be learned of recorded frames, and what teachers say when asked about them again."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from agent.workspace import DIRECTIONS, DRAWER_TRAVEL, PUSH_DISTANCE, ZONES
from skills.dataset import call_at, open_shard, shards
from skills.experts import expert_for
from skills.labels import VARIANTS, Labels, RecordedWorld, label
from tests.scenes import HOMES, WHEN_NAMED
from tests.skills.samples import CALLS, FRAMES, Call, start_of, without, write_demos


def labels_of(root: Path, call: Call, missing: str = "", seed: int = 0) -> Labels:
    """Return the labels of one demonstration."""
    folder = root / "shard-0000000"
    write_demos(folder, [call])
    if missing:
        without(folder, missing)
    return label(open_shard(folder), seed)


def handle(opening: float) -> np.ndarray:
    """Return where the drawer's handle is: (3,) m."""
    x, y = WHEN_NAMED["drawer"]
    return np.array([x + opening, y, 0.02])


GOALS: list[tuple[Call, np.ndarray]] = [
    (CALLS[9], handle(DRAWER_TRAVEL)),
    (CALLS[10], handle(0.0)),
    *[
        (
            ("push", {"object": "can", "direction": way}),
            np.array([*(WHEN_NAMED["can"] + PUSH_DISTANCE * np.array(unit)), 0.0325]),
        )
        for way, unit in DIRECTIONS.items()
    ],
    (CALLS[6], np.array([*HOMES["green block"], 0.02])),
]


@pytest.mark.parametrize(("call", "goal"), GOALS, ids=[str(call) for call, _ in GOALS])
def test_where_things_are_taken_does_not_move_as_they_are_taken_there(
    tmp_path: Path, call: Call, goal: np.ndarray
) -> None:
    """A push's goal counts from where it began, a drawer's from how far it is out."""
    found, (skill, args) = labels_of(tmp_path, call), call
    began = start_of(skill, args).objects[args["object"]].position
    assert found.thing[0] == pytest.approx(began, abs=1e-6)
    assert np.linalg.norm(found.thing[-1] - found.thing[0]) > 0.05
    assert found.goal == pytest.approx(np.tile(goal, (VARIANTS, FRAMES, 1)), abs=1e-6)


@pytest.mark.parametrize("call", CALLS[2:6], ids=str)
def test_things_are_put_down_where_there_is_room(tmp_path: Path, call: Call) -> None:
    """In every frame, whatever was said, the goal is on the target; at the end the thing is."""
    found, target = labels_of(tmp_path, call), call[1]["target"]
    centre = ZONES[target].centre if target in ZONES else None
    if centre is None:
        centre = start_of(*call).objects[target].position[:2]
    reach = 0.1 if target in ("drawer", "left zone") else 0.05
    assert np.linalg.norm(found.goal[..., :2] - centre, axis=-1).max() < reach
    if target not in ("drawer", "left zone"):
        ends = found.goal[:, -1, :2]
        assert ends == pytest.approx(np.tile(found.thing[-1, :2], (VARIANTS, 1)), abs=1e-3)


@pytest.mark.parametrize("call", [CALLS[0], CALLS[1], CALLS[11]], ids=str)
def test_what_is_taken_nowhere_goes_where_it_is(tmp_path: Path, call: Call) -> None:
    """Grasping and pressing aim at the thing itself."""
    found = labels_of(tmp_path, call)
    assert np.isfinite(found.thing).all()
    assert np.array_equal(found.goal, np.tile(found.thing, (VARIANTS, 1, 1)))


def test_what_is_not_in_sight_is_no_aim(tmp_path: Path) -> None:
    """Neither the thing nor where it goes is guessed; the recorded actions stand."""
    lost = labels_of(tmp_path / "lost", CALLS[2], missing="red block")
    assert np.isnan(lost.thing).all()
    assert np.isnan(lost.goal).all()
    recorded = open_shard(tmp_path / "lost" / "shard-0000000")["action"]
    assert np.array_equal(lost.action, np.tile(recorded, (VARIANTS, 1, 1)))
    nowhere = labels_of(tmp_path / "nowhere", CALLS[2], missing="blue bowl")
    assert np.isfinite(nowhere.thing).all()
    assert np.isnan(nowhere.goal).all()


def test_every_demonstration_is_labelled_for_itself(tmp_path: Path) -> None:
    """A push is measured from its own beginning, not from the one before it."""
    write_demos(tmp_path / "shard-0000000", [CALLS[0], CALLS[11], CALLS[7]])
    found = label(open_shard(tmp_path / "shard-0000000"), 0)
    pushes = found.goal[:, 2 * FRAMES :]
    assert np.ptp(pushes, axis=(0, 1)) == pytest.approx([0, 0, 0], abs=1e-6)
    x, y = WHEN_NAMED["can"]
    assert pushes[0, 0, :2] == pytest.approx([x, y + PUSH_DISTANCE], abs=1e-6)


def test_the_thing_goes_near_where_it_was_said_to_go(tmp_path: Path) -> None:
    """In an empty zone, to the very place but for the border, to within a grid of 1 cm."""
    apart = []
    for seed in range(12):
        found = labels_of(tmp_path / str(seed), CALLS[5], seed=seed)
        said, goal = found.said[:, 0, :2], found.goal[:, 0, :2]
        zone = ZONES["left zone"]
        inside = np.clip(said, np.array(zone.low) + 0.05, np.array(zone.high) - 0.05)
        assert np.abs(goal - inside).max() < 0.016
        apart.append(np.ptp(goal, axis=0).max())
        assert np.array_equal(found.said, np.broadcast_to(found.said[:, :1], found.said.shape))
    assert np.mean(np.array(apart) > 0.03) > 0.5


def test_age_is_counted_from_the_beginning_or_later(tiny_data: Path) -> None:
    """It grows within a demonstration; some are taken to be older than they were."""
    shard = open_shard(next(shards([tiny_data])))
    found, demo = label(shard, 0), np.asarray(shard["demo"])
    inside = np.diff(demo) == 0
    assert (np.diff(found.haste)[:, inside] >= 0).all()
    starts = found.haste[:, np.append(True, ~inside)]
    assert 0.3 < np.mean(starts == 0) < 1
    assert starts.max() > 0
    assert found.haste.max() == 1


def test_the_same_teacher_gives_the_same_answers(tiny_data: Path) -> None:
    """A frame's labels hold all that teachers look at: asked again, they say what they said.

    Those who place things are asked about other places; told what they had chosen, they agree too.
    """
    shard = open_shard(next(shards([tiny_data])))
    found, recorded = label(shard, 0), np.asarray(shard["action"])
    edges = np.flatnonzero(np.append(True, np.diff(shard["demo"]) != 0))
    skills = set()
    for first, end in pairwise([*edges, len(recorded)]):
        skill, args = call_at(shard, int(first))
        again = found.action[0, first:end]
        if skill.startswith("place"):
            expert = expert_for(skill, args)
            expert.reset(RecordedWorld(shard, int(first)))
            again = np.array([expert.act(RecordedWorld(shard, r)) for r in range(first, end)])
        assert again == pytest.approx(recorded[first:end], abs=1e-4), (skill, args)
        skills.add(skill)
    assert skills >= {"pick", "place_in", "place_on", "push"}
