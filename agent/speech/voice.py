"""The robot's own voice: a program that speaks, in a thread that nothing waits for."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from contextlib import suppress

from agent.errors import ConfigError

AUTO, NONE = "auto", "none"
_ENGINES = ("espeak-ng --stdin", "flite -f /dev/stdin", "festival --tts")
"""Programs that speak what they read, the quickest first."""
_QUEUE = 3
"""Sentences that may wait; news is worth more than what it overtakes."""
_LONGEST = 300
"""Characters of a sentence that are spoken."""
_LIMIT_S = 30.0
"""How long a sentence may take; a player whose sound device hangs is ended then."""
TAIL_S = 0.2
"""How long the room and the sound card still ring when a sentence ends, s."""
_KEPT = 16
"""Times of speaking that are kept, for whoever hears late."""


class Voice:
    """Speaks one sentence after another.

    Attributes:
        fault: Why the last sentence was not heard, in one sentence; None where it was.
    """

    def __init__(self, command: list[str] | None) -> None:
        """Start the thread; nothing is said yet.

        Args:
            command: The program, which reads what to say; None says nothing.
        """
        self.fault: str | None = None
        self._command = command
        self._waiting: deque[str] = deque(maxlen=_QUEUE)
        self._changed = threading.Condition()
        self._player: subprocess.Popen[bytes] | None = None
        self._busy, self._hushed, self._closed = False, False, False
        self._began_s: float | None = None
        self._spoken: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._thread: threading.Thread | None = None
        if command is not None:
            self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
            self._thread.start()

    def spoke_at(self, time_s: float) -> bool:
        """Return whether the robot spoke, was about to, or had only just ended.

        What a microphone heard then may be the robot itself.

        Args:
            time_s: By the computer's monotonic clock, s; not in the future.
        """
        with self._changed:
            speaks = self._began_s is not None and time_s >= self._began_s
            return speaks or any(began <= time_s < ended + TAIL_S for began, ended in self._spoken)

    def say(self, sentence: str) -> None:
        """Speak a sentence when its turn comes; returns at once and never raises."""
        text = "".join(c if c.isprintable() else " " for c in sentence[:_LONGEST]).strip()
        if self._command is None or not text:
            return
        with self._changed:
            if not self._closed:
                self._waiting.append(text)
                self._began_s = self._began_s or time.monotonic()
                self._changed.notify()

    def hush(self) -> None:
        """Fall silent at once and forget what was still to be said."""
        with self._changed:
            self._waiting.clear()
            self._hushed = True
            _end(self._player)
            self._rest()

    def close(self) -> None:
        """Fall silent for good."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self.hush()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (text := self._next()) is not None:
            self._speak(text)
            with self._changed:
                self._busy = False
                self._rest()

    def _rest(self) -> None:
        """Note how long was spoken, if there is nothing more to say."""
        if self._began_s is not None and not (self._busy or self._waiting):
            self._spoken.append((self._began_s, time.monotonic()))
            self._began_s = None

    def _next(self) -> str | None:
        """Wait for a sentence and return it; None in the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            self._busy, self._hushed = True, False
            return self._waiting.popleft()

    def _speak(self, text: str) -> None:
        """Run the player over a sentence, until it ends or is ended."""
        command = self._command
        assert command is not None
        try:
            with self._changed:
                if self._hushed:
                    return
                # A session of its own lets its helpers be ended with it.
                player = self._player = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            _, told = player.communicate(text.encode() + b"\n", timeout=_LIMIT_S)
        except subprocess.TimeoutExpired:
            with self._changed:
                _end(player)
            player.communicate()
            self.fault = f"The voice {command[0]} did not end; is there a sound device?"
        except OSError as error:
            self.fault = f"The voice {command[0]} cannot be started: {error.strerror}."
        else:
            said = " ".join(told.decode(errors="replace").split())[:200]
            # What was hushed has not failed.
            failed = player.returncode > 0
            self.fault = (
                f"The voice {command[0]} failed: {said or 'no reason'}." if failed else None
            )
        finally:
            with self._changed:
                self._player = None


def voice_command(configured: str) -> list[str] | None:
    """Return the program that `speech.voice` names; None where there is none to be had.

    Raises:
        ConfigError: The program that is named is not installed.
    """
    if configured == NONE:
        return None
    if configured == AUTO:
        return next((c for c in map(shlex.split, _ENGINES) if shutil.which(c[0])), None)
    try:
        command = shlex.split(configured)
    except ValueError as error:
        raise ConfigError(f"speech.voice {configured!r} is no command: {error}.") from error
    if not command or shutil.which(command[0]) is None:
        raise ConfigError(
            f"The program of speech.voice {configured!r} is not installed; install it, or take "
            f"{AUTO!r} or {NONE!r}."
        )
    return command


def _end(player: subprocess.Popen[bytes] | None) -> None:
    """End a player with its helpers, if it has not ended by itself."""
    if player is not None and player.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(player.pid, signal.SIGKILL)
