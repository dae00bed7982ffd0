"""Records a mission as an annotated MP4: what the cameras saw and what the agent made of it."""

from __future__ import annotations

import struct
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import imageio_ffmpeg
import numpy as np
from PIL import Image

from agent.episode.overlay import STRIP_HEIGHT, Caption, card, strip
from agent.errors import EpisodeError, unknown
from agent.events import (
    Event,
    MissionEnded,
    MissionStarted,
    Planned,
    Stopped,
    SubgoalEnded,
    SubgoalStarted,
    Ticked,
    VerdictGiven,
)
from agent.types import MissionResult, Observation, SubgoalOutcome

FPS = 10
"""Frames per second; one frame per tick, so a 10 Hz mission plays in real time."""
CARD_FRAMES = 15
"""How long the last card stays: 1.5 s."""
PANEL_HEIGHT = 480
"""px; about how high each camera image is shown."""

_EMPTY_PANELS = {"no camera": (640, PANEL_HEIGHT)}


class VideoRecorder:
    """Hears the events of a mission and draws a frame per tick."""

    def __init__(self, path: Path, cameras: Sequence[str] | None = None) -> None:
        """Prepare to write a video.

        Args:
            path: The MP4 file; its folder is created if it is missing.
            cameras: Which cameras to show, left to right; all of them when None.

        Raises:
            EpisodeError: The file cannot be written.
        """
        self._path = path.absolute()
        self._cameras = cameras
        self._caption = Caption()
        self._sink: Generator[None, bytes, None] | None = None
        self._panels: dict[str, tuple[int, int]] = {}
        self._size = (0, 0)
        self._closed = False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("wb"):
                pass
        except OSError as error:
            raise EpisodeError(
                f"The video {path} cannot be written ({error.strerror});"
                " give a file in a folder that you may write to."
            ) from error

    def on_event(self, event: Event) -> None:
        """Take note of one event; a tick adds a frame, the end of the mission adds the card.

        Raises:
            EpisodeError: The encoder stopped, most often because the disk is full, or there is no
                such camera; said once.
        """
        if self._closed:
            return
        caption = self._caption
        match event:
            case MissionStarted():
                self._caption = Caption(command=event.command)
            case Planned(plan=plan, problems=()) if plan.subgoals:
                caption.number, caption.phrase, caption.done = 0, "", 0
                caption.total = len(plan.subgoals)
            case SubgoalStarted():
                caption.number = caption.done + 1 if event.attempt else 0
                caption.phrase = event.subgoal.phrase
                caption.attempt = event.attempt
            case Ticked():
                self._tick(event)
            case VerdictGiven():
                caption.verdict = event.verdict
            case SubgoalEnded():
                succeeded = event.result.outcome is SubgoalOutcome.SUCCESS
                caption.done += succeeded and event.result.attempts > 0
            case Stopped():
                caption.stopped_by = event.source
            case MissionEnded():
                self._end(event.result)

    def _tick(self, event: Ticked) -> None:
        chunk = event.chunk
        self._caption.time_s = event.observation.time_s
        self._caption.success = chunk.success
        self._caption.progress = chunk.progress
        self._caption.spread = None
        if chunk.spread is not None and chunk.spread.size:
            self._caption.spread = float(np.mean(chunk.spread))
        if self._sink is None:
            self._open(self._choose_panels(event.observation))
        self._send(self._frame(event.observation))

    def _choose_panels(self, observation: Observation) -> dict[str, tuple[int, int]]:
        """Return camera -> width and height in px, a whole multiple of the image's size."""
        panels = {}
        for name in observation.images if self._cameras is None else self._cameras:
            if name not in observation.images:
                self.close()
                raise EpisodeError(unknown("camera", name, observation.images))
            height, width = observation.images[name].shape[:2]
            factor = max(1, round(PANEL_HEIGHT / height))
            panels[name] = (width * factor, height * factor)
        return panels or _EMPTY_PANELS

    def _frame(self, observation: Observation) -> Image.Image:
        """Return the cameras side by side above the strip; a missing image stays black."""
        frame = Image.new("RGB", self._size)
        left = 0
        for camera, size in self._panels.items():
            pixels = observation.images.get(camera)
            if pixels is not None:
                panel = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
                frame.paste(panel, (left, 0))
            left += size[0]
        frame.paste(strip(self._caption, self._size[0]), (0, self._size[1] - STRIP_HEIGHT))
        return frame

    def _end(self, result: MissionResult) -> None:
        if self._sink is None:
            self._open(_EMPTY_PANELS)
        picture = card(self._caption.command, result, self._size)
        for _ in range(CARD_FRAMES):
            self._send(picture)

    def _open(self, panels: dict[str, tuple[int, int]]) -> None:
        """Start the encoder; `panels` is camera -> width and height in px."""
        self._panels = panels
        width = sum(w for w, _ in panels.values())
        height = max(h for _, h in panels.values())
        self._size = (_round_up(width), _round_up(height) + STRIP_HEIGHT)
        self._sink = cast(
            Generator[None, bytes, None],
            imageio_ffmpeg.write_frames(
                str(self._path),
                self._size,
                fps=FPS,
                codec="libx264",
                quality=7,
                ffmpeg_log_level="fatal",
                output_params=["-preset", "veryfast", "-movflags", "+faststart", "-f", "mp4"],
            ),
        )
        next(self._sink)

    def _send(self, frame: Image.Image) -> None:
        if self._sink is None:
            return
        try:
            self._sink.send(frame.tobytes())
        except (OSError, StopIteration) as error:
            # The generator has ended when Ctrl-C reached it within an earlier frame.
            self._closed = True
            raise self._broken() from error

    def close(self) -> None:
        """Finish the file; calling it again does nothing. Without any frame there is no file.

        Raises:
            EpisodeError: The encoder could not finish the file, and nothing failed before.
        """
        if self._closed:
            return
        self._closed = True
        if self._sink is None:
            with suppress(OSError):
                self._path.unlink()
            return
        self._sink.close()
        try:
            playable = _playable(self._path)
        except OSError as error:
            raise self._broken() from error
        if not playable:
            raise self._broken()

    def _broken(self) -> EpisodeError:
        return EpisodeError(
            f"The video {self._path} could not be finished; free some space or give a file on"
            " another disk."
        )

    def __enter__(self) -> Self:
        """Return the recorder."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()


def _round_up(length: int) -> int:
    """Return the next multiple of 16 px, the size of the encoder's blocks."""
    return -(-length // 16) * 16


def _playable(path: Path) -> bool:
    """Return whether the MP4 has its index, the `moov` box, which is written last of all."""
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, name = struct.unpack(">I4s", head)
            if name == b"moov":
                return True
            if size < 8:
                return False
            file.seek(size - 8, 1)
    return False
