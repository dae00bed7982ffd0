"""The topics of an episode and their JSON schemas.

Foxglove reads only a part of JSON schema: one plain type per field, `properties` on every object,
and no array of arrays. So a matrix is stored flat beside its shape, and a field that may be absent
is declared with the type it has when present.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

CAMERA = "/camera/"
"""What every image topic starts with; the camera's name follows."""
STATE, ACTION, CHUNK, MONITOR = "/state", "/action", "/chunk", "/monitor"
SCENE, PLAN, SUBGOAL, VERDICT, EVENT = "/scene", "/plan", "/subgoal", "/verdict", "/event"
MODEL, HEARD = "/model", "/heard"

IMAGE_SCHEMA = "foxglove.CompressedImage"


def _object(description: str = "", **properties: Schema) -> Schema:
    return {"type": "object", "description": description, "properties": properties}


def _number(description: str = "") -> Schema:
    return {"type": "number", "description": description}


def _integer(description: str = "") -> Schema:
    return {"type": "integer", "description": description}


def _text(description: str = "") -> Schema:
    return {"type": "string", "description": description}


def _list(items: Schema, description: str = "") -> Schema:
    return {"type": "array", "description": description, "items": items}


_TIME = _number("Seconds since the mission began.")
_SUBGOAL = _object(skill=_text(), args=_object("Argument name -> value."), phrase=_text())
_VERDICT = _object(
    value=_text("confirmed, refuted or insufficient."),
    reason=_text("A closed code."),
    confidence=_number("0 to 1."),
    evidence=_object("What the verdict rests on."),
)
_PLAN = _object(
    command=_text(),
    subgoals=_list(_SUBGOAL),
    reply=_text(),
    question=_text("What is unclear, or null."),
)
_RESULT = _object(
    subgoal=_SUBGOAL,
    outcome=_text(),
    verdict=_VERDICT,
    attempts=_integer(),
    ticks=_integer(),
)

IMAGE: Schema = {
    "title": IMAGE_SCHEMA,
    **_object(
        "A camera image, losslessly compressed.",
        timestamp={**_object(sec=_integer(), nsec=_integer()), "title": "time"},
        frame_id=_text("The camera's name."),
        data={"type": "string", "contentEncoding": "base64"},
        format=_text("Always png."),
    ),
}

