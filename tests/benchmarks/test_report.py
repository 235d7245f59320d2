"""Benchmarks run on a user's folder and compute what they say."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from stresslab.data.bars import Bars
from tests.make.bars import make_bars
from tests.make.benchmarks import load
from tests.make.results import make_result
from tests.realism.cases import simulate


@pytest.fixture(scope="module")
def realism() -> ModuleType:
    """The benchmark of realism."""
    return load("realism")


def written(folder: Path, bars: dict[str, Bars]) -> Path:
    """One parquet file of several series, and a CSV of the first."""
    frames = [one.frame.rename_axis("timestamp").reset_index().assign(symbol=name) for name, one in bars.items()]
    pd.concat(frames).to_parquet(folder / "several.parquet")
    next(iter(bars.values())).frame.to_csv(folder / "one.csv", index_label="date")
    return folder


def test_the_table_of_realism(realism: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every row of the requirement for every generator, with intervals, over all series of a folder."""
    data = written(tmp_path, {name: make_bars(900, seed=seed) for seed, name in enumerate(("A", "B"))})
    out = tmp_path / "out.json"
    words = ["--data", data, "--generators", "bootstrap,garch", "--origins", "3", "--universes", "39", "--out", out]
    assert realism.main([str(word) for word in words]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("bars of 1 day, weekdays: 9 origins, 3 series, ")
    content = json.loads(out.read_text())["1 day, weekdays"]
    assert set(content["figures"]) == {"bootstrap", "garch"}
    rows = content["figures"]["garch"]
    assert len(rows) == 16
    assert all(one["low"] <= one["value"] <= one["high"] for one in rows.values())
    ratio = rows["CRPS of the 20-bar return over the better baseline's"]
    best = content["better_baseline"]
    assert ratio["value"] == 1 if best == "garch" else ratio["value"] > 1
    assert len(content["drift_by_series"]["garch"]) == 3


def test_true_universes_have_the_true_figures(realism: ModuleType) -> None:
    """Universes of the true process have ratios about 1 and differences about 0; too wild ones have theirs."""
    samples = [
        realism.Sample(f"s{seed}", number, origin)
        for seed in range(12)
        for number, origin in enumerate(simulate(None, seed, 120, count=10))
    ]
    found = realism.figures(samples, samples)
    near = {
        "90% interval of the 20-bar return covers": 0.9,
        "50% interval of the 60-bar return covers": 0.5,
        "CRPS of the 20-bar return over the better baseline's": 1.0,
        "volatility of a bar over what followed, median of series": 1.0,
        "lag-1 autocorrelation of returns less reality's": 0.0,
        "autocorrelation of |returns|, lags 1 to 20, over reality's": 1.0,
        "first bar's jump, bar sigmas: mean": 0.0,
        "first bar's volatility over the next three's": 1.0,
        "repaired bars": 0.0,
    }
    for row, value in near.items():
        assert found[row].value == pytest.approx(value, abs=0.25 if "|returns|" in row else 0.08), row
        assert abs(found[row].value - value) <= found[row].high - found[row].low, row  # 4 errors, nine rows
    wild = [
        realism.Sample(f"s{seed}", number, origin)
        for seed in range(4)
        for number, origin in enumerate(simulate("volatility x 1.6", seed, 120, count=10))
    ]
    assert realism.volatility_ratio(wild).value == pytest.approx(1.6, abs=0.15)
    jumping = [
        realism.Sample("s", n, one) for n, one in enumerate(simulate("first bar one sigma up", 1, 120, count=20))
    ]
    assert realism.figures(jumping, None)["first bar's jump, bar sigmas: root mean square"].value == pytest.approx(
        1.0, abs=0.25
    )


def test_few_windows_do_not_bias_the_ratio_of_clustering(realism: ModuleType) -> None:
    """With two windows a series the true process still has the clustering of reality: both sides are short alike."""
    samples = [
        realism.Sample(f"s{seed}", number, origin)
        for seed in range(100)
        for number, origin in enumerate(simulate(None, seed, 120, count=2, universes=16))
    ]
    ours, theirs = realism.clustering(samples)
    assert ours.mean() / theirs.mean() == pytest.approx(1.0, abs=0.35)


def test_clustering_counts_calm_and_wild_windows(realism: ModuleType) -> None:
    """Windows of one series that differ in volatility alone are clusters, measured about the whole series."""
    rng = np.random.default_rng(0)
    samples = []
    for number, one in enumerate(simulate(None, 0, 120, count=10)):
        scale = 3.0 if number % 2 else 1.0
        noise = scale * rng.normal(size=(64, 120))
        real = scale * rng.normal(size=120)
        origin = type(one)(one.at, noise.cumsum(axis=1), real.cumsum(), 0.0, 1.0)
        samples.append(realism.Sample("s", number, origin))
    ours, theirs = realism.clustering(samples)
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.08)
    assert ours.mean() > 0.15


def test_a_folder_without_series_is_refused(
    realism: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line that names the folder."""
    with pytest.raises(SystemExit):
        realism.main(["--data", str(tmp_path), "--generators", "bootstrap"])
    assert "holds no parquet or CSV file" in capsys.readouterr().err


def test_the_table_of_backtests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ratios and the cold start are measured, on few universes; numba has nothing to compile."""
    out = tmp_path / "out.json"
    assert load("backtest").main(["--quick", "--only", "engine", "cold", "--out", str(out)]) == 0
    assert "engine and measures over from_signals alone" in capsys.readouterr().out
    found = json.loads(out.read_text())
    assert len(found) == 7
    assert found["functions that numba compiled"] == 0
    assert all(value > 0 for name, value in found.items() if "compiled" not in name)


def test_report_measures_every_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stored run is rendered in each format that is asked for, with its share of the run's time and its size."""
    folder = make_result("follow", universes=20, horizon=10).save(tmp_path)
    assert load("report").main([str(folder), "--repeat", "2", "--format", "html,csv"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("2 strategies, 20 universes; the run took 12.8 s")
    assert [line.split()[0] for line in printed[1:]] == ["html", "csv"]
    assert all("% of the run" in line and "MB" in line for line in printed[1:])
