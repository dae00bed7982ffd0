"""An episode with one of everything, all of whose words want to be markup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from agent.episode.page import Mark
from agent.episode.reader import Episode, read_episode
from agent.episode.writer import EpisodeWriter
from agent.events import (
    Answered,
    Consulted,
    Corrected,
    Event,
    Heard,
    MissionEnded,
    MissionStarted,
    Planned,
    SceneEstimated,
    Stopped,
    StopWordJudged,
    Strain,
    SubgoalEnded,
    SubgoalStarted,
    Ticked,
    Turn,
    VerdictGiven,
)
from agent.speech.flac import to_flac
from agent.types import (
    ActionChunk,
    MissionOutcome,
    MissionResult,
    Observation,
    Plan,
    Reason,
    Scene,
    SceneObject,
    Subgoal,
    SubgoalOutcome,
    SubgoalResult,
    Verdict,
    VerdictValue,
)

HOSTILE = (
    "</script><script>hacked=1</script><img src=x onerror=hacked=1> & \"put it\" '${hacked=1}'"
)
NAMES = [f"d{a} [m]" for a in "xyz"] + [f"r{a} [rad]" for a in "xyz"] + ["gripper [0..1]"]
PICK = Subgoal(skill="pick", args={"object": "red block"}, phrase=f"pick up {HOSTILE}")
PLACE = Subgoal(skill="place_on", args={"object": "red block"}, phrase="put it on the left")
PLAN = Plan(command=HOSTILE, subgoals=(PICK, PLACE), reply=HOSTILE)
DROPPED = Verdict(VerdictValue.REFUTED, Reason.DROPPED, 0.9, {HOSTILE: HOSTILE, "gripper": 0.98})
DONE = Verdict(VerdictValue.CONFIRMED, Reason.DONE, 0.97, {"facts": {"held(red block)": True}})
MARKS = (
    Mark(0.5, "action differs", "0.0123", "0.0456", "other weights"),
    Mark(2.5, HOSTILE, HOSTILE, HOSTILE, HOSTILE),
)
TICKS = 40
"""The picks end with ticks 14 and 29; the last try of the second subgoal has no end."""
BLIND = 7
"""A tick without the wrist's picture, whose policy answered nonsense and which sent nothing."""
SOUND_S = 0.5


def events(size: int = 24) -> list[Event]:
    """Return a mission of 40 ticks; pictures are `size` px high."""
    rng = np.random.default_rng(5)
    tone = np.sin(np.arange(int(16_000 * SOUND_S), dtype=np.float32) / 9, dtype=np.float32)
    ticks = [_tick(rng, number, size) for number in range(TICKS)]
    seen = {"red block": np.array([0.5, 0.1, 0.02]), HOSTILE: np.array([0.6, -0.2, 0.02])}
    scene = Scene(0.0, {name: SceneObject(name, "block", at) for name, at in seen.items()})
    failed = SubgoalResult(PICK, SubgoalOutcome.FAILED, DROPPED, 1, 15)
    done = SubgoalResult(PICK, SubgoalOutcome.SUCCESS, DONE, 2, 15)
    asked = Consulted(
        0.0,
        "openai:some-model",
        "plan",
        (Turn("system", "You plan."), Turn("user", HOSTILE)),
        reply=HOSTILE,
        tokens_in=12,
        tokens_out=3,
    )
    heard = Heard(0.0, 1.7e9, 0.0, SOUND_S, "command", HOSTILE, 0.8, flac=to_flac(tone))
    metadata = {"seed": 3, "action": NAMES, "rate_hz": 10.0, "bosun": "0", HOSTILE: HOSTILE}
    metadata["config"] = {"monitor": {"success_threshold": 0.5}}
    held = replace(scene.objects["red block"], support="hand")
    return [
        MissionStarted(0.0, HOSTILE, metadata),
        heard,
        SceneEstimated(0.0, scene),
        asked,
        Planned(0.0, PLAN, (HOSTILE,), 0),
        Planned(0.0, PLAN, (), 0),
        SubgoalStarted(0.0, PICK, 1),
        *ticks[:15],
        VerdictGiven(1.4, PICK, DROPPED),
        SubgoalEnded(1.4, failed),
        SubgoalStarted(1.4, PICK, 2),
        *ticks[15:30],
        StopWordJudged(2.9, 1.7e9, 1.0, 1.5, False),
        VerdictGiven(2.9, PICK, DONE),
        SubgoalEnded(2.9, done),
        SceneEstimated(2.9, replace(scene, objects={**scene.objects, "red block": held})),
        Corrected(2.9, HOSTILE),
        Answered(2.9, "Which one?", HOSTILE),
        SubgoalStarted(2.9, PLACE, 1),
        *ticks[30:],
        Stopped(3.9, HOSTILE),
        MissionEnded(3.9, MissionResult(MissionOutcome.STOPPED, PLAN, (failed, done), 0, 3.9)),
    ]


def written(folder: Path, told: list[Event] | None = None) -> Episode:
    """Write events, all of them if none are given, and read them back."""
    with EpisodeWriter(folder) as writer:
        for event in events() if told is None else told:
            writer.on_event(event)
    return read_episode(folder)


def frames(episode: Episode, tick: int) -> Iterator[tuple[str, list[int]]]:
    """Yield camera and what a canvas holds of its picture: RGBA by row, all of it opaque."""
    image = list(episode.ticks())[tick].observation.images
    for camera, pixels in image.items():
        yield camera, np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]).ravel().tolist()


def _tick(rng: np.random.Generator, number: int, size: int) -> Ticked:
    blind = number == BLIND
    images = {
        "front": rng.integers(0, 256, (size, size * 4 // 3, 3), dtype=np.uint8),
        "wrist": rng.integers(0, 256, (size, size, 3), dtype=np.uint8),
    }
    if blind:
        del images["wrist"]
    action = rng.normal(0, 0.02, 7)
    action[0] = np.nan if blind else action[0]
    time_s = round(number / 10, 6)
    return Ticked(
        time_s,
        Observation(time_s, images, np.zeros(7), np.array([0.4, 0, 0.3, 1, 0, 0, 0.0]), 0.5),
        ActionChunk(
            np.tile(action, (6, 1)).astype(np.float32),
            0.1,
            spread=None if blind else rng.random(6).astype(np.float32),
            progress=number % 15 / 15,
            success=None if blind else 0.25,
        ),
        action,
        None if blind else action * 0.9,
        None if number >= 30 else Strain(number % 15 / 5, 1.5, {"stall": 1.0, "spread": 2.0}),
    )
