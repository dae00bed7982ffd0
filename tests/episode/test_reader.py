"""An episode comes back as it was written, and a damaged one as far as it goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mcap.reader import make_reader

from agent.episode.reader import read_episode
from agent.episode.writer import EpisodeWriter
from agent.errors import EpisodeError
from agent.events import (
    Event,
    MissionStarted,
    Planned,
    SceneEstimated,
    Strain,
    Ticked,
    VerdictGiven,
)
from agent.types import MissionOutcome, Observation, Scene, Verdict
from tests.episode.samples import DONE, FAILURE, PICK, PLAN, SUCCESS, heard, mission, same, tick


def write(folder: Path, events: list[Event]) -> Path:
    with EpisodeWriter(folder) as writer:
        for event in events:
            writer.on_event(event)
    return writer.path


@pytest.mark.parametrize("seed", range(3))
def test_every_event_comes_back_to_the_last_bit(seed: int, tmp_path: Path) -> None:
    events = mission(np.random.default_rng(seed))
    episode = read_episode(write(tmp_path, events).parent)
    assert episode.complete and episode.loss == ""
    assert same(list(episode.events()), events)
    assert same(list(episode.ticks()), [e for e in events if isinstance(e, Ticked)])


def test_the_parts_of_an_episode(tmp_path: Path) -> None:
    events = mission(np.random.default_rng(0), ticks=4)
    episode = read_episode(write(tmp_path, events))
    assert isinstance(events[0], MissionStarted)
    assert episode.metadata == events[0].metadata
    assert episode.command == PLAN.command
    assert same(list(episode.scenes), [e.scene for e in events if isinstance(e, SceneEstimated)])
    assert episode.plans == tuple(e for e in events if isinstance(e, Planned))
    assert [e.verdict for e in episode.verdicts][-1] == DONE
    assert episode.results == (FAILURE, SUCCESS)
    assert episode.tick_count == 4
    assert episode.outcome is MissionOutcome.NEEDS_HELP
    assert episode.result is not None and episode.result.question == "Which?"


def test_numbers_json_does_not_know_survive(tmp_path: Path) -> None:
    """The action that made the policy invalid is the one worth keeping."""
    rng = np.random.default_rng(0)
    event = tick(rng, 0.0)
    odd = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1])
    event = replace(
        event,
        action=odd,
        chunk=replace(event.chunk, actions=odd[None, :4].astype(np.float32), success=float("nan")),
        strain=Strain(float("nan"), 1.5, {"spread": float("inf")}),
    )
    [found] = read_episode(write(tmp_path, [event])).ticks()
    assert same(found, event)
    assert np.signbit(found.action[3])


def test_evidence_of_any_kind_is_kept_as_json(tmp_path: Path) -> None:
    evidence = {
        "score": np.float32(0.1),
        "point": np.array([0.1, np.inf]),
        "fact": PICK,
        "pair": (1, 2),
        "where": Path("here"),
        "ok": np.bool_(True),
    }
    verdict = Verdict(DONE.value, DONE.reason, 0.5, evidence)
    [found] = read_episode(write(tmp_path, [VerdictGiven(0.0, PICK, verdict)])).verdicts
    assert found.verdict.evidence == {
        "score": float(np.float32(0.1)),
        "point": [0.1, "inf"],
        "fact": PICK.model_dump(),
        "pair": [1, 2],
        "where": "here",
        "ok": True,
    }


def test_cameras_are_told_apart_by_name_at_every_tick(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    both = tick(rng, 0.0)
    images = both.observation.images
    swapped = replace(
        both,
        observation=replace(
            both.observation, images={"front": images["front"], "wrist": images["wrist"]}
        ),
    )
    one = replace(both, observation=replace(both.observation, images={"front": images["front"]}))
    none = replace(both, observation=replace(both.observation, images={}))
    large = replace(
        both,
        observation=replace(
            both.observation, images={"wide": rng.integers(0, 256, (48, 80, 3), dtype=np.uint8)}
        ),
    )
    events: list[Event] = [both, swapped, one, none, large]
    assert same(list(read_episode(write(tmp_path, events)).events()), events)


def test_images_and_arrays_may_be_views(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    event = tick(np.random.default_rng(1), 0.0)
    observation = Observation(
        0.0, {"front": pixels[::-2, ::2]}, np.arange(14.0)[::2], event.observation.ee_pose, 0.5
    )
    [found] = read_episode(write(tmp_path, [replace(event, observation=observation)])).ticks()
    assert same(found.observation, observation)


def test_an_empty_scene_and_a_question_come_back(tmp_path: Path) -> None:
    asked = PLAN.model_copy(update={"subgoals": (), "question": "Which block?"})
    events: list[Event] = [SceneEstimated(0.0, Scene(0.0)), Planned(0.0, asked, (), 0)]
    assert same(list(read_episode(write(tmp_path, events)).events()), events)


def test_a_file_cut_anywhere_yields_a_prefix(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    events = mission(rng, ticks=8)
    whole = write(tmp_path, events).read_bytes()
    cut = tmp_path / "cut.mcap"
    lengths = []
    offsets = sorted({0, 3, 8, len(whole) - 1, *rng.integers(0, len(whole), 50).tolist()})
    for offset in offsets:
        cut.write_bytes(whole[:offset])
        episode = read_episode(cut)
        found = list(episode.events())
        assert not episode.complete and episode.loss
        assert same(found, events[: len(found)])
        assert len(found) == episode.tick_count + len(episode.decisions)
        lengths.append(len(found))
    assert lengths == sorted(lengths)
    assert lengths[0] == 0 and lengths[-1] == len(events)


def test_a_whole_utterance_has_its_whole_sound_wherever_the_file_is_cut(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    said = [heard(rng, n / 10, size) for n, size in enumerate((300, 0, 700))]
    path = write(tmp_path, [MissionStarted(0.0, "wait", {}), *said])
    whole = path.read_bytes()
    first = whole.index(said[0].flac) - 100
    counts = []
    for length in [*range(first, len(whole), 13), len(whole) - 1]:
        path.write_bytes(whole[:length])
        found = read_episode(path).heard
        assert same(list(found), said[: len(found)])
        counts.append(len(found))
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 3)


def test_damage_to_a_sound_is_noticed(tmp_path: Path) -> None:
    said = heard(np.random.default_rng(0), 0.0, size=20)
    path = write(tmp_path, [MissionStarted(0.0, "wait", {}), said])
    whole = path.read_bytes()
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    [index] = summary.attachment_indexes
    # Its first byte says what kind of record it is; of another kind it would not be looked at.
    for at in range(index.offset + 1, index.offset + index.length):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :])
        episode = read_episode(path)
        assert not episode.complete
        assert not episode.heard


def test_a_flipped_byte_costs_the_event_that_it_is_in(tmp_path: Path) -> None:
    events = mission(np.random.default_rng(0), ticks=8)
    path = write(tmp_path, events)
    whole = path.read_bytes()
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    assert len(summary.chunk_indexes) == len(events)
    for number, index in enumerate(summary.chunk_indexes):
        # Once in its content, once in its length.
        for at in (
            index.chunk_start_offset + index.chunk_length // 2,
            index.chunk_start_offset + 5,
        ):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
            episode = read_episode(path)
            assert not episode.complete
            assert same(list(episode.events()), events[:number] + events[number + 1 :])
            lost = events[number]
            assert f"{lost.time_s:.1f} s cannot be read" in episode.loss
            if isinstance(lost, Ticked):
                tick_number = sum(isinstance(e, Ticked) for e in events[:number])
                assert f"tick {tick_number} at" in episode.loss


def test_damage_to_the_index_costs_nothing(tmp_path: Path) -> None:
    events = mission(np.random.default_rng(0), ticks=4)
    path = write(tmp_path, events)
    data = bytearray(path.read_bytes())
    data[-300] ^= 0x10
    path.write_bytes(data)
    episode = read_episode(path)
    assert not episode.complete and "every event can be read (4 ticks)" in episode.loss
    assert same(list(episode.events()), events)


def test_damage_to_a_file_that_was_cut_ends_it(tmp_path: Path) -> None:
    events = mission(np.random.default_rng(0), ticks=8)
    path = write(tmp_path, events)
    whole = path.read_bytes()
    data = bytearray(whole[: len(whole) * 3 // 4])
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    episode = read_episode(path)
    found = list(episode.events())
    assert "whatever followed is lost" in episode.loss
    assert 0 < len(found) < len(events) and same(found, events[: len(found)])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EpisodeError, match=r"nowhere.*cannot be read \(No such file"):
        read_episode(tmp_path / "nowhere")
    with pytest.raises(EpisodeError, match=r"episode\.mcap cannot be read"):
        read_episode(tmp_path)


def test_another_kind_of_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not an episode at all")
    with pytest.raises(EpisodeError, match=r"notes\.txt is not an MCAP file"):
        read_episode(tmp_path / "notes.txt")
