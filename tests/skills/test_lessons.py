"""Logged missions teach the policy the same, be they episodes or a LeRobotDataset of them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from agent.cli import main
from agent.episode.lerobot.export import export_lerobot
from agent.episode.reader import Episode
from agent.episode.runs import SubgoalRun, subgoal_runs
from agent.errors import SkillError
from agent.events import (
    Event,
    MissionStarted,
    SceneEstimated,
    SubgoalEnded,
    SubgoalStarted,
    Ticked,
    VerdictGiven,
)
from agent.lessons import logged_files, training_folder
from agent.robots.tabletop.spaces import SPEC
from agent.robots.tabletop.world import CAMERAS as WORLD_CAMERAS
from agent.types import HAND, Subgoal, SubgoalOutcome, SubgoalResult
from skills.batches import Frames
from skills.dataset import CAMERAS, OBJECT_NAMES, Shard, call_at, data_hash, open_shard, shards
from skills.labels import label
from skills.train import PolicyTrainer
from skills.training import TrainSpec
from tests.episode.logs import run, tick, written
from tests.episode.samples import DONE
from tests.scenes import scene

STEPS = 4
SPEC_OF_RUN = TrainSpec(steps=STEPS, batch=8, threads=1, validate_every=1, warmup=2)


@pytest.fixture(scope="module")
def episodes(logged: list[Episode]) -> Path:
    """Return the folder of the real missions."""
    return logged[0].path.parents[1]


@pytest.fixture(scope="module")
def learned(episodes: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Shard]:
    """Return what is learned of each of them."""
    folder = training_folder(episodes, tmp_path_factory.mktemp("lessons"))
    return [open_shard(path) for path in shards([folder])]


@pytest.fixture(scope="module")
def demonstrated(logged: list[Episode]) -> list[SubgoalRun]:
    """Return the run of each mission that is learned from: the first one, before the look."""
    return [next(subgoal_runs(episode)) for episode in logged]


def curve(out: Path) -> list[dict[str, float]]:
    """Return a training run's figures, step for step, without the time of day."""
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "time"} for row in rows]


def test_the_export_teaches_what_the_episodes_do(
    logged: list[Episode], episodes: Path, tiny_scene: Path, tmp_path: Path
) -> None:
    """Not nearly: every loss and every weight is the same, bit by bit."""
    exported = export_lerobot(logged, tmp_path / "exported")
    weights = []
    for name, data in (("first", episodes), ("second", exported)):
        out = tmp_path / name
        trainer = PolicyTrainer([training_folder(data, out)], out, SPEC_OF_RUN, tiny_scene)
        trainer.train()
        weights.append(trainer.run.model.state_dict())
    assert curve(tmp_path / "first") == curve(tmp_path / "second")
    rows = curve(tmp_path / "first")
    assert [row["step"] for row in rows] == list(range(1, STEPS + 1))
    assert len({row["score"] for row in rows}) == STEPS
    assert np.isfinite([value for row in rows for value in row.values()]).all()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_labels_are_what_was_logged_and_believed(
    learned: list[Shard], demonstrated: list[SubgoalRun]
) -> None:
    assert len(learned) == len(demonstrated) == 3
    for shard, of in zip(learned, demonstrated, strict=True):
        count = len(of.ticks)
        assert len(shard["demo"]) == count and set(shard["demo"]) == {0}
        assert call_at(shard, 0) == (of.subgoal.skill, of.subgoal.args)
        for row, event in enumerate(of.ticks):
            assert np.array_equal(shard["front"][row], event.observation.images["front"])
            sent = event.action if event.sent is None else event.sent
            assert np.array_equal(shard["action"][row], sent.astype(np.float32))
        assert shard["success"].tolist() == [row >= count - 3 for row in range(count)]
        assert shard["progress"][0] == 0 and shard["progress"][count - 3] == 1
        assert (np.diff(shard["progress"]) >= 0).all()
        assert np.isnan(shard["mount"]).all()
        handled = OBJECT_NAMES.index(of.subgoal.args["object"])
        # A button stays where it is while it is pressed.
        seen = [True] + [of.subgoal.skill == "press"] * (count - 1)
        assert shard["present"][:, handled].tolist() == seen
        assert of.scene is not None
        believed = of.scene.objects[of.subgoal.args["object"]]
        assert np.array_equal(shard["position"][0, handled], believed.position.astype(np.float32))


