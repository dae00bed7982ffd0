"""A ROS 2 bag becomes an episode: at its rate, by the latest before, and joints by their names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

from agent.episode.bag import DRIVEN, import_bag
from agent.episode.lerobot.export import export_lerobot
from agent.episode.reader import read_episode
from agent.episode.runs import UNKNOWN, subgoal_runs
from agent.errors import BosunError, EpisodeError, MessageError, MissingDependency, UsageError
from agent.ros.messages import image_of
from tests.episode import bags

SQLITE, MCAP = StoragePlugin.SQLITE3, StoragePlugin.MCAP


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """Return a bag that fits the usual mapping."""
    return bags.write_bag(tmp_path / "bag", bags.usual(), MCAP)


@pytest.mark.parametrize("storage", [SQLITE, MCAP])
@pytest.mark.parametrize("encoding", ["rgb8", "bgr8"])
def test_a_tick_takes_the_latest_before(
    tmp_path: Path, storage: StoragePlugin, encoding: str
) -> None:
    bag = bags.write_bag(tmp_path / "bag", bags.usual(encoding), storage)
    file = import_bag(bag, bags.mapping(tmp_path), tmp_path / "episode")
    episode = read_episode(file)
    assert episode.complete and episode.command == "pick up the red block"
    assert episode.verdicts == () and episode.outcome is None
    assert episode.metadata["rate_hz"] == 10 and episode.metadata["action"] == ["dx [m]", "dy [m]"]
    ticks = list(episode.ticks())
    # The first action comes at 0.1 s, and the last pose at 1.96 s.
    assert len(ticks) == 19
    for number, tick in enumerate(ticks):
        at = round(0.1 + 0.1 * number, 6)
        seen = tick.observation
        assert tick.time_s == seen.time_s == pytest.approx(0.1 * number)
        assert np.array_equal(seen.images["front"], bags.front(int((at + 1e-9) / 0.2)))
        assert np.array_equal(seen.images["wrist"], bags.front(int((at + 1e-9) / 0.25)))
        count = round(at / 0.02)
        assert seen.joint_pos.tolist() == [1.0 + count, 2.0 + count]
        assert seen.gripper == pytest.approx(0.5)
        assert seen.ee_pose[0] == pytest.approx(0.05 * int((at - 0.01 + 1e-9) / 0.05))
        assert seen.ee_pose[1:].tolist() == [0.2, 0.3, 0.9, 0.1, 0.2, 0.3]
        sent = [0.01, 0.02] if at < 1.05 else [0.03, 0.04]
        assert tick.sent is not None and tick.sent.tolist() == tick.action.tolist() == sent


def test_it_is_one_run_and_can_be_exported(bag: Path, tmp_path: Path) -> None:
    episode = read_episode(import_bag(bag, bags.mapping(tmp_path), tmp_path / "episode"))
    [run] = subgoal_runs(episode)
    assert (run.subgoal.skill, run.subgoal.phrase) == (DRIVEN, "pick up the red block")
    assert run.outcome == UNKNOWN and len(run.ticks) == episode.tick_count
    folder = export_lerobot([episode], tmp_path / "data")
    assert (folder / "meta/info.json").is_file()


@pytest.mark.parametrize("rate_hz", [3.0, 25.0])
def test_the_rate_is_the_mappings(bag: Path, tmp_path: Path, rate_hz: float) -> None:
    file = import_bag(bag, bags.mapping(tmp_path, rate_hz=rate_hz), tmp_path / "episode")
    times = [tick.time_s for tick in read_episode(file).ticks()]
    assert np.allclose(np.diff(times), 1 / rate_hz)
    assert len(times) == 1 + int(1.86 * rate_hz + 1e-9)


def test_images_are_decoded_to_rgb() -> None:
    picture = bags.front(0)
    assert np.array_equal(image_of(bags.raw(picture, "rgb8")), picture)
    assert np.array_equal(image_of(bags.raw(picture, "bgr8", padding=3)), picture)
    grey = image_of(bags.raw(picture, "mono8", padding=1))
    assert np.array_equal(grey, np.repeat(picture[..., :1], 3, axis=2))
    assert np.array_equal(image_of(bags.packed(picture, "png")), picture)
    smooth = np.zeros((16, 16, 3), np.uint8)
    smooth[..., 0] = 200
    close = image_of(bags.packed(smooth, "jpeg")).astype(int) - smooth
    assert np.abs(close).max() < 6
    with pytest.raises(MessageError, match=r"no image encoding 'bgr'.*Did you mean 'bgr8'"):
        image_of(bags.raw(picture, "bgr"))
    short = bags.raw(picture, "rgb8")
    short.data = short.data[:-1]
    with pytest.raises(MessageError, match="bytes only"):
        image_of(short)
    damaged = bags.packed(picture, "png")
    damaged.data = damaged.data[:40]
    with pytest.raises(MessageError, match="neither JPEG nor PNG"):
        image_of(damaged)


def test_a_gripper_and_a_command_of_their_own(tmp_path: Path) -> None:
    messages = [*bags.usual(), (0.0, "/width", bags.number(0.0)), (1.0, "/width", bags.number(9.0))]
    bag = bags.write_bag(tmp_path / "bag", sorted(messages, key=lambda m: m[0]), SQLITE)
    gripper = {"topic": "/width", "closed": 3.0, "open": 0.0}
    file = bags.mapping(tmp_path, gripper=gripper, command="push it", command_topic=None)
    episode = read_episode(import_bag(bag, file, tmp_path / "episode"))
    assert episode.command == "push it"
    assert [tick.observation.gripper for tick in episode.ticks()] == [1.0] * 9 + [0.0] * 10


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"pose": "/tol"}, r"pose: There is no topic '/tol'; there are: .*Did you mean '/tool'"),
        ({"command_topic": "/comand"}, r"command: There is no topic .*Did you mean '/command'"),
        ({"cameras": {"front": "/tool"}}, r"front: the topic /tool is of type .*PoseStamped; what"),
        ({"joints": {"topic": "/joint_states", "names": ["elbo"]}}, "no joint 'elbo'.*'elbow'"),
        (
            {"gripper": {"topic": "/joint_states"}},
            "Name the gripper's joint, one of: fin",
        ),
        ({"action": {"topic": "/action", "names": ["dx"]}}, "2 numbers, but 1 names"),
        ({"cameras": {}}, "cameras: "),
        ({"rate_hz": 0}, "rate_hz: "),
        ({"camera": {}}, "no key 'camera'.*Did you mean 'cameras'"),
        ({"command": "both"}, "command or command_topic, and not both"),
        ({"gripper": {"topic": "/tool", "open": 0}}, "closed and open must differ"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_leaves_nothing(
    bag: Path, tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(BosunError, match=said) as error:
        import_bag(bag, bags.mapping(tmp_path, **changed), tmp_path / "episode")
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "episode").glob("*"))


def test_silence_is_said(tmp_path: Path) -> None:
    messages = [m for m in bags.usual() if m[1] != "/tool"]
    late = bags.write_bag(tmp_path / "late", [*messages, (9.0, "/tool", bags.pose(0.0))], MCAP)
    with pytest.raises(EpisodeError, match="no time at which all topics"):
        import_bag(late, bags.mapping(tmp_path), tmp_path / "episode")


def test_no_bag_no_mapping_and_no_package_are_said(
    bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = bags.mapping(tmp_path)
    with pytest.raises(EpisodeError, match="nowhere cannot be read"):
        import_bag(tmp_path / "nowhere", file, tmp_path / "episode")
    (tmp_path / "empty").mkdir()
    with pytest.raises(EpisodeError, match="empty cannot be read"):
        import_bag(tmp_path / "empty", file, tmp_path / "episode")
    with pytest.raises(UsageError, match=r"none\.yaml cannot be read"):
        import_bag(bag, tmp_path / "none.yaml", tmp_path / "episode")
    data = next(bag.glob("*.mcap"))
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    with pytest.raises(EpisodeError, match="cannot be read"):
        import_bag(bag, file, tmp_path / "episode")
    monkeypatch.setitem(sys.modules, "rosbags.highlevel", None)
    with pytest.raises(MissingDependency, match=r"\.\[ros-bags\]"):
        import_bag(bag, file, tmp_path / "episode")
