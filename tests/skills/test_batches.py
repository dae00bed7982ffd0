"""Batches: which frame a demonstration began with, what is remembered of it, and sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from skills.batches import Batches, Frames
from skills.dataset import call_at
from skills.labels import VARIANTS
from skills.perception.modeling import STILL
from skills.phrases import calls, paraphrases
from skills.policy.language import MAX_WORDS, PAD, UNKNOWN, encode, words
from skills.train import vocabulary
from tests.skills.samples import CALLS, FRAMES, Call, write_demos

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
    began = batch.memory.began
    assert began.shape == (len(rows), THINGS, STILL)
    assert torch.equal(began, batches.seen[frames.first[chosen], :, :STILL])
    at_start = batches.gather(frames.first, varied=False)
    assert torch.equal(at_start.memory.began, at_start.seen[..., :STILL])


def test_labels_and_what_they_answer_are_of_one_variant(tmp_path: Path) -> None:
    """A frame's actions and goal are those for what the policy is told that it has said."""
    frames = frames_of(tmp_path, CALLS, CALLS[2:6])
    batches, rows = batches_of(frames), np.arange(len(frames.state))
    drawn = [batches.gather(rows, varied=varied) for varied in (True, True, False, False)]
    for batch in drawn:
        variants = (frames.labels.said == batch.memory.goal.numpy()).all(-1).argmax(0)
        assert np.array_equal(batch.memory.haste, frames.labels.haste[variants, rows])
        assert np.array_equal(batch.goal, frames.labels.goal[variants, rows], equal_nan=True)
        ahead = rows[:, None] + np.minimum(np.arange(HORIZON), frames.left[:, None] - 1)
        assert np.array_equal(batch.action, frames.labels.action[variants[:, None], ahead])
        assert set(variants) == set(range(VARIANTS))
    assert not torch.equal(drawn[0].memory.goal, drawn[1].memory.goal)
    assert torch.equal(drawn[2].memory.goal, drawn[3].memory.goal)


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
    batches, dropped, around = batches_of(frames_of(tmp_path, CALLS[:2])), 0, 0
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
    batches = batches_of(frames_of(tmp_path, CALLS[:2]))
    for _ in range(50):
        heard = batches._garbled(np.arange(2, 2 + MAX_WORDS), frozenset())
        assert heard.shape == (MAX_WORDS,)
        assert (heard != PAD).all()


def test_names_are_found_in_every_call(tmp_path: Path) -> None:
    """Also a push's direction is a name, which no garbling may take away."""
    table = batches_of(frames_of(tmp_path, CALLS[:2]))._tokens
    assert len(table) == len(list(calls()))
    naming = {WORDS[n - 2] for _, names in table.values() for n in names}
    assert {"left", "right", "forward", "back", "drawer", "can", "button", "zone"} <= naming
    assert not {"push", "the", "put", "open"} & naming