def test_what_was_done_is_not_asked_about_anew(learned: list[Shard], episodes: Path) -> None:
    """Teachers would need the truth; so every variant of a frame's action is the logged one."""
    press, drawer, pick = learned
    block = pick["position"][0, OBJECT_NAMES.index("red block")]
    assert np.linalg.norm(pick["goal"][0] - block) < 0.03
    assert np.array_equal(pick["goal"][-1], pick["state"][-1, :3])
    handle = OBJECT_NAMES.index("drawer")
    assert drawer["goal"][0, 0] - drawer["position"][0, handle, 0] == pytest.approx(0.1, abs=0.03)
    assert np.array_equal(press["goal"][0], press["position"][0, OBJECT_NAMES.index("button")])
    for shard in learned:
        labels = label(shard, 0)
        for variant in labels.action:
            assert np.array_equal(variant, shard["action"])
        assert np.array_equal(labels.goal[0], shard["goal"], equal_nan=True)


def test_a_thing_goes_to_where_the_hand_opened(tmp_path: Path) -> None:
    """What is held, and what stands on what is moved, is known in the first frame only."""
    place = Subgoal(
        skill="place_on",
        args={"object": "red block", "target": "plate"},
        phrase="put the red block on the plate",
    )
    believed = scene(
        "red block",
        "green block",
        "blue block",
        "plate",
        on={"red block": HAND, "green block": "red block"},
    )
    ticks = []
    for number in range(8):
        now = _full_size(tick(number))
        pose = np.array([0.4 + 0.01 * number, 0.1, 0.2, 0.0, 1.0, 0.0, 0.0])
        action = np.append(np.zeros(6), float(number >= 5))
        observed = replace(now.observation, ee_pose=pose)
        ticks.append(replace(now, observation=observed, action=action, sent=action))
    metadata = {"rate_hz": 10.0, "action": list(SPEC.names)}
    events: list[Event] = [
        MissionStarted(0.0, "put it there", metadata),
        SceneEstimated(0.0, believed),
        SubgoalStarted(0.0, place, 1),
        *ticks,
        VerdictGiven(0.7, place, DONE),
        SubgoalEnded(0.7, SubgoalResult(place, SubgoalOutcome.SUCCESS, DONE, 1, 7)),
    ]
    written(tmp_path / "data" / "a", events)
    [shard] = [open_shard(p) for p in shards([training_folder(tmp_path / "data", tmp_path)])]
    plate = believed.objects["plate"].position
    assert np.allclose(shard["goal"], [0.45, 0.1, plate[2]])
    assert call_at(shard, 0) == ("place_on", place.args)
    seen = {name: shard["present"][:, OBJECT_NAMES.index(name)].tolist() for name in OBJECT_NAMES}
    first, always, never = [True] + [False] * 7, [True] * 8, [False] * 8
    assert seen["red block"] == seen["green block"] == first
    assert seen["blue block"] == seen["plate"] == always
    assert seen["can"] == never


def test_every_mission_is_a_scene_of_its_own(episodes: Path, tmp_path: Path) -> None:
    frames = Frames([training_folder(episodes, tmp_path)], horizon=6)
    assert len(frames.validation) and len(frames.training)
    assert set(frames.shard_of[frames.validation]) == {0}
    assert set(frames.shard_of[frames.training]) == {1, 2}


def test_one_mission_is_too_few_to_validate(
    logged: list[Episode], tiny_scene: Path, tmp_path: Path
) -> None:
    folder = training_folder(logged[0].path.parent, tmp_path)
    with pytest.raises(SkillError, match="one scene"):
        PolicyTrainer([folder], tmp_path, SPEC_OF_RUN, tiny_scene)


