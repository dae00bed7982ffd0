"""What may move the robot, what is asked about and what is left alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import ValidationError

from agent.planner.grammar import GrammarPlanner
from agent.protocols import Transcript
from agent.sections import Bound, GateConfig
from agent.speech.gate import Cause, Gate, Ruling
from agent.speech.reading import Reading, read
from agent.types import Plan
from skills.registry import load_contracts
from tests.episode.samples import PLAN
from tests.scenes import scene

COMMAND = "put the red block in the blue bowl"
GOOD = {"avg_logprob": -0.2, "compression_ratio": 1.1, "no_speech_prob": 0.01, "temperature": 0.0}
READ = Reading(COMMAND, PLAN)
UNREAD = Reading("x", Plan(command="x", question="I could not read 'x'."))


def heard(
    text: str = COMMAND,
    language: str | None = "en",
    scores: Mapping[str, float] = MappingProxyType({}),
) -> Transcript:
    evidence = {**GOOD, **scores}
    confidence = math.exp(min(evidence["avg_logprob"], 0.0))
    return Transcript(
        text, confidence, evidence["no_speech_prob"], language=language, evidence=evidence
    )


def ruled(
    transcript: Transcript, seconds: float = 3.0, reading: Reading | None = None, **config: Any
) -> tuple[Ruling, Cause]:
    decision = Gate(GateConfig(**config), "whisper:base.en").decide(transcript, seconds, reading)
    assert decision.reason.endswith((".", "?"))
    return decision.ruling, decision.cause


def test_what_is_heard_well_and_understood_may_move_the_robot() -> None:
    decision = Gate(GateConfig(), "whisper:base.en").decide(heard(), 3.0, READ)
    assert (decision.ruling, decision.cause) == (Ruling.ACCEPT, Cause.CLEAR)
    assert decision.evidence["avg_logprob"] == -0.2
    assert decision.evidence["words"] == 8


@pytest.mark.parametrize(
    ("scores", "ruling"),
    [
        ({"avg_logprob": -0.5}, Ruling.ACCEPT),
        ({"avg_logprob": -0.51}, Ruling.CONFIRM),
        ({"avg_logprob": -0.99}, Ruling.CONFIRM),
        ({"avg_logprob": -1.0}, Ruling.REJECT),
        ({"avg_logprob": math.nan}, Ruling.REJECT),
        ({"avg_logprob": -math.inf}, Ruling.REJECT),
        ({"no_speech_prob": 0.4}, Ruling.ACCEPT),
        ({"no_speech_prob": 0.5}, Ruling.CONFIRM),
        ({"no_speech_prob": 0.6}, Ruling.REJECT),
        ({"compression_ratio": 2.2}, Ruling.CONFIRM),
        ({"compression_ratio": 2.4}, Ruling.REJECT),
    ],
)
def test_scores_are_good_doubtful_or_bad(scores: dict[str, float], ruling: Ruling) -> None:
    assert ruled(heard(scores=scores))[0] is ruling


def test_a_decoder_that_tells_no_score_is_asked_about() -> None:
    untold = Transcript(COMMAND, 0.0, 0.0)
    assert ruled(untold, reading=READ) == (Ruling.CONFIRM, Cause.DOUBTFUL)


@pytest.mark.parametrize(
    ("text", "seconds", "cause"),
    [
        ("", 3.0, Cause.EMPTY),
        ("thank you for watching", 3.0, Cause.INVENTED),
        ("thank you", 1.0, Cause.INVENTED),
        ("thanks for watching", 3.0, Cause.INVENTED),
        ("please like and subscribe", 3.0, Cause.INVENTED),
        ("subtitles by the amara org community", 3.0, Cause.INVENTED),
        ("see you in the next video", 3.0, Cause.INVENTED),
        ("you", 1.0, Cause.INVENTED),
        ("bye bye", 1.0, Cause.INVENTED),
        (COMMAND, 1.0, Cause.TOO_FAST),
        (COMMAND, 0.0, Cause.TOO_FAST),
        (COMMAND, math.nan, Cause.TOO_FAST),
        (" ".join(["block bowl red"] * 21), 30.0, Cause.TOO_LONG),
        ("x" * 700, 30.0, Cause.TOO_LONG),
        ("the red the red the red the red block", 5.0, Cause.REPEATED),
        ("no no no no no", 3.0, Cause.REPEATED),
        ("hahahahahahaha", 3.0, Cause.REPEATED),
        ("donaudampfschifffahrtsgesellschaftskapitan", 3.0, Cause.REPEATED),
    ],
)
def test_what_cannot_have_been_a_command_is_refused_whatever_its_scores(
    text: str, seconds: float, cause: Cause
) -> None:
    assert ruled(heard(text), seconds, READ) == (Ruling.REJECT, cause)


@pytest.mark.parametrize(
    "text",
    [
        "no no the green one",
        "thank you now put the red block in the blue bowl",
        "put the red block in the blue bowl and the red block on the plate",
        "pick up the can and put the can in the bowl and pick up the can",
    ],
)
def test_people_repeat_and_thank_too(text: str) -> None:
    assert ruled(heard(text), 6.0)[0] is Ruling.ACCEPT


def test_only_the_configured_languages_are_heard() -> None:
    german = heard("leg den roten block in die schale", "de")
    assert ruled(german) == (Ruling.REJECT, Cause.OTHER_LANGUAGE)
    assert ruled(german, languages=("en", "de")) == (Ruling.ACCEPT, Cause.CLEAR)
    assert ruled(heard(language=None)) == (Ruling.ACCEPT, Cause.CLEAR)


def test_what_the_planner_does_not_understand_moves_nothing() -> None:
    gate = Gate(GateConfig(), "whisper:base.en")
    good = gate.decide(heard(), 3.0, UNREAD)
    assert (good.ruling, good.cause) == (Ruling.REJECT, Cause.NOT_UNDERSTOOD)
    assert good.reply == UNREAD.plan.question
    # A question about half-heard noise would lead to the next one.
    assert gate.decide(heard(scores={"avg_logprob": -0.8}), 3.0, UNREAD).reply == ""


def test_what_is_heard_badly_is_answered_with_silence() -> None:
    for scores in ({"avg_logprob": -3.0}, {"no_speech_prob": 0.9}):
        assert Gate(GateConfig(), "whisper:x").decide(heard(scores=scores), 3.0, UNREAD).reply == ""


def test_in_between_it_repeats_what_it_heard_and_would_do() -> None:
    decision = Gate(GateConfig(), "whisper:x").decide(
        heard(scores={"avg_logprob": -0.8}), 3.0, READ
    )
    assert decision.reply == (
        "I heard: put the red block in the blue bowl. I would pick up the red block, then put the "
        "red block in the blue bowl. Shall I?"
    )
    early = Gate(GateConfig(), "whisper:x").decide(heard(scores={"avg_logprob": -0.8}), 3.0)
    assert early.reply == "I heard: put the red block in the blue bowl. Is that right?"


def test_pocketsphinx_is_always_asked_about_unless_told_otherwise() -> None:
    sure = Transcript(COMMAND, 1.0, 0.0)
    asked = Gate(GateConfig(), "pocketsphinx").decide(sure, 3.0, READ)
    assert (asked.ruling, asked.cause) == (Ruling.CONFIRM, Cause.ALWAYS_ASKED)
    trusting = Gate(GateConfig(), "pocketsphinx", confirm=False)
    assert trusting.decide(sure, 3.0, READ).ruling is Ruling.ACCEPT
    # What is doubtful is still asked about, and what is bad still refused.
    assert trusting.decide(Transcript(COMMAND, 0.5, 0.0), 3.0, READ).ruling is Ruling.CONFIRM
    assert trusting.decide(Transcript(COMMAND, 0.1, 0.0), 3.0, READ).ruling is Ruling.REJECT


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        (Reading(COMMAND, PLAN, ("put the red block on the plate",)), "may also have been"),
        (Reading("put the red block on the plate", PLAN), "sounded more like"),
    ],
)
def test_what_may_mean_two_things_is_asked_about(reading: Reading, reason: str) -> None:
    decision = Gate(GateConfig(), "whisper:x").decide(heard(), 3.0, reading)
    assert (decision.ruling, decision.cause) == (Ruling.CONFIRM, Cause.AMBIGUOUS)
    assert reason in decision.reason
    assert decision.reply.startswith(f"I heard: {reading.text}.")


def test_the_grammar_planner_tells_commands_from_other_speech() -> None:
    planner, contracts = GrammarPlanner(), load_contracts()
    gate = Gate(GateConfig(), "whisper:base.en")
    rulings = {}
    for text in (COMMAND, "what is the weather like today", "i went to the shop yesterday"):
        reading = read(heard(text), lambda words: planner.plan(words, scene(), contracts, ()))
        rulings[text] = gate.decide(heard(text), 3.0, reading).ruling
    assert list(rulings.values()) == [Ruling.ACCEPT, Ruling.REJECT, Ruling.REJECT]


def test_a_bound_without_a_direction_is_refused() -> None:
    with pytest.raises(ValidationError, match="must differ"):
        Bound(score="confidence", accept=0.5, reject=0.5)


@pytest.mark.parametrize(
    ("text", "seconds", "scores", "sure"),
    [
        ("yes", 1.6, {"agreement": 1.0}, True),
        ("yes please", 1.9, {"agreement": 1.0}, True),
        ("yes please", 3.5, {"agreement": 1.0}, False),
        ("yes please", 1.9, {"agreement": 0.2}, False),
        ("yes", 1.6, {}, False),
        ("", 0.5, {"agreement": 1.0}, False),
    ],
)
def test_of_a_word_or_two_pocketsphinx_is_sure_by_how_it_was_heard(
    text: str, seconds: float, scores: dict[str, float], sure: bool
) -> None:
    """The scores of a yes that was said, and of one heard in a sentence about yesterday."""
    transcript = Transcript(text, 0.06, 0.0, language="en", evidence=scores)
    assert Gate(GateConfig(), "pocketsphinx").sure(transcript, seconds) is sure


@pytest.mark.parametrize(("no_speech", "sure"), [(0.01, True), (0.95, False)])
def test_of_a_word_or_two_whisper_is_sure_by_its_scores(no_speech: float, sure: bool) -> None:
    gate = Gate(GateConfig(), "whisper:base.en")
    assert gate.sure(heard("yes", scores={"no_speech_prob": no_speech}), 1.6) is sure