TOPICS: dict[str, Schema] = {
    STATE: _object(
        "What the robot senses beside its cameras.",
        time_s=_TIME,
        joint_pos=_list(_number(), "(n,) rad"),
        ee_pose=_list(_number(), "(7,) m and orientation wxyz, base frame."),
        gripper=_number("0 closed to 1 open."),
        cameras=_list(_text(), "Which cameras gave an image at this tick, in order."),
    ),
    ACTION: _object(
        "One action.",
        time_s=_TIME,
        raw=_list(_number(), "(dim,) what the policy asked for."),
        sent=_list(_number(), "(dim,) what the robot was sent, or null when nothing was."),
    ),
    CHUNK: _object(
        "What the policy answered.",
        actions=_list(_number(), "(horizon * dim,) row by row."),
        shape=_list(_integer(), "horizon, dim"),
        dt_s=_number("Seconds between rows."),
        spread=_list(_number(), "(horizon,) m, or null."),
        progress=_number("Share of the subgoal done, 0 to 1, or null."),
        success=_number("Probability that the subgoal is achieved, 0 to 1, or null."),
        timing=_object(
            "When it was inferred; absent where that was on the observation of this tick.",
            seen_s=_number("Time of the observation it was inferred on."),
            latency_s=_number("How long the inference took, s of wall time."),
            starved={"type": "boolean", "description": "Whether the arm stood until it came."},
        ),
    ),
    MONITOR: _object(
        "How far a tick is from what is usual of its skill; absent where that is not known.",
        score=_number("Widths of the fused score above its usual course."),
        limit=_number("Widths that still count as usual."),
        signals=_object(
            "How far each signal strays by itself, in widths.",
            lateness=_number("Of the time budget."),
            spread=_number("Of the policy's heads."),
            inconsistency=_number("Of a chunk with the one before."),
            reversals=_number("Of the commanded path."),
            stillness=_number("Of the tool."),
            stall=_number("Of the progress head."),
            setback=_number("Of the progress head."),
        ),
    ),
    SCENE: _object(
        "What the agent believes is there.",
        time_s=_TIME,
        scene_time_s=_number("Time of the estimate, s."),
        objects=_list(
            _object(
                name=_text(),
                kind=_text(),
                position=_list(_number(), "(3,) m, base frame."),
                presence=_number("0 to 1."),
                support=_text("What carries it."),
                support_confidence=_number("0 to 1."),
                age_s=_number("Seconds since it was last seen clearly."),
                articulation=_number("A drawer's opening in m, 0 or 1 of a lamp, or null."),
                articulation_confidence=_number("0 to 1."),
            )
        ),
    ),
    PLAN: _object(
        "An answer of the planner.",
        kind=_text(),
        time_s=_TIME,
        plan=_PLAN,
        problems=_list(_text(), "What verification found wrong; empty when accepted."),
        replans=_integer(),
    ),
    MODEL: _object(
        "A language model was asked.",
        kind=_text(),
        time_s=_TIME,
        model=_text("Which one, as provider:model."),
        decision=_text("plan, replan, repair, question or check."),
        turns=_list(_object(role=_text("system, user or assistant."), text=_text())),
        images=_object("What it was shown: name -> hash of the PNG."),
        reply=_text("What it answered, or why it did not."),
        fault=_text("A closed code, or null."),
        tokens_in=_integer(),
        tokens_out=_integer(),
        seconds=_number("How long it took, s."),
    ),
    HEARD: _object(
        "Somebody said something, or a noise was taken for it.",
        kind=_text(),
        time_s=_TIME,
        unix_s=_number("When it was over and handed on, seconds since 1970."),
        began_s=_number("When its sound began, s since the source was opened."),
        ended_s=_number("When its sound ended, s since the source was opened."),
        became=_text("command, correction, answer, control, ... or ignored."),
        text=_text("The words it was taken for."),
        confidence=_number("0 to 1, or null when it was not transcribed."),
        no_speech=_number("Probability that nobody spoke, 0 to 1, or null."),
        alternatives=_list(_text(), "Other readings, likeliest first."),
        language=_text("A code, or null."),
        scores=_object("What else the decoder told."),
        ruling=_text("accept, confirm or reject, or null when the gate was not asked."),
        cause=_text("A closed code, or null."),
        reason=_text("Why, in words."),
        evidence=_object("The numbers that the ruling rests on."),
        seconds=_object(
            "How long each stage took, s.",
            endpointing=_number("From the end of the voice to the utterance."),
            waiting=_number("For the decoder."),
            transcription=_number(),
            understanding=_number("With the gate and what was done at once."),
        ),
        audio=_text("Name of the attachment that holds its sound, a FLAC file."),
    ),
    SUBGOAL: _object(
        "A subgoal begins or ends.",
        kind=_text("started or ended."),
        time_s=_TIME,
        subgoal=_SUBGOAL,
        attempt=_integer(),
        result=_RESULT,
    ),
    VERDICT: _object(
        "The monitor ended a subgoal.",
        kind=_text(),
        time_s=_TIME,
        subgoal=_SUBGOAL,
        verdict=_VERDICT,
    ),
    EVENT: _object(
        "The mission begins or ends, or what the human says or does comes in between.",
        kind=_text("mission_started, answered, corrected, stop_word_judged, stopped, ..."),
        time_s=_TIME,
        command=_text(),
        metadata=_object("Versions, config, seeds and hashes."),
        question=_text("What the robot asked."),
        answer=_text("What the human said to that."),
        source=_text("Who stopped the mission."),
        wish=_text("How the human changed the command."),
        unix_s=_number("When the stop word was judged, seconds since 1970."),
        suspected_s=_number("When it was suspected, s since the source of sound was opened."),
        judged_s=_number("When it was judged, s since the source of sound was opened."),
        confirmed={"type": "boolean", "description": "Whether it was the stop word."},
        result=_object(
            outcome=_text(),
            plan=_PLAN,
            results=_list(_RESULT),
            replans=_integer(),
            seconds=_number(),
            question=_text("What the robot asks, or null."),
        ),
    ),
}
"""Topic -> schema, of every topic but the cameras."""
