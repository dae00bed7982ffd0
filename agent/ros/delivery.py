"""The thread on which a bus hands messages over."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable


class Delivery:
    """Takes turn after turn until it is closed, and then leaves.

    What a receiver raises ends its turn and is reported as from any thread, by
    `threading.excepthook`; the next turn comes nevertheless.

    Attributes:
        lock: Held while it leaves, and by whoever changes what the bus has.
        closed: Whether nothing may be handed over any more.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], None],
        leave: Callable[[], None],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin.

        Args:
            name: Of the thread.
            turn: Waits for messages and hands them over.
            leave: Lets go of everything, once no turn comes any more.
            wake: Ends the waiting of a turn.
        """
        self._name, self._turn, self._leave, self._wake = name, turn, leave, wake
        self.lock, self.closed = threading.Lock(), False
        self._start()
        # At exit, what a turn waits for may be taken away from under it.
        atexit.register(self.close)

    def close(self) -> None:
        """End; idempotent. Who is no receiver waits here until the turn under way is over."""
        with self.lock:
            if not self.closed:
                self.closed = True
                self._wake()
            delivering = self._thread
        atexit.unregister(self.close)
        # A receiver may close the bus itself; the thread then ends when the receiver is done.
        if delivering is not threading.current_thread():
            delivering.join()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._deliver, name=self._name, daemon=True)
        self._thread.start()

    def _deliver(self) -> None:
        try:
            while not self.closed:
                self._turn()
        finally:
            with self.lock:
                if self.closed:
                    self._leave()
                else:
                    # What a receiver raised ends this thread, and is reported so.
                    self._start()
