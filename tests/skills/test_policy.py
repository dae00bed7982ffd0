"""The policy: its language, its checkpoints and the shape of what it answers."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from agent.checks import check_policy
from agent.errors import CheckpointError
from agent.types import Observation
from skills.checkpoint import load_checkpoint
from skills.dataset import OBJECT_NAMES, STATE_DIM, state_of
from skills.perception.modeling import STILL
from skills.perception.train import tabletop_config
from skills.phrases import calls, paraphrases
from skills.policy.configuration import VLAConfig
from skills.policy.language import MAX_WORDS, PAD, UNKNOWN, build_vocabulary, encode
from skills.policy.modeling import VLA, Memory, VLAOutput, scaled
from skills.policy.policy import VLAPolicy
from skills.train import vocabulary

PICK, PLACE = "pick up the red block", "put the red block in the blue bowl"
PRESS = "press the button"


@pytest.fixture(scope="module")
def model() -> VLA:
    """Return a network with random weights that half precision holds exactly."""
    torch.manual_seed(0)
    made = VLA(VLAConfig(vocabulary=vocabulary(), scene=tabletop_config().to_diff_dict()))
    made.half().float()
    return made


@pytest.fixture
def folder(model: VLA, tmp_path: Path) -> Path:
    """Return a checkpoint as training exports it."""
    copy.deepcopy(model).half().save_pretrained(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def observation(seed: int = 0) -> Observation:
    """Return noise of the right shapes."""
    rng = np.random.default_rng(seed)
    return Observation(
        time_s=0.0,
        images={
            name: rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            for name, size in (("front", (120, 160)), ("wrist", (96, 96)))
        },
        joint_pos=rng.uniform(-1, 1, 7),
        ee_pose=np.array([0.4, 0, 0.3, 0, 1.0, 0, 0]),
        gripper=1.0,
    )


def test_it_keeps_the_protocol(model: VLA) -> None:
    """The checker that is offered to users finds nothing."""
    check_policy(lambda: VLAPolicy(model), observation())


def test_chunks_have_every_head(model: VLA) -> None:
    """Shapes and ranges are as documented; the gripper is a choice."""
    policy = VLAPolicy(model)
    policy.reset(PICK)
    chunk, config = policy.infer(observation()), policy.config
    assert chunk.actions.shape == (config.horizon, 7)
    assert chunk.actions.dtype == np.float32
    assert np.isfinite(chunk.actions).all()
    assert set(np.unique(chunk.actions[:, 6])) <= {0.0, 1.0}
    assert chunk.spread is not None
    assert chunk.spread.shape == (config.horizon,)
    assert (chunk.spread > 0).all()
    assert chunk.progress is not None
    assert chunk.success is not None
    assert 0 < chunk.progress < 1
    assert 0 < chunk.success < 1
    assert chunk.dt_s == config.dt_s


def test_it_listens_and_looks(model: VLA) -> None:
    """Another phrase or another picture changes the answer; reset forgets what came before."""
    policy = VLAPolicy(model)

    def first(phrase: str, seed: int) -> np.ndarray:
        policy.reset(phrase)
        return policy.infer(observation(seed)).actions

    asked = first(PICK, 0)
    assert not np.array_equal(asked, first(PLACE, 0))
    assert not np.array_equal(asked, first(PICK, 1))
    policy.infer(observation(2))
    assert np.array_equal(asked, first(PICK, 0))


@pytest.mark.parametrize("ticks", [1, 2])
def test_the_first_row_is_averaged_over_past_chunks(model: VLA, ticks: int) -> None:
    """With a past, now is a mean of what was foreseen; the later rows are this chunk's alone."""
    policy = VLAPolicy(model)
    policy.reset(PICK)
    before = policy.infer(observation(0)).actions
    later = replace(observation(1), time_s=0.1 * ticks)
    with_past = policy.infer(later).actions
    policy._past.clear()
    alone = policy.infer(later).actions
    assert np.array_equal(with_past[1:], alone[1:])
    share = 0.6**ticks
    mean = (alone[0, :6] + share * before[ticks, :6]) / (1 + share)
    assert with_past[0, :6] == pytest.approx(mean, abs=1e-6)


def later_rows(policy: VLAPolicy, *seeds: int) -> np.ndarray:
    """Return what is foreseen after some looks, but for the row that is averaged over the past."""
    return [policy.infer(observation(seed)).actions for seed in seeds][-1][1:]


