"""openpi's own client, in an environment of its own, drives Bosun's policy."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skills.policy.policy import VLAPolicy
from tests.environments import ROOT, python_of
from tests.serve.processes import Served
from tests.serve.samples import PHRASE, inputs, observations

pytestmark = pytest.mark.openpi

SEEN = observations(6)


@pytest.fixture(scope="module")
def openpi_python() -> Path:
    """Return the Python of the environment of openpi's client."""
    return python_of("openpi")


@pytest.fixture(scope="module")
def told(
    openpi_python: Path, served: Served, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Return what openpi's client was answered: arrays by name, and the rest."""
    folder = tmp_path_factory.mktemp("openpi")
    ticks = [inputs(seen) for seen in SEEN]
    rows: dict[str, Any] = {key: np.stack([tick[key] for tick in ticks]) for key in ticks[0]}
    np.savez(folder / "asked.npz", **rows)
    probe = ROOT / "tests/openpi/probe.py"
    host, port = served.address.split(":")
    done = subprocess.run(
        [openpi_python, probe, host, port, folder / "asked.npz", folder / "told.npz"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    with np.load(folder / "told.npz") as arrays:
        found = {name: arrays[name] for name in arrays.files}
    return {**json.loads(str(found.pop("rest"))), **found}


def test_its_numpy_is_another_one(told: dict[str, Any]) -> None:
    assert told["numpy"].startswith("1.") and np.__version__.startswith("2.")


def test_it_is_told_what_the_policy_expects(told: dict[str, Any]) -> None:
    assert set(told["metadata"]["interface"]["cameras"]) == {
        "observation/front_image",
        "observation/wrist_image",
    }


def test_its_answers_are_those_in_process_bit_for_bit(
    told: dict[str, Any], unserved: VLAPolicy
) -> None:
    unserved.reset(PHRASE)
    for tick, seen in enumerate(SEEN):
        chunk = unserved.infer(seen)
        assert told["actions"].dtype == np.float32
        assert np.array_equal(told["actions"][tick], chunk.actions)
        assert chunk.spread is not None and np.array_equal(told["spread"][tick], chunk.spread)
        assert (told["progress"][tick], told["success"][tick]) == (chunk.progress, chunk.success)


def test_it_is_told_how_long_everything_took(told: dict[str, Any]) -> None:
    timing = told["server_timing"]
    assert all(entry["infer_ms"] > 0 for entry in timing)
    assert ["prev_total_ms" in entry for entry in timing] == [False] + [True] * (len(SEEN) - 1)


def test_a_failure_is_one_sentence_in_its_exception(told: dict[str, Any]) -> None:
    _, _, sentence = told["failure"].partition("\n")
    assert told["failure"].startswith("Error in inference server:")
    assert sentence.startswith("observation/front_image: (120, 160, 3) uint8")
    assert "\n" not in sentence


def test_it_carries_out_chunks_row_by_row(told: dict[str, Any], unserved: VLAPolicy) -> None:
    unserved.reset(PHRASE)
    for tick in range(0, len(SEEN), 3):
        rows = unserved.infer(SEEN[tick]).actions[:3]
        assert np.array_equal(told["broken"][tick : tick + 3], rows)
