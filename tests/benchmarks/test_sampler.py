"""The benchmark of the sampler runs and counts what it says."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.make.bars import make_bars
from tests.make.benchmarks import load


@pytest.fixture(scope="module")
def sampler() -> ModuleType:
    """The benchmark."""
    return load("sampler")


def test_the_work_of_a_bar(sampler: ModuleType, tmp_path: Path) -> None:
    """14.0 and 58.6 million operations for the published shapes mini and small, as counted by hand."""
    for name, expected in (("mini", 14.0), ("small", 58.6)):
        assert sampler.needed(sampler.generator(name, tmp_path, "float32", "cpu")) / 1e6 == pytest.approx(
            expected, abs=0.1
        )


@pytest.mark.slow
def test_the_table(sampler: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One row for a model, a type and a number of universes, printed and written."""
    out = tmp_path / "out.json"
    words = ["--quick", "--only", "speed", "--models", "nano", "--dtypes", "float32", "--jobs", "1", "--out", str(out)]
    assert sampler.main(words) == 0
    assert "path-bars/s" in capsys.readouterr().out
    (row,) = json.loads(out.read_text())["speed"]
    assert row["path_bars_per_second"] * row["seconds"] == pytest.approx(64 * sampler.HORIZON)
    assert row["over_official"] is None


def test_outcomes(sampler: ModuleType) -> None:
    """Return, volatility and drawdown of a path that falls by half and comes back."""
    bars = make_bars(40)
    last = bars.values[-1, 3]
    values = np.full((1, 2, 6), last)
    values[0, 0, 3] = last / 2
    half = np.log(2)
    np.testing.assert_allclose(sampler.outcomes(values, bars), [[0, half, -half]], atol=1e-12)
