"""What is taken of words that nobody had to decode: all that makes sense."""

from __future__ import annotations

from agent.protocols import Transcript
from agent.speech.gate import Cause, GateDecision, Ruling
from agent.speech.reading import Reading


class CertainGate:
    """Judges words that came as text, which nobody can have misheard."""

    def decide(
        self, transcript: Transcript, seconds: float, reading: Reading | None = None
    ) -> GateDecision:
        """Return what becomes of a text; only what asks for nothing is refused."""
        if not transcript.text:
            return GateDecision(Ruling.REJECT, Cause.EMPTY, "There are no words in it.")
        if reading is not None and not reading.plan.subgoals:
            reason = reading.plan.question or "It does not ask for anything."
            return GateDecision(Ruling.REJECT, Cause.NOT_UNDERSTOOD, reason, reason)
        return GateDecision(Ruling.ACCEPT, Cause.CLEAR, "")

    def sure(self, transcript: Transcript, seconds: float) -> bool:
        """Return whether a word or two were surely said: always."""
        return True
