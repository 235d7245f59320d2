"""The benchmark of the edge's error: its rules time nothing where nothing is planted, and it prints what covers."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from stresslab.metrics import market_timing
from stresslab.metrics.market_timing import series_timing
from tests.make.benchmarks import load


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """The benchmark of the edge's error."""
    return load("edge_error")


@pytest.mark.parametrize(
    "kind", ["trend 20", "trend 120", "fade 5", "inverse volatility", "turn of the month", "regimes"]
)
def test_timing_is_worth_what_is_planted(benchmark: ModuleType, kind: str) -> None:
    """Without strength a kind's rule times nothing, with some it does."""
    none, some = (
        series_timing(*benchmark.history(kind, np.full(150, strength), 756, [1])).mean() for strength in (0.0, 0.45)
    )
    assert abs(none) < 0.6  # a trend rule on three years bets against their own mean
    assert some > none + 1


def test_prints_a_row_for_each_kind(
    benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Coverage has its interval, and cosines can be varied."""
    monkeypatch.setattr(market_timing, "COSINES", market_timing.COSINES)
    monkeypatch.setattr(benchmark, "KINDS", ("fade 5",))
    monkeypatch.setattr(benchmark, "STRENGTHS", np.array([0.0, 0.2, 0.6]))
    assert benchmark.main(["--years", "2", "--count", "20", "--cosines", "8", "16"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("| fade 5 | 2 | 8 | ")
    assert lines[3].startswith("| fade 5 | 2 | 16 | ")
    assert float(lines[3].split("|")[4].split("%")[0]) >= 60
