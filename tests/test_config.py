from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.config import Config, load_config
from agent.errors import ConfigError, MissingDependency
from agent.resources import resource
from agent.sections import Section
from agent.sections.source import Source
from agent.workspace import WORKSPACE_HIGH, WORKSPACE_LOW


def _written(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _sections(section: type[Section], name: str = "Config") -> Iterator[tuple[str, type[Section]]]:
    yield name, section
    for key, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _sections(field.annotation, f"{name}.{key}")


def test_shipped_configuration_is_the_defaults() -> None:
    assert load_config(None) == Config()


def test_every_shipped_configuration_loads() -> None:
    for path in resource("configs").glob("*.yaml"):
        load_config(path)


def test_every_key_is_explained() -> None:
    for name, section in _sections(Config):
        for key, field in section.model_fields.items():
            assert field.description, f"{name}.{key}"


def test_shield_encloses_the_workspace_of_the_tabletop() -> None:
    shield = Config().shield
    assert shield.workspace_low == tuple(WORKSPACE_LOW)
    assert shield.workspace_high == tuple(WORKSPACE_HIGH)


def test_configuration_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config().budget.replans = 3


def test_file_overrides_only_what_it_names(tmp_path: Path) -> None:
    config = load_config(_written(tmp_path, "budget: {replans: 2}\npolicy: {checkpoint: a/b}\n"))
    assert config.budget.replans == 2
    assert config.budget.attempts == Config().budget.attempts
    assert config.policy.checkpoint == Path("a/b")


def test_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert load_config(_written(tmp_path, "# Nothing differs.\n")) == Config()


def test_overrides_win_over_the_file_and_later_ones_over_earlier(tmp_path: Path) -> None:
    path = _written(tmp_path, "budget: {replans: 2, seconds: 60}\n")
    config = load_config(path, ["budget.replans=3", "budget.replans=4"])
    assert (config.budget.replans, config.budget.seconds) == (4, 60.0)


def test_overrides_reach_nested_sections_and_take_lists() -> None:
    overrides = ["robot.disturbances.drop_per_s=0.15", "shield.workspace_low=[0.3, -0.2, 0.02]"]
    config = load_config(None, overrides)
    assert config.robot.disturbances.drop_per_s == 0.15
    assert config.shield.workspace_low == (0.3, -0.2, 0.02)


def test_configuration_survives_json() -> None:
    config = load_config(None, ["budget.replans=3", "episode.directory=logs"])
    assert Config.model_validate(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("budget.replan=3", ["'budget.replan'", "budget.attempts", "mean 'budget.replans'"]),
        ("budgt.replans=3", ["'budgt'", "shield", "mean 'budget'"]),
        ("robot.disturbances.drop=1", ["mean 'robot.disturbances.drop_per_s'"]),
        ("robot.kind=tabeltop", ["robot.kind 'tabeltop'", "mean 'tabletop'"]),
        ("budget.replans='3'", ["budget.replans", "valid integer", "'3'"]),
        ("budget.replans=yes", ["budget.replans", "valid integer", "True"]),
        ("budget.replans.x=3", ["budget.replans", "valid integer"]),
        ("budget=3", ["budget", "object", "3"]),
        ("monitor.stuck_s=-1", ["monitor.stuck_s", "greater than 0", "-1"]),
        ("monitor.stuck_s=.nan", ["monitor.stuck_s", "finite"]),
        ("planner.max_subgoals=31", ["planner.max_subgoals", "30"]),
        ("shield.workspace_low=[0.3, 0]", ["shield.workspace_low"]),
        ("shield.workspace_low=[1, 0, 0.1]", ["shield", "workspace_high", "x"]),
        ("budget.replans", ["section.key=value"]),
        ("=3", ["section.key=value"]),
        ("robot.kind=[", ["'['", "YAML"]),
    ],
)
def test_wrong_override_is_told_with_its_key(override: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, [override])
    text = str(caught.value)
    assert text.startswith(f"--set {override}")
    assert all(word in text for word in words), text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("monitor: {sucess_threshold: 0.4}", ["mean 'monitor.success_threshold'"]),
        ("budget: {seconds: soon}", ["budget.seconds", "valid number", "'soon'"]),
        ("- budget", ["list"]),
        ("budget: {replans: 2", ["not YAML", "line 1"]),
        ("budget: \x00", ["not YAML"]),
        ("2026-01-01: 3", ["plain keys"]),
        ("budget: &b\n  seconds: *b", ["plain keys"]),
    ],
)
def test_wrong_file_is_told_with_its_name(tmp_path: Path, text: str, words: list[str]) -> None:
    path = _written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert all(word in message for word in words), message
    assert "\n" not in message


