"""Repeats are different scenes that have what a mission needs, each with a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import UsageError
from agent.script.cases import Case, make_cases, meets
from agent.script.load import load_scripts
from agent.workspace import DRAWER_CLOSED
from skills.evaluate.commands import initial_scene
from tests.script.samples import PLAIN, written

OUT = Path("out")


def cases(folder: Path, text: str, repeat: int = 1) -> list[Case]:
    return make_cases(load_scripts([written(folder, text)]), repeat, OUT)


def test_repeats_are_the_next_scenes_that_have_what_is_needed(tmp_path: Path) -> None:
    needs = ["red block", "not can", "closed(drawer)", "push(red block, left)"]
    text = PLAIN + f"scene: {{first: 1000100, needs: {needs}}}\n"
    found = cases(tmp_path, text, 3)
    seeds = [case.seed for case in found]
    fitting = [s for s in range(1_000_100, seeds[-1] + 1) if meets(needs, initial_scene(s))]
    assert seeds == fitting
    assert [case.name for case in found] == [f"seed={seed}" for seed in seeds]
    for seed in seeds:
        things = initial_scene(seed).objects
        assert "red block" in things
        assert "can" not in things
        assert (things["drawer"].articulation or 0.0) <= DRAWER_CLOSED


def test_what_lies_in_a_shut_drawer_is_not_there_to_be_seen() -> None:
    inside = next(
        scene
        for scene in map(initial_scene, range(1_000_000, 1_003_000))
        if any(o.support == "drawer" for o in scene.objects.values())
        and (scene.objects["drawer"].articulation or 0.0) <= DRAWER_CLOSED
    )
    name = next(o.name for o in inside.objects.values() if o.support == "drawer")
    assert not meets([name], inside)
    assert not meets([f"not {name}"], inside)


def test_a_seed_that_is_given_is_that_of_every_repeat(tmp_path: Path) -> None:
    found = cases(tmp_path, PLAIN + "scene: {seed: 1000020}\n", 2)
    assert [case.seed for case in found] == [1_000_020, 1_000_020]
    assert [case.name for case in found] == ["seed=1000020, try=1", "seed=1000020, try=2"]
    assert len({case.folder for case in found}) == 2


def test_a_scene_that_lacks_what_is_needed_is_said_where_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.script.cases._SCENES", 50)
    lacking = next(s for s in range(1_000_000, 1_001_000) if "can" not in initial_scene(s).objects)
    text = PLAIN + f"scene: {{needs: [can], seed: {lacking}}}\n"
    with pytest.raises(UsageError, match=rf"mission\.yaml:5:16: .*{lacking}.*can"):
        cases(tmp_path, text)
    text = PLAIN + "scene: {needs: [can, not can]}\n"
    with pytest.raises(UsageError, match=r"mission\.yaml:5:16: Only 0 of the 50 scenes"):
        cases(tmp_path, text)


def test_every_case_has_a_folder_of_its_own(tmp_path: Path) -> None:
    text = PLAIN.replace("go home", "say {word}") + (
        'parameters: {}\nmatrix: {word: ["a/b", "a b", "A-b", "../..", "\\u00e9"]}\n'
    )
    (tmp_path / "other").mkdir()
    files = [written(tmp_path, text), written(tmp_path / "other", text)]
    found = make_cases(load_scripts(files), 1, OUT)
    folders = [str(case.folder) for case in found]
    assert len({folder.lower() for folder in folders}) == len(found) == 10
    assert all(case.folder.parent.parent == OUT for case in found)
    assert {case.folder.parent.name for case in found} == {"mission", "mission-2"}


def test_the_episodes_of_several_commands_do_not_share_a_folder(tmp_path: Path) -> None:
    one = cases(tmp_path, PLAIN)[0]
    assert one.episode(0) == one.folder
    two = cases(tmp_path, PLAIN.replace("  - go home", "  - go home\n  - wait"))[0]
    assert [two.episode(i).relative_to(two.folder) for i in range(2)] == [Path("1"), Path("2")]
