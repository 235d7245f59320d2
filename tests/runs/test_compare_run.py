"""Runs beside each other, from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import stresslab as sl
from stresslab.core.errors import InputError
from stresslab.runs.folder import save_run
from tests.make.results import make_result


def test_results_and_folders(tmp_path: Path) -> None:
    """A result in memory and a stored run are compared alike, universe by universe."""
    one, two = make_result("follow", universes=40, horizon=20), make_result("hold", universes=40, horizon=20)
    folder = save_run(two, tmp_path)
    found = sl.compare(one, folder)
    again = sl.compare(one, two)
    assert list(found.runs) == list(again.runs)
    assert found.unpaired == again.unpaired == {}
    assert list(found.folders.values()) == ["run 1", folder.name]
    assert [one.strategy.name for one in found.entries] == [one.strategy.name for one in again.entries]


def test_what_cannot_be_compared() -> None:
    """Universes of another seed cannot be paired; what is no run is named."""
    one, two = (make_result("follow", universes=40, horizon=20, seed=seed) for seed in (1, 2))
    with pytest.raises(InputError, match="run 2 cannot be paired with run 1"):
        sl.compare(one, two, paired=True)
    with pytest.raises(InputError, match="3 is no run"):
        sl.compare(one, 3)