def test_missing_file_is_told_with_the_nearest(tmp_path: Path) -> None:
    _written(tmp_path, "")
    with pytest.raises(ConfigError, match=r"mien\.yaml.*Did you mean .*mine\.yaml"):
        load_config(tmp_path / "mien.yaml")


def test_missing_file_in_an_empty_folder_is_told_with_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tabletop\.yaml"):
        load_config(tmp_path / "mine.yaml")


def test_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_wheel_comes_before_what_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, data = tmp_path / "configs", tmp_path / "agent" / "_data" / "configs"
    beside.mkdir()
    monkeypatch.setattr("agent.resources._ROOTS", (tmp_path / "agent" / "_data", tmp_path))
    assert resource("configs") == beside
    data.mkdir(parents=True)
    assert resource("configs") == data


def test_missing_resource_is_told() -> None:
    with pytest.raises(MissingDependency, match=r"configs/none\.yaml"):
        resource("configs/none.yaml")


@pytest.mark.parametrize(
    ("text", "kind", "address", "folder"),
    [
        ("bosun", "bosun", None, None),
        ("openpi://localhost:9000", "openpi", "localhost:9000", None),
        ("openpi://10.0.0.7", "openpi", "10.0.0.7:8000", None),
        ("openvla-oft://gpu", "openvla-oft", "gpu:8777", None),
        ("gr00t://[::1]:7", "gr00t", "[::1]:7", None),
        ("openvla:models/x", "openvla", None, Path("models/x")),
        ("pi0:/models/pi0", "pi0", None, Path("/models/pi0")),
    ],
)
def test_a_policy_is_one_word(
    text: str, kind: str, address: str | None, folder: Path | None
) -> None:
    source = Source.parse(text)
    assert (source.kind, source.address, source.folder) == (kind, address, folder)
    for config in (
        load_config(None, [f"policy={text}", "policy.timeout_s=3"]),
        load_config(None, ["policy.timeout_s=3", f"policy.source={text}"]),
    ):
        assert config.policy.source == text
        assert config.policy.timeout_s == 3


def test_a_policy_in_a_file_may_be_one_word(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("policy: openpi://localhost:8000\n")
    config = load_config(path, ["policy.interface=openpi_libero"])
    assert config.policy.source == "openpi://localhost:8000"
    assert config.policy.interface == "openpi_libero"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("openpy://localhost:8000", r"Did you mean 'openpi'\?$"),
        ("openpi", "'openpi' must be written as openpi://HOST:PORT"),
        ("openvla", "must be written as openvla://HOST:PORT or openvla:FOLDER"),
        ("bosum", r"Did you mean 'bosun'\?$"),
        ("localhost:8000", "there is no policy source"),
        ("openpi://", "must be an address such as openpi://localhost:8000"),
        ("openpi://localhost:port", "is no address"),
        ("openpi://localhost:99999", "is no address"),
        ("openpi://me:secret@localhost", "must be an address"),
        ("openpi://localhost/act", "must be an address"),
        ("pi0://localhost", r"must be written as pi0:FOLDER"),
    ],
)
def test_a_policy_that_is_none_is_told_with_the_nearest(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        load_config(None, [f"policy.source={text}"])
    assert "\n" not in str(refused.value)


def test_a_time_limit_of_our_own_network_is_not_that_of_a_server() -> None:
    with pytest.raises(ConfigError, match=r"set policy\.timeout_s"):
        load_config(None, ["policy=openpi://localhost", "policy.limit_s=2"])
