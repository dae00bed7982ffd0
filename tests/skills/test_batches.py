"""Batches: which frame a demonstration began with, where its skill takes things, and sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from agent.workspace import DIRECTIONS, DRAWER_TRAVEL, PUSH_DISTANCE, ZONES
from skills.batches import Batches, Frames
from skills.perception.modeling import STILL
from skills.phrases import calls, paraphrases
from skills.policy.language import MAX_WORDS, PAD, UNKNOWN, encode, words
from skills.train import vocabulary
from tests.scenes import HOMES, WHEN_NAMED
from tests.skills.samples import CALLS, FRAMES, Call, call_at, start_of, without, write_demos

THINGS, FEATURES, HORIZON = 12, 9, 6
WORDS = vocabulary()


def frames_of(root: Path, *shards: list[Call]) -> Frames:
    """Return the frames of shards with a demonstration of each call."""
    for number, demonstrated in enumerate(shards):
        write_demos(root / f"shard-{number:07d}", demonstrated, seed=number)
    return Frames([root], HORIZON)


def batches_of(frames: Frames) -> Batches:
    """Return batches for which the eyes saw other numbers in every frame."""
    seen = torch.randn(len(frames.state), THINGS, FEATURES, generator=torch.Generator())
    return Batches(frames, seen, WORDS, size=8, seed=0)


def test_a_demonstration_begins_with_its_first_frame(tmp_path: Path) -> None:
    """Also in the second shard, whose demonstrations are numbered from nought again."""
    frames = frames_of(tmp_path, CALLS[:3], CALLS[3:4], CALLS[4:6])
    batches, rows = batches_of(frames), np.arange(len(frames.state))
    assert len(rows) == 6 * FRAMES
    assert np.array_equal(frames.first, rows // FRAMES * FRAMES)
    assert np.array_equal(frames.left, FRAMES - rows % FRAMES)
    chosen = np.random.default_rng(0).permutation(rows)
    batch = batches.gather(chosen, varied=False)
    assert torch.equal(batch.seen, batches.seen[chosen])
    assert batch.began.shape == (len(rows), THINGS, STILL)
    assert torch.equal(batch.began, batches.seen[frames.first[chosen], :, :STILL])
    at_start = batches.gather(frames.first, varied=False)
    assert torch.equal(at_start.began, at_start.seen[..., :STILL])


def aims(root: Path, call: Call, missing: str = "") -> np.ndarray:
    """Return (FRAMES, 2, 3) m: the aims of one demonstration."""
    write_demos(root / "shard-0000000", [call])
    if missing:
        without(root / "shard-0000000", missing)
    return np.asarray(Frames([root], HORIZON).aim)


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
    found, (skill, args) = aims(tmp_path, call), call
    began = start_of(skill, args).objects[args["object"]].position
    assert found[0, 0] == pytest.approx(began, abs=1e-6)
    assert np.linalg.norm(found[-1, 0] - found[0, 0]) > 0.05
    assert found[:, 1] == pytest.approx(np.tile(goal, (FRAMES, 1)), abs=1e-6)


@pytest.mark.parametrize("call", CALLS[2:6], ids=str)
def test_things_are_put_down_where_there_is_room(tmp_path: Path, call: Call) -> None:
    """In every frame the goal is on the target; at the end the thing is there."""
    found, target = aims(tmp_path, call), call[1]["target"]
    centre = ZONES[target].centre if target in ZONES else None
    if centre is None:
        centre = start_of(*call).objects[target].position[:2]
    reach = 0.1 if target in ("drawer", "left zone") else 0.05
    assert np.linalg.norm(found[:, 1, :2] - centre, axis=-1).max() < reach
    if target != "left zone":
        assert found[-1, 0, :2] == pytest.approx(found[-1, 1, :2], abs=1e-3)


@pytest.mark.parametrize("call", [CALLS[0], CALLS[1], CALLS[11]], ids=str)
def test_what_is_taken_nowhere_has_no_goal(tmp_path: Path, call: Call) -> None:
    """Grasping and pressing aim at the thing itself."""
    found = aims(tmp_path, call)
    assert np.isfinite(found[:, 0]).all()
    assert np.isnan(found[:, 1]).all()


def test_what_is_not_in_sight_is_no_aim(tmp_path: Path) -> None:
    """Neither the thing nor where it goes is guessed."""
    lost = aims(tmp_path / "lost", CALLS[2], missing="red block")
    assert np.isnan(lost).all()
    nowhere = aims(tmp_path / "nowhere", CALLS[2], missing="blue bowl")
    assert np.isfinite(nowhere[:, 0]).all()
    assert np.isnan(nowhere[:, 1]).all()


def test_aims_count_from_the_beginning_in_every_shard(tmp_path: Path) -> None:
    """The second shard's pushes are not measured from the first one's frames."""
    frames = frames_of(tmp_path, [CALLS[0], CALLS[9]], [CALLS[11], CALLS[7]])
    pushes = frames.aim[3 * FRAMES :]
    assert np.ptp(pushes[:, 1], axis=0) == pytest.approx([0, 0, 0], abs=1e-6)
    x, y = WHEN_NAMED["can"]
    assert pushes[0, 1, :2] == pytest.approx([x, y + PUSH_DISTANCE], abs=1e-6)


def test_every_call_has_its_sentences(tmp_path: Path) -> None:
    """Validation says the canonical phrase; training says another often, and of this call only."""
    frames = frames_of(tmp_path, CALLS)
    batches, rows = batches_of(frames), np.arange(len(frames.state))
    plain = batches.gather(rows, varied=False).tokens.tolist()
    varied = batches.gather(rows, varied=True).tokens.tolist()
    for row in rows:
        skill, args = call_at(frames.shards[0], int(row))
        assert (skill, args) == CALLS[row // FRAMES]
        sentences = [encode(sentence, WORDS) for sentence in paraphrases(skill, args)]
        assert plain[row] == sentences[0]
        assert any(fits(varied[row], sentence) for sentence in sentences)
    assert np.mean([a != b for a, b in zip(plain, varied, strict=True)]) > 0.3


def fits(heard: list[int], sentence: list[int]) -> bool:
    """Return whether a sentence was said, with unknown words for some and around it."""
    said, known = ([n for n in s if n != PAD] for s in (heard, sentence))
    for start in range(len(said) - len(known) + 1):
        inside, around = said[start : start + len(known)], said[:start] + said[start + len(known) :]
        same = all(a in (b, UNKNOWN) for a, b in zip(inside, known, strict=True))
        if same and set(around) <= {UNKNOWN}:
            return True
    return False


def test_garbled_sentences_keep_their_names_and_fit(tmp_path: Path) -> None:
    """Of every sentence of every call: no name is lost, and padding is only at the end."""
    batches, dropped, around = batches_of(frames_of(tmp_path, CALLS[:1])), 0, 0
    for skill, args in calls():
        names = {WORDS.index(word) + 2 for value in args.values() for word in words(value)}
        for text in paraphrases(skill, args):
            sentence = encode(text, WORDS)
            heard = batches._garbled(np.array(sentence), frozenset(names)).tolist()
            assert len(heard) == MAX_WORDS
            assert fits(heard, sentence)
            assert [n for n in heard if n in names] == [n for n in sentence if n in names]
            more = heard.count(UNKNOWN) - (sentence.count(PAD) - heard.count(PAD))
            dropped += more > 0
            around += heard.count(PAD) < sentence.count(PAD)
    assert dropped > 100
    assert around > 100


def test_even_a_sentence_of_the_greatest_length_fits(tmp_path: Path) -> None:
    """What is put around it may push its end out, but never grows past the table."""
    batches = batches_of(frames_of(tmp_path, CALLS[:1]))
    for _ in range(50):
        heard = batches._garbled(np.arange(2, 2 + MAX_WORDS), frozenset())
        assert heard.shape == (MAX_WORDS,)
        assert (heard != PAD).all()


def test_names_are_found_in_every_call(tmp_path: Path) -> None:
    """Also a push's direction is a name, which no garbling may take away."""
    table = batches_of(frames_of(tmp_path, CALLS[:1]))._tokens
    assert len(table) == len(list(calls()))
    naming = {WORDS[n - 2] for _, names in table.values() for n in names}
    assert {"left", "right", "forward", "back", "drawer", "can", "button", "zone"} <= naming
    assert not {"push", "the", "put", "open"} & naming
