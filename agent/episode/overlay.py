"""Draws what a video says about a mission: the strip below the cameras, and the last card."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from agent.types import MissionOutcome, MissionResult, SubgoalOutcome, Verdict, VerdictValue

STRIP_HEIGHT = 144
"""px; a multiple of 16, as video encoders like it."""
SPREAD_FULL_M = 0.05
"""The spread, in m, that fills its bar."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Colour = tuple[int, int, int]

_GROUND: Colour = (22, 24, 29)
_TEXT: Colour = (236, 236, 236)
_DIM: Colour = (140, 144, 152)
_BAR: Colour = (96, 165, 250)
_TROUGH: Colour = (52, 56, 64)
_GREEN: Colour = (74, 200, 120)
_RED: Colour = (240, 90, 85)
_AMBER: Colour = (245, 180, 60)
_MARGIN = 16

_VERDICT_COLOURS = {
    VerdictValue.CONFIRMED: _GREEN,
    VerdictValue.REFUTED: _RED,
    VerdictValue.INSUFFICIENT: _AMBER,
}
_OUTCOME_COLOURS = {
    MissionOutcome.SUCCESS: _GREEN,
    MissionOutcome.FAILED: _RED,
    MissionOutcome.NEEDS_HELP: _AMBER,
    MissionOutcome.STOPPED: _RED,
    MissionOutcome.PLANNED: _BAR,
}


@dataclass(slots=True)
class Caption:
    """What the strip says now.

    Attributes:
        command: What the human said.
        number: Which subgoal of the plan is running, from 1; 0 in a look that is no part of it.
        total: How many subgoals the plan has.
        done: How many of them succeeded.
        phrase: What the policy was told.
        attempt: Which try of this subgoal it is, from 1.
        success: Success head, 0..1, or None.
        progress: Progress head, 0..1, or None.
        spread: Mean spread of the chunk in m, or None.
        verdict: The last verdict, if any.
        stopped_by: What set the stop latch; empty while it is clear.
        time_s: The robot's time.
    """

    command: str = ""
    number: int = 0
    total: int = 0
    done: int = 0
    phrase: str = ""
    attempt: int = 1
    success: float | None = None
    progress: float | None = None
    spread: float | None = None
    verdict: Verdict | None = None
    stopped_by: str = ""
    time_s: float = 0.0


@cache
def _font(size: int) -> Font:
    return ImageFont.load_default(size)


def _fit(text: str, font: Font, width: float) -> str:
    """Return the text, shortened until it is at most `width` px wide."""
    line = " ".join(text.split())
    if font.getlength(line) <= width:
        return line
    fitting = bisect_right(
        range(len(line)), width, key=lambda count: font.getlength(line[:count] + "...")
    )
    return line[: max(0, fitting - 1)] + "..."


def strip(caption: Caption, width: int) -> Image.Image:
    """Return the (STRIP_HEIGHT, width) px strip that goes below the cameras."""
    image = Image.new("RGB", (width, STRIP_HEIGHT), _GROUND)
    draw = ImageDraw.Draw(image)
    clock = f"{caption.time_s:.1f} s"
    clock_width = _font(20).getlength(clock)
    draw.text((width - _MARGIN - clock_width, 10), clock, _DIM, _font(20))
    room = width - 3 * _MARGIN - clock_width
    draw.text((_MARGIN, 10), _fit(caption.command, _font(20), room), _TEXT, _font(20))
    if caption.phrase:
        attempt = f" (attempt {caption.attempt})" if caption.attempt > 1 else ""
        number = f"{caption.number}/{caption.total}" if caption.number else "check"
        line = f"{number}  {caption.phrase}{attempt}"
        draw.text((_MARGIN, 42), _fit(line, _font(18), width - 2 * _MARGIN), _TEXT, _font(18))
    third = (width - 2 * _MARGIN) // 3
    spread = None if caption.spread is None else caption.spread / SPREAD_FULL_M
    bars = (
        ("success", caption.success, _percent(caption.success)),
        ("progress", caption.progress, _percent(caption.progress)),
        ("spread", spread, _millimetres(caption.spread)),
    )
    for index, (label, share, text) in enumerate(bars):
        _bar(draw, (_MARGIN + index * third, 78), third - _MARGIN, label, share, text)
    line, colour = _judgement(caption)
    draw.text((_MARGIN, 110), _fit(line, _font(18), width - 2 * _MARGIN), colour, _font(18))
    return image


def _percent(share: float | None) -> str:
    return "-" if share is None or not math.isfinite(share) else f"{share:.0%}"


def _millimetres(length_m: float | None) -> str:
    return "-" if length_m is None or not math.isfinite(length_m) else f"{length_m * 1000:.0f} mm"


def _judgement(caption: Caption) -> tuple[str, Colour]:
    if caption.stopped_by:
        return f"stopped by {caption.stopped_by}", _RED
    if caption.verdict is None:
        return "no verdict yet", _DIM
    verdict = caption.verdict
    reason = verdict.reason.value.replace("_", " ")
    text = f"{verdict.value.value}: {reason} ({_percent(verdict.confidence)})"
    return text, _VERDICT_COLOURS[verdict.value]


def _bar(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    width: int,
    label: str,
    share: float | None,
    text: str,
) -> None:
    """Draw a label, a bar filled to `share` of its length, and its value as text."""
    left, top = corner
    draw.text((left, top), label, _DIM, _font(14))
    start, end = left + 64, max(left + 66, left + width - 60)
    draw.rounded_rectangle((start, top + 3, end, top + 15), 4, _TROUGH)
    if share is not None and math.isfinite(share) and share > 0:
        filled = start + round(min(share, 1.0) * (end - start))
        draw.rounded_rectangle((start, top + 3, filled, top + 15), 4, _BAR)
    draw.text((end + 8, top), text, _TEXT, _font(14))


def card(command: str, result: MissionResult, size: tuple[int, int]) -> Image.Image:
    """Return the last picture of a video: how the mission ended.

    Args:
        command: What the human said.
        result: What came of it.
        size: Width and height in px.
    """
    image = Image.new("RGB", size, _GROUND)
    draw = ImageDraw.Draw(image)
    done = sum(r.outcome is SubgoalOutcome.SUCCESS for r in result.results)
    replans = f"{result.replans} replan" + ("" if result.replans == 1 else "s")
    lines = [
        (result.outcome.value.replace("_", " "), 48, _OUTCOME_COLOURS[result.outcome]),
        (command, 24, _TEXT),
        (
            f"{done} of {len(result.results)} subgoal runs confirmed, {replans}, "
            f"{result.seconds:.1f} s",
            20,
            _DIM,
        ),
        (result.question or "", 24, _AMBER),
    ]
    top = size[1] / 2 - 90
    for text, points, colour in lines:
        font = _font(points)
        line = _fit(text, font, size[0] - 2 * _MARGIN)
        draw.text(((size[0] - font.getlength(line)) / 2, top), line, colour, font)
        top += points * 1.7
    return image