def test_it_remembers_how_its_subgoal_began(model: VLA, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look counts however long ago it was, not those in between that mean its place."""
    monkeypatch.setattr("skills.policy.policy._ELSEWHERE_M", math.inf)
    policy = VLAPolicy(model)
    policy.reset(PRESS)
    after_one = later_rows(policy, 0, 1)
    policy.reset(PRESS)
    assert np.array_equal(later_rows(policy, 0, 2, 3, 1), after_one)
    policy.reset(PRESS)
    assert not np.array_equal(later_rows(policy, 2, 1), after_one)
    policy.reset(PRESS)
    assert not np.array_equal(later_rows(policy, 1), after_one)


@pytest.mark.parametrize("phrase", [PRESS, PICK])
def test_the_next_subgoal_begins_anew(model: VLA, phrase: str) -> None:
    """Even one of the same words: what a lamp was before the last press no longer counts."""
    policy, fresh = VLAPolicy(model), VLAPolicy(model)
    policy.reset(PRESS)
    later_rows(policy, 0, 2)
    policy.reset(phrase)
    fresh.reset(phrase)
    for seed in (1, 3):
        assert np.array_equal(
            policy.infer(observation(seed)).actions, fresh.infer(observation(seed)).actions
        )


def test_what_has_changed_changes_the_answer(model: VLA) -> None:
    """Place and part of any one thing at the start; the first look is compared with itself."""
    model = model.eval()
    rng = torch.Generator().manual_seed(0)
    images = {
        name: torch.rand((1, 3, *size), generator=rng)
        for name, size in (("front", (120, 160)), ("wrist", (96, 96)))
    }
    state = torch.rand((1, STATE_DIM), generator=rng)
    with torch.inference_mode():
        phrase = model.embed(torch.tensor([encode(PRESS, vocabulary())]))
        seen = model.look(images, state)
        memory = model.first_memory(seen, state, phrase)
        known = model.decide(seen, memory, state, phrase)
        first = model(images, state, phrase)
        assert torch.equal(known.motion, first.motion)
        for number in range(STILL):
            began = memory.began.clone()
            began[0, OBJECT_NAMES.index("button"), number] += 0.5
            changed = model.decide(seen, replace(memory, began=began), state, phrase)
            assert not torch.equal(changed.motion, known.motion)
            assert not torch.equal(changed.success, known.success)


def test_it_begins_from_where_the_thing_is_and_keeps_to_what_it_said(
    model: VLA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place a little off is still the one it said; one farther off takes its stead."""
    policy, said = VLAPolicy(model), torch.tensor([[0.5, 0.1, 0.0]])
    heard: list[torch.Tensor] = []
    decide = policy._model.decide

    def answer(seen: Tensor, memory: Memory, state: Tensor, phrase: Tensor) -> VLAOutput:
        heard.append(memory.goal.clone())
        answered: VLAOutput = decide(seen, memory, state, phrase)
        return replace(answered, thing=scaled(said), goal=goal)

    monkeypatch.setattr(policy._model, "decide", answer)
    policy.reset(PLACE)
    for off, kept in ((0.01, 0.0), (-0.015, 0.0), (0.03, 0.03), (0.045, 0.03), (0.0, 0.0)):
        goal = said + torch.tensor([[off, 0.0, 0.0]])
        policy.infer(observation())
        assert policy._memory is not None
        assert policy._memory.goal[0, 0].item() == pytest.approx(0.5 + kept, abs=1e-6)
    assert torch.equal(heard[0], torch.from_numpy(state_of(observation()))[None, :3])
    assert torch.allclose(heard[1], said)


def test_what_is_done_answers_the_place_that_was_taught(model: VLA) -> None:
    """Where another place is meant; a place near the network's own changes nothing."""
    rng = torch.Generator().manual_seed(0)
    seen = torch.rand((1, 15, model.scene.config.token_dim), generator=rng)
    state = torch.rand((1, STATE_DIM), generator=rng)
    with torch.inference_mode():
        phrase = model.embed(torch.tensor([encode(PLACE, vocabulary())]))
        memory = Memory(seen[..., :STILL], torch.zeros(1, 3), torch.zeros(1))
        own = model.decide(seen, memory, state, phrase)
        for off, same in ((0.02, True), (0.05, False), (math.nan, True)):
            taught = own.goal + torch.tensor([[off, 0.0, 0.0]])
            told = model.decide(seen, memory, state, phrase, taught)
            assert torch.equal(told.motion, own.motion) == same
            assert torch.equal(told.goal, own.goal if same else taught)
            assert torch.equal(told.odds, own.odds)


def test_it_grows_hasty_with_the_age_of_its_subgoal(model: VLA) -> None:
    """By the clock of what is observed, from the first look on; the next one has patience again."""
    policy, heard = VLAPolicy(model), []
    for began in (3.0, 50.0):
        policy.reset(PLACE)
        for age in (0.0, 4.0, 6.0, 8.0, 20.0):
            policy.infer(replace(observation(), time_s=began + age))
            assert policy._memory is not None
            heard.append(policy._memory.haste.item())
    assert heard == pytest.approx([0.0, 0.0, 0.5, 1.0, 1.0] * 2)


def test_a_checkpoint_round_trips(model: VLA, folder: Path) -> None:
    """Saved in half precision and loaded again, it answers the same to the bit."""
    loaded, kept = VLAPolicy.from_checkpoint(folder), VLAPolicy(model)
    assert load_file(folder / "model.safetensors")["aim.0.weight"].dtype == torch.float16
    for policy in (loaded, kept):
        policy.reset(PLACE)
    assert np.array_equal(loaded.infer(observation()).actions, kept.infer(observation()).actions)
    assert loaded.config.vocabulary == vocabulary()


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _config(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def _config_text(text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / "config.json").write_text(text)

    return change


def _cut(share: float) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "model.safetensors"
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])

    return change


