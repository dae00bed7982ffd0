"""The video shows every tick, what was concluded, and how the mission ended."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from agent.episode.overlay import STRIP_HEIGHT, Caption, card, strip
from agent.episode.video import CARD_FRAMES, VideoRecorder
from agent.errors import EpisodeError
from agent.events import MissionEnded, Ticked
from agent.types import Image, MissionOutcome, MissionResult
from tests.episode.samples import DONE, MISSED, PLAN, mission, tick

# imageio-ffmpeg's reader leaves its pipes to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def frames(path: Path) -> list[Image]:
    """Return every frame of a video, (H, W, 3) uint8 RGB."""
    reader = imageio_ffmpeg.read_frames(path)
    width, height = next(reader)["size"]
    return [np.frombuffer(f, np.uint8).reshape(height, width, 3) for f in reader]


def test_a_frame_per_tick_and_a_card(tmp_path: Path) -> None:
    path = tmp_path / "new" / "mission.mp4"
    with VideoRecorder(path) as recorder:
        for event in mission(np.random.default_rng(0), ticks=6, size=96):
            recorder.on_event(event)
    found = frames(path)
    assert len(found) == 6 + CARD_FRAMES
    assert found[0].shape == (480 + STRIP_HEIGHT, 960, 3)
    for frame in found:
        assert frame.std() > 5
    assert np.abs(found[0].astype(int) - found[-1]).mean() > 20


def test_chosen_cameras_stand_left_to_right(tmp_path: Path) -> None:
    event = tick(np.random.default_rng(0), 0.0, size=96)
    images = event.observation.images
    images["front"][:] = (250, 10, 10)
    images["wrist"][:] = (10, 10, 250)
    with VideoRecorder(tmp_path / "v.mp4", cameras=["front", "wrist"]) as recorder:
        recorder.on_event(event)
    [frame] = frames(tmp_path / "v.mp4")
    assert frame[240, 100].argmax() == 0 and frame[240, 860].argmax() == 2


def test_a_camera_that_is_not_there_is_named(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "v.mp4", cameras=["frnt"])
    with pytest.raises(EpisodeError, match="Did you mean 'front'"):
        recorder.on_event(tick(np.random.default_rng(0), 0.0))
    recorder.on_event(tick(np.random.default_rng(0), 0.0))
    recorder.close()
    assert not (tmp_path / "v.mp4").exists()


def test_odd_sizes_and_lost_cameras_do_not_break_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with VideoRecorder(tmp_path / "v.mp4") as recorder:
        for number, cameras in enumerate([("wrist", "front"), ("front",), ()]):
            event = tick(rng, number / 10, size=67)
            images = dict(event.observation.images)
            for lost in {"wrist", "front"} - set(cameras):
                del images[lost]
            observation = type(event.observation)(
                0.0, images, event.observation.joint_pos, event.observation.ee_pose, 0.0
            )
            recorder.on_event(Ticked(0.0, observation, event.chunk, event.action, None))
    found = frames(tmp_path / "v.mp4")
    assert len(found) == 3
    assert found[0].shape[0] % 2 == 0 and found[0].shape[1] % 2 == 0


def test_a_mission_without_a_tick_is_a_card(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    result = MissionResult(MissionOutcome.NEEDS_HELP, PLAN, (), 0, 0.0, "Which block?")
    recorder = VideoRecorder(path)
    recorder.on_event(MissionEnded(0.0, result))
    recorder.close()
    recorder.close()
    assert len(frames(path)) == CARD_FRAMES


def test_nothing_happened_leaves_no_file(tmp_path: Path) -> None:
    VideoRecorder(tmp_path / "v.mp4").close()
    assert not (tmp_path / "v.mp4").exists()


def test_a_file_that_cannot_be_written_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EpisodeError, match=r"file/v\.mp4 cannot be written"):
        VideoRecorder(tmp_path / "file" / "v.mp4")


def test_a_full_disk_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    path.symlink_to("/dev/full")
    recorder = VideoRecorder(path)
    with pytest.raises(EpisodeError, match="free some space"):
        for event in mission(np.random.default_rng(0), ticks=3):
            recorder.on_event(event)
        recorder.close()
    recorder.close()


def test_the_strip_says_the_verdict_in_its_colour() -> None:
    plain = np.asarray(strip(Caption(command="go", number=1, total=2, phrase="pick"), 640))
    good = np.asarray(strip(Caption(command="go", verdict=DONE), 640))[105:]
    bad = np.asarray(strip(Caption(command="go", verdict=MISSED), 640))[105:]
    low = np.asarray(strip(Caption(success=0.001, progress=0.0, spread=1e-9), 640))
    assert plain.shape == low.shape == (STRIP_HEIGHT, 640, 3)
    assert good[..., 1].max() > 190 > good[..., 0].max()
    assert bad[..., 0].max() > 230 > bad[..., 1].max()


def test_texts_that_do_not_fit_are_shortened() -> None:
    long = Caption(
        command="stack " * 200,
        number=30,
        total=30,
        phrase="x" * 500,
        attempt=3,
        success=float("nan"),
        progress=2.0,
        spread=9.0,
        stopped_by="the page",
    )
    assert strip(long, 96).size == (96, STRIP_HEIGHT)
    result = MissionResult(MissionOutcome.FAILED, PLAN, (), 1, 1.0, None)
    assert card("stack " * 200, result, (640, 624)).size == (640, 624)