def test_it_is_made_once_and_anew_where_a_log_differs(
    logged: list[Episode], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(logged[0].path.parent, data / "a")
    first = training_folder(data, tmp_path / "out")
    stamp = (first / "manifest.json").stat().st_mtime_ns
    assert training_folder(data, tmp_path / "out") == first
    assert (first / "manifest.json").stat().st_mtime_ns == stamp
    assert json.loads((first / "manifest.json").read_text())["runs"] == {
        "learned from": 1,
        "of skills that are not learned": 1,
    }
    shutil.copytree(logged[1].path.parent, data / "b")
    second = training_folder(data, tmp_path / "out")
    assert second != first and len(list(shards([second]))) == 2
    assert data_hash([second]) != data_hash([first])


def test_shards_are_taken_as_they_are(made_data: Path, tmp_path: Path) -> None:
    assert logged_files(made_data) == []
    assert training_folder(made_data, tmp_path / "out") == made_data
    assert not (tmp_path / "out").exists()


def test_runs_without_success_teach_nothing(tmp_path: Path) -> None:
    metadata = {"rate_hz": 10.0, "action": list(SPEC.names)}
    events = run([_full_size(tick(0)), _full_size(tick(1))])[1:]
    written(tmp_path / "data" / "a", [MissionStarted(0.0, "pick it up", metadata), *events])
    with pytest.raises(SkillError, match=r"no successful run.*1 without success"):
        training_folder(tmp_path / "data", tmp_path / "out")
    assert not list((tmp_path / "out").glob("data/*/shard-*"))


def _full_size(event: Ticked) -> Ticked:
    images = {name: np.zeros((*size, 3), np.uint8) for name, size in CAMERAS.items()}
    return replace(event, observation=replace(event.observation, images=images))


def test_another_robots_data_is_refused(logged: list[Episode], tmp_path: Path) -> None:
    """By its cameras, its state and what its actions mean, not only by their number."""
    written(tmp_path / "small" / "a", run([tick(0)]))
    with pytest.raises(SkillError, match=r"front 16x16.*needed is images front 120x160"):
        training_folder(tmp_path / "small", tmp_path / "out")
    folder = export_lerobot(logged[:1], tmp_path / "data")
    info = folder / "meta/info.json"
    about = json.loads(info.read_text())
    for change in (
        lambda features: features.pop("observation.images.wrist"),
        lambda features: features["observation.state"].update(shape=[8]),
        lambda features: features["action"].update(names=[f"joint {n}" for n in range(7)]),
    ):
        features = json.loads(json.dumps(about["features"]))
        change(features)
        info.write_text(json.dumps({**about, "features": features}))
        with pytest.raises(SkillError, match="The policy cannot learn from"):
            training_folder(folder, tmp_path / "out")


def test_another_data_set_is_learned_from_by_its_sentences(
    logged: list[Episode], tmp_path: Path
) -> None:
    """One that fits and does not tell skills or outcomes: people demonstrate what succeeds."""
    import pyarrow.parquet as pq

    folder = export_lerobot(logged[2:], tmp_path / "data")
    path = folder / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    own = [name for name in table.column_names if name.startswith(("run/", "mission/"))]
    pq.write_table(table.drop_columns(own), path)
    [shard] = [open_shard(p) for p in shards([training_folder(folder, tmp_path / "out")])]
    assert call_at(shard, 0) == ("pick", {"object": "red block"})
    assert not shard["present"].any()
    manifest = json.loads(next((tmp_path / "out/data").glob("*/manifest.json")).read_text())
    assert manifest["runs"] == {"learned from": 1, "of no known call": 1}


def test_the_policys_cameras_are_the_worlds() -> None:
    assert CAMERAS == WORLD_CAMERAS


def test_the_command_trains_on_episodes(episodes: Path, tiny_scene: Path, tmp_path: Path) -> None:
    words = ["train", "policy", "--data", str(episodes), "--out", str(tmp_path / "run")]
    few = ["--steps", "1", "--batch", "4", "--threads", "1", "--scene", str(tiny_scene)]
    assert main([*words, *few]) == 0
    record = json.loads((tmp_path / "run/best/training.json").read_text())
    [shards_of] = (tmp_path / "run/data").iterdir()
    assert record["data"] == [shards_of.name]
    assert record["data_hash"] == data_hash([shards_of])


def test_the_scene_network_does_not_learn_what_is_only_believed(
    episodes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "scene", "--data", str(episodes), "--out", str(tmp_path / "run")]
    assert main(words) == 2
    assert "only what the agent believed" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