def _reweigh(change_weights: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "model.safetensors"
        weights = load_file(path)
        change_weights(weights)
        save_file(weights, path, metadata={"format": "pt"})

    return change


DAMAGE: list[tuple[Callable[[Path], None], str]] = [
    (_without("model.safetensors"), "model.safetensors missing"),
    (_without("config.json"), "config.json missing"),
    (_config(model_type="bert"), "'bert'"),
    (_config_text("{"), "not JSON"),
    (_config_text("[1]"), "type None"),
    (_config(hidden="many"), "damaged"),
    (_config(hidden=64), "does not fit"),
    (_config(scene={"objects": ["red block"]}), "does not fit"),
    (_config(vocabulary=["red"]), "phrase.embedding.weight"),
    (_cut(0.5), "damaged"),
    (_cut(0.0), "damaged"),
    (_reweigh(lambda w: w.pop("judge.0.bias")), "judge.0.bias"),
    (_reweigh(lambda w: w.update(extra=torch.zeros(2))), "extra"),
]


@pytest.mark.parametrize(("damage", "part"), DAMAGE)
def test_what_is_no_checkpoint_is_refused(
    folder: Path, damage: Callable[[Path], None], part: str
) -> None:
    """One sentence with the folder in it, and never a network with random weights in it."""
    damage(folder)
    with pytest.raises(CheckpointError) as caught:
        VLAPolicy.from_checkpoint(folder)
    text = str(caught.value)
    assert str(folder) in text
    assert part in text
    assert text.endswith(".")
    assert "\n" not in text


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """The message says how to get a checkpoint."""
    with pytest.raises(CheckpointError, match="bosun train"):
        load_checkpoint(tmp_path / "nowhere", VLA, "bosun_vla")


def test_words_become_numbers() -> None:
    """Case and punctuation do not matter, unknown words do, and the length is fixed."""
    words = build_vocabulary(["Pick up the red block", "put it down"])
    assert words == ["block", "down", "it", "pick", "put", "red", "the", "up"]
    ids = encode("Pick up the RED block!", words)
    assert ids[:5] == [words.index(w) + 2 for w in ("pick", "up", "the", "red", "block")]
    assert ids[5:] == [PAD] * (MAX_WORDS - 5)
    assert encode("pick up the mauve block", words)[3] == UNKNOWN
    assert encode("pick-up", words) == encode("pick up", words)
    assert encode("", words) == [PAD] * MAX_WORDS
    long = encode("red " * (MAX_WORDS + 9), words)
    assert long == [words.index("red") + 2] * MAX_WORDS


def test_no_training_sentence_is_cut_or_unknown() -> None:
    """The vocabulary and the length fit every sentence that training uses."""
    words = vocabulary()
    assert {"left", "forward", "drawer", "button", "can", "press"} < set(words)
    for skill, args in calls():
        for sentence in paraphrases(skill, args):
            ids = encode(sentence, words)
            assert UNKNOWN not in ids
            assert ids[-1] == PAD


def test_padding_does_not_change_the_meaning(model: VLA) -> None:
    """Whatever the table holds for padding, a phrase is its words alone."""
    changed = copy.deepcopy(model).eval()
    with torch.no_grad():
        changed.phrase.embedding.weight[PAD] += 1.0
        changed.phrase.place[8:] += 1.0
    tokens = torch.tensor([encode(PICK, vocabulary())])
    with torch.inference_mode():
        assert torch.allclose(changed.embed(tokens), model.eval().embed(tokens), atol=1e-6)
