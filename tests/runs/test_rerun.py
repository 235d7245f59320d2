"""A run again from its manifest: the same bytes, or a line that says what has changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stresslab.cli import main
from stresslab.runs.replay import replay
from stresslab.runs.rerun import FLIPPED, TOLERANCE, compared, rerun
from tests.make.runs import stored_run


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_bytes_from_the_manifest_alone(original: Path, jobs: int) -> None:
    """Whatever the number of workers."""
    found = rerun(original, jobs=jobs)
    assert found.same
    assert found.within
    assert (found.rows, found.beyond, found.largest) == (70, 0, 0.0)
    assert found.differences == ()
    assert found.result.strategies[0].parameters == {"window": 15}


@pytest.mark.slow
def test_kronos_gives_the_same_bytes_too(tmp_path: Path) -> None:
    """Weights and sampling settings are in the manifest."""
    run = stored_run(tmp_path, "--generator", "kronos", "--temperature", "0.8", "--context", "40", "--jobs", "1")
    found = rerun(run, jobs=2)
    assert found.same
    assert found.differences == ()


def test_the_folder_alone_is_enough(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine, where neither the bars nor the strategy are: the copies in the run's folder are used."""
    monkeypatch.chdir(tmp_path)
    elsewhere = shutil.copytree(original, tmp_path / "sent" / original.name)
    hidden = original.parents[1].rename(original.parents[1].with_name("hidden"))
    try:
        found, one = rerun(elsewhere, jobs=1), replay(elsewhere, 3)
        assert main(["verify", str(elsewhere)]) == 0
    finally:
        hidden.rename(original.parents[1])
    assert found.same
    assert one.same
    assert found.differences == one.differences == ()


def test_differences_are_counted_by_row() -> None:
    """Roundings are none; NaN equals NaN; another number, another NaN or another table are."""
    frame = pd.DataFrame({"strategy": "a", "universe": range(200), "x": np.linspace(0, 1, 200), "y": np.nan})
    assert compared(frame, frame.copy()) == (200, 0, 0.0)
    rounded = frame.assign(x=frame["x"] * (1 + TOLERANCE / 2))
    rows, beyond, largest = compared(frame, rounded)
    assert (rows, beyond) == (200, 0)
    assert largest == pytest.approx(TOLERANCE / 2, rel=1e-3)
    moved = frame.copy()
    moved.loc[3, "x"] *= 1.5
    moved.loc[4, "y"] = 1.0
    assert compared(frame, moved)[:2] == (200, 2)
    assert 2 <= FLIPPED * 200
    assert compared(frame, frame.iloc[:100])[1] == 200
