"""The skills there are: contracts, and sentences held out from training, read from YAML."""

from __future__ import annotations

from pathlib import Path
from string import Formatter
from typing import Any

import yaml
from pydantic import ValidationError

from agent.errors import SkillError, unknown
from agent.types import Fact, SkillContract

CONTRACTS = Path(__file__).parent / "contracts"
"""The folder with one YAML file per skill."""

_ARITY = {"hand_empty": 0, "in": 2, "on": 2, "moved": 2} | dict.fromkeys(
    ("held", "room", "open", "closed", "lit", "unlit", "clear", "reachable", "loose", "toggled"), 1
)


def load_contracts(folder: Path = CONTRACTS) -> dict[str, SkillContract]:
    """Return skill name -> contract, in the order of the names.

    Args:
        folder: Holds one `<skill>.yaml` per skill.

    Raises:
        SkillError: When a file is not a contract; it names the file and the key.
    """
    found = {path.stem: _contract(path) for path in sorted(folder.glob("*.yaml"))}
    if not found:
        raise SkillError(f"There is no skill contract in {folder}; put one <skill>.yaml there.")
    return found


def load_heldout(folder: Path = CONTRACTS) -> dict[str, list[str]]:
    """Return skill name -> templates that training never sees, for testing its language.

    Args:
        folder: The folder of the contracts.

    Raises:
        SkillError: When the file is damaged or a template does not fit its skill's arguments.
    """
    path = folder / "heldout" / "paraphrases.yaml"
    contracts = load_contracts(folder)
    heldout: dict[str, list[str]] = {}
    for skill, templates in _mapping(path).items():
        if skill not in contracts:
            raise SkillError(f"{path}: {unknown('skill', skill, contracts)}")
        if not isinstance(templates, list) or not all(isinstance(t, str) for t in templates):
            raise SkillError(f"{path}: key {skill!r} must be a list of templates.")
        for template in templates:
            _check_template(path, skill, template, contracts[skill])
            if template in contracts[skill].phrases:
                raise SkillError(f"{path}: key {skill!r}: {template!r} is also used for training.")
        heldout[skill] = templates
    return heldout


def _mapping(path: Path) -> dict[str, Any]:
    """Return the mapping a YAML file holds."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SkillError(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise SkillError(f"{path} must hold a mapping whose keys are names.")
    return data


def _contract(path: Path) -> SkillContract:
    """Return the contract in a file, checked."""
    try:
        contract = SkillContract.model_validate(_mapping(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SkillError(f"{path}: key {key!r}: {first['msg']}.") from error
    if contract.name != path.stem:
        raise SkillError(f"{path}: key 'name' is {contract.name!r}, but the file is {path.stem!r}.")
    for template in contract.phrases:
        _check_template(path, "phrases", template, contract)
    for part in ("preconditions", "effects", "done"):
        for text in getattr(contract, part):
            _check_fact(path, part, text, contract)
    return contract


def _check_template(path: Path, key: str, template: str, contract: SkillContract) -> None:
    """Check that a template's blanks are the contract's arguments."""
    try:
        blanks = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise SkillError(f"{path}: key {key!r}: {template!r} is no template: {error}.") from error
    if blanks != set(contract.args):
        raise SkillError(
            f"{path}: key {key!r}: {template!r} must have the blanks {sorted(contract.args)}, "
            f"not {sorted(blanks)}."
        )


def _check_fact(path: Path, key: str, text: str, contract: SkillContract) -> None:
    """Check that a fact is one, and is about the contract's arguments."""
    try:
        fact = Fact.parse(text)
    except ValidationError as error:
        known = unknown("predicate", text.partition("(")[0].strip(), _ARITY)
        raise SkillError(f"{path}: key {key!r}: {known}") from error
    if len(fact.args) != _ARITY[fact.predicate]:
        raise SkillError(
            f"{path}: key {key!r}: {text!r} must have {_ARITY[fact.predicate]} arguments."
        )
    if odd := next((name for name in fact.args if name not in contract.args), None):
        raise SkillError(f"{path}: key {key!r}: {unknown('argument', odd, contract.args)}")
