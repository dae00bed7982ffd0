"""The microphone: found by name, metered, and taken up again when it was unplugged or busy."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from agent.errors import MissingDependency, SpeechError, unknown
from agent.speech.source import BLOCK, SAMPLE_RATE_HZ, Block
from agent.types import FloatArray

_WAITING = 250
"""Blocks kept for a listener that is late: 5 s."""
_FIRST_S, _SILENT_S = 5.0, 1.0
"""Without a first block, and then without another one, for so long, s, a microphone counts as gone;
even in silence it sends some, but a sound server takes its time to begin."""
_RETRY_S, _RETRY_MAX_S = 0.25, 3.0
"""Wait before the first try to take it up again, doubled for each further one, s."""
TRIES = 200
"""Tries to take it up again before it is given up, about ten minutes."""


class Microphone:
    """Listens at 16 kHz, one channel, in blocks of 20 ms.

    Attributes:
        overflows: How often the device had to throw sound away.
        dropped: Blocks thrown away because nobody took them for 5 s.
    """

    def __init__(
        self,
        device: str | None = None,
        notice: Callable[[str], None] = lambda sentence: None,
        tries: int = TRIES,
    ) -> None:
        """Find the device; it is not opened yet.

        Args:
            device: A part of its name; None is the system's own.
            notice: Told in one sentence when it is first heard, when lost, and when back.
            tries: Of taking it up again in a row, before `blocks` raises.

        Raises:
            SpeechError: There is no such device.
            MissingDependency: sounddevice or PortAudio is not installed.
        """
        self._device, self._notice, self._tries = device, notice, tries
        self._closed = threading.Event()
        self.overflows = self.dropped = 0
        _find(_sounddevice(), device)

    def blocks(self) -> Iterator[Block]:
        """Yield what is heard until it is closed; while it is lost, nothing.

        Raises:
            SpeechError: It did not come back in so many tries.
        """
        began = time.monotonic()
        at_s, failed = 0.0, 0
        while not self._closed.is_set():
            try:
                # What was lost meanwhile leaves a gap in the time of the stream.
                at_s = max(at_s, time.monotonic() - began) if failed else at_s
                for block in self._capture(at_s):
                    if not at_s:
                        self._notice("I am listening.")
                    elif failed:
                        self._notice("I hear the microphone again.")
                    failed, at_s = 0, block.ended_s
                    yield block
            except SpeechError as lost:
                failed += 1
                if failed == 1:
                    self._notice(f"{lost} I go on when it is back.")
                if failed > self._tries:
                    raise
                self._closed.wait(min(_RETRY_S * 2 ** min(failed - 1, 10), _RETRY_MAX_S))
                _rescan()

    def close(self) -> None:
        """Let the device go."""
        self._closed.set()

    def _capture(self, at_s: float) -> Iterator[Block]:
        """Yield blocks from one opening of the device until it is closed.

        Raises:
            SpeechError: It cannot be opened, or sends nothing any more.
        """
        sounddevice = _sounddevice()
        heard: queue.Queue[tuple[FloatArray, float]] = queue.Queue(_WAITING)

        def keep(samples: FloatArray, frames: int, times: Any, status: Any) -> None:
            self.overflows += bool(status.input_overflow)
            try:
                heard.put_nowait((samples[:, 0].copy(), time.monotonic()))
            except queue.Full:
                self.dropped += 1

        stream, patience_s = _opened(sounddevice, self._device, keep), _FIRST_S
        try:
            while not self._closed.is_set():
                try:
                    samples, heard_at_s = heard.get(timeout=patience_s)
                except queue.Empty:
                    raise SpeechError("The microphone sends nothing any more.") from None
                # What was thrown away is a gap, too.
                lost, self._counted = self.dropped - self._counted, self.dropped
                at_s += lost * BLOCK / SAMPLE_RATE_HZ
                patience_s = _SILENT_S
                yield Block(samples, at_s, heard_at_s)
                at_s += len(samples) / SAMPLE_RATE_HZ
        finally:
            stream.close()

    _counted = 0


def input_devices() -> list[str]:
    """Return the names of what can be listened to.

    Raises:
        MissingDependency: sounddevice or PortAudio is not installed.
    """
    devices = _sounddevice().query_devices()
    return [device["name"] for device in devices if device["max_input_channels"] > 0]


def _find(sounddevice: Any, device: str | None) -> int | None:
    """Return the number of the first device with this in its name; None is the system's own.

    Raises:
        SpeechError: There is none.
    """
    found = [
        (number, about["name"])
        for number, about in enumerate(sounddevice.query_devices())
        if about["max_input_channels"] > 0
    ]
    if not found:
        raise SpeechError("There is no microphone; plug one in, or give a sound file to --audio.")
    if device is None:
        return None
    for number, name in found:
        if device.lower() in name.lower():
            return number
    raise SpeechError(unknown("microphone", device, [name for _, name in found]))


def _opened(sounddevice: Any, device: str | None, keep: Callable[..., None]) -> Any:
    """Return a started stream.

    Raises:
        SpeechError: The device is gone, or something else has it.
    """
    try:
        stream = sounddevice.InputStream(
            samplerate=SAMPLE_RATE_HZ,
            blocksize=BLOCK,
            device=_find(sounddevice, device),
            channels=1,
            dtype=np.float32,
            latency="low",
            callback=keep,
        )
        stream.start()
    except sounddevice.PortAudioError as error:
        said = str(error.args[0] if error.args else error).rstrip(".")
        raise SpeechError(f"The microphone cannot be opened ({said}).") from error
    return stream


def _rescan() -> None:
    """Let PortAudio look for devices again; it does so once, when it is initialised."""
    sounddevice = _sounddevice()
    sounddevice._terminate()
    try:
        sounddevice._initialize()
    except sounddevice.PortAudioError:
        # There is nothing now; the next try comes here again.
        return


def _sounddevice() -> Any:
    """Return the library.

    Raises:
        MissingDependency: It, or the PortAudio it needs, is not installed.
    """
    try:
        import sounddevice
    except ImportError:
        raise MissingDependency(
            "sounddevice is not installed: pip install 'bosun[speech]'."
        ) from None
    except OSError:
        raise MissingDependency(
            "PortAudio is not installed: apt install libportaudio2 libasound2-plugins."
        ) from None
    return sounddevice
