"""The gate's answers beside what came later: rows are kept, later bars are not seen, correlations have their sign."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from tests.make.benchmarks import load
from tests.realism.cases import normal_bars, simulate


@pytest.fixture(scope="module")
def later() -> ModuleType:
    """The benchmark."""
    return load("gate_later")


def test_rows_are_kept_and_found_again(later: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One row a series and generator; the gate saw nothing of what was set aside; a second run samples nothing."""
    frames = []
    for seed, name in enumerate("AB"):
        frame = normal_bars(1000, seed).frame
        frames.append(frame.rename_axis("timestamp").reset_index().assign(symbol=name))
    (tmp_path / "data").mkdir()
    pd.concat(frames).to_parquet(tmp_path / "data" / "several.parquet")
    words = ["--data", tmp_path / "data", "--generators", "bootstrap", "--keep", tmp_path / "rows.jsonl"]
    assert later.main([str(word) for word in words]) == 0
    first = capsys.readouterr()
    assert first.err.count("bootstrap: ") == 2
    assert "| all | label |" in first.out
    assert later.main([str(word) for word in words]) == 0
    again = capsys.readouterr()
    assert (again.err, again.out) == ("", first.out)


def test_later_figures(later: ModuleType) -> None:
    """Coverage and volatility of the true process are about right, and of universes half as wide they are not."""
    true = later.later_figures(simulate(None, 1, 20, count=60))
    narrow = later.later_figures(simulate("volatility x 0.5", 1, 20, count=60))
    assert true["coverage"] == pytest.approx(0.9, abs=0.05)
    assert narrow["coverage"] < 0.75
    assert narrow["volatility"] == pytest.approx(0.5 * true["volatility"], rel=0.1)


def test_correlations(later: ModuleType) -> None:
    """A perfect answer correlates by one; one that never differs says nothing."""
    errors = np.linspace(0, 1, 40).tolist()
    series = [str(one) for one in range(40)]
    assert later.correlation(errors, errors, series) == "+1.00 [+1.00, +1.00]"
    assert later.correlation([1.0] * 40, errors, series) == "the same answer everywhere"
