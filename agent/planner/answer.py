"""The form in which a language model answers: a JSON schema out, a plan back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from agent.protocols import Answer
from agent.types import Model, Plan, Scene, SkillContract, Subgoal
from agent.workspace import DIRECTION, DIRECTIONS, ZONE, ZONES

Schema = dict[str, Any]


class MalformedReply(ValueError):
    """A reply is not of the form that was asked for; its text says so to whoever gave it."""


class _Step(Model):
    skill: str
    args: dict[str, str] = Field(default_factory=dict)


class _Answer(Model):
    reply: str = ""
    question: str | None = None
    subgoals: tuple[_Step, ...] = Field(default=(), max_length=30)


class _Question(Model):
    question: str = Field(min_length=1)


class _Check(Model):
    answer: Answer


def plan_schema(scene: Scene, contracts: Mapping[str, SkillContract]) -> Schema:
    """Return the JSON schema of a plan, in which only what is there can be named.

    It says nothing of lengths, which some providers refuse; whoever reads a plan checks them.

    Args:
        scene: What is there.
        contracts: The skills there are; one of them takes no argument.
    """
    steps = [_step_schema(contract, scene) for contract in contracts.values()]
    possible = [step for step in steps if step is not None]
    return _object(
        "The plan for what the person wants, or one question to them.",
        title="plan",
        reply=_text("One short sentence to the person about what you will do."),
        question={"anyOf": [_text("What is unclear, with the choices."), {"type": "null"}]},
        subgoals={"type": "array", "items": {"anyOf": possible}},
    )


def question_schema() -> Schema:
    """Return the JSON schema of a question to the human."""
    return _object(
        "One question to the person.", title="question", question=_text("It names the choices.")
    )


def read_plan(text: str, command: str, contracts: Mapping[str, SkillContract]) -> Plan:
    """Return the plan that a reply states, in the contracts' own phrases.

    Whether it may be run is for verification to say: unknown skills and objects come through.

    Raises:
        MalformedReply: It is not JSON, or not of the form that was asked for.
    """
    try:
        answer = _Answer.model_validate_json(text)
    except ValidationError as error:
        raise MalformedReply(_sentence(error)) from error
    reply = printable(answer.reply)
    if question := printable(answer.question or ""):
        # A plan that asks has no subgoals; those given beside a question were not meant yet.
        return Plan(command=command, reply=reply, question=question)
    steps = (_subgoal(step, contracts.get(step.skill)) for step in answer.subgoals)
    return Plan(command=command, subgoals=tuple(steps), reply=reply)


def read_question(text: str) -> str:
    """Return the question that a reply states.

    Raises:
        MalformedReply: It is not JSON, or not of the form that was asked for.
    """
    try:
        return printable(_Question.model_validate_json(text).question)
    except ValidationError as error:
        raise MalformedReply(_sentence(error)) from error


def check_schema() -> Schema:
    """Return the JSON schema of what two pictures tell."""
    answer = {"type": "string", "enum": [answer.value for answer in Answer]}
    return _object("What the two pictures tell.", title="check", answer=answer)


def read_check(text: str) -> Answer:
    """Return the answer that a reply states.

    Raises:
        MalformedReply: It is not JSON, or not of the form that was asked for.
    """
    try:
        return _Check.model_validate_json(text).answer
    except ValidationError as error:
        raise MalformedReply(_sentence(error)) from error


def printable(text: str) -> str:
    """Return a text on one line, without what would steer the terminal it is printed on."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _subgoal(step: _Step, contract: SkillContract | None) -> Subgoal:
    """Return a step with its canonical phrase; with none where the contract has no such call."""
    fits = contract is not None and set(step.args) == set(contract.args)
    phrase = contract.phrase(step.args) if contract is not None and fits else ""
    return Subgoal(skill=step.skill, args=step.args, phrase=phrase)


def _step_schema(contract: SkillContract, scene: Scene) -> Schema | None:
    """Return the schema of one call of a skill; None where nothing is there to call it with."""
    choices = {name: _fitting(spec.kinds, scene) for name, spec in contract.args.items()}
    if not all(choices.values()):
        return None
    args: dict[str, Schema] = {
        name: {"type": "string", "enum": names} for name, names in choices.items()
    }
    return _object(
        contract.description,
        skill={"type": "string", "enum": [contract.name]},
        args=_object("", "", **args),
    )


def _fitting(kinds: tuple[str, ...], scene: Scene) -> list[str]:
    """Return the names of what is of these kinds."""
    names = [name for name, thing in scene.objects.items() if thing.kind in kinds]
    names += ZONES if ZONE in kinds else ()
    return [*names, *(DIRECTIONS if DIRECTION in kinds else ())]


def _object(description: str, title: str = "", **properties: Schema) -> Schema:
    """Return the schema of an object that has all of these and nothing else."""
    said = {key: value for key, value in (("title", title), ("description", description)) if value}
    return {
        **said,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _sentence(error: ValidationError) -> str:
    """Say the first thing that is wrong with a reply."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"The reply is not of the form asked for: {f'{where}: ' if where else ''}{first['msg']}."
