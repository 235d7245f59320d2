"""The benchmark of verdicts runs, counts what it says, and its null strategies have no edge by construction."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.strategy.panel import Panel
from tests.make.bars import make_bars
from tests.make.benchmarks import load


@pytest.fixture(scope="module")
def verdict() -> ModuleType:
    """The benchmark of verdicts."""
    return load("verdict")


def test_the_table_of_rates(
    verdict: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case prints its rates with intervals and writes them as JSON."""
    monkeypatch.setattr(verdict, "UNIVERSES", 40)
    source, out = tmp_path / "bars.csv", tmp_path / "out.json"
    make_bars(2600, start="2009-01-01").frame.drop(columns="amount").to_csv(source, index_label="date")
    small = verdict.Scale(True, 19, 0, (make_bars(700),))
    rates = next(iter(verdict.zero_edge(small)))
    assert rates.of == 30
    assert 0 <= rates.rate("yes").value <= rates.rate("yes").high < 0.3
    assert verdict.main(["--data", str(source), "--cases", "buy-and-hold", "--quick", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert lines[1].startswith("| case | n | yes | unclear |")
    assert lines[3].startswith("| buy and hold in rising decades |")
    assert lines[3].endswith("| never yes |")
    (part,) = json.loads(out.read_text())["parts"].values()
    assert part[0]["must"] == "never yes"
    assert part[0]["rates"]["yes"]["value"] == 0
    with pytest.raises(SystemExit):
        verdict.main(["--cases", "luck"])


def test_what_is_finished_is_not_made_again(verdict: ModuleType, tmp_path: Path) -> None:
    """Pieces are stored one by one and added up; other code, data or settings begin anew."""
    made, out = [], tmp_path / "parts.json"

    def count(numbers: range) -> list[Any]:
        made.append(numbers)
        if len(made) == 3:
            raise KeyboardInterrupt
        rates = verdict.Rates("case", "must")
        for number in numbers:
            rates.add(odd=number % 2 == 1)
        return [rates]

    with pytest.raises(KeyboardInterrupt):
        verdict.Store(out, "code").pieces("part", 60, count)
    (rates,) = verdict.Store(out, "code").pieces("part", 60, count)
    assert (rates.of, rates.counts) == (60, {"odd": 30})
    (again,) = verdict.Store(out, "code").pieces("part", 60, count)
    assert again == rates
    assert [(one.start, one.stop) for one in made] == [(0, 25), (25, 50), (50, 60), (50, 60)]
    verdict.Store(out, "other").pieces("part", 10, count)
    assert len(made) == 5
    assert list(json.loads(out.read_text())["parts"]) == ["part 0-10"]


def test_random_entries_are_as_often_in_as_they_say(verdict: ModuleType) -> None:
    """The noise in closes is uniform, differs by path and by key, and does not follow the sign of the last return."""
    universes = StationaryBootstrap(block=10).sample(make_bars(400), 100, 200, seed=1)
    close = Panel.of(universes, 0).close
    one, other = verdict.noise(close, 4).to_numpy(), verdict.noise(close, 5).to_numpy()
    for numbers in (one, other):
        assert np.quantile(numbers, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.02)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.03
    returns = close.pct_change().to_numpy()
    assert abs(np.corrcoef(one[1:-1].ravel(), returns[2:].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(one[1:].ravel(), returns[1:].ravel())[0, 1]) < 0.03


@pytest.mark.parametrize("sign", [1, -1])
def test_the_planted_edge_is_as_large_as_it_says(verdict: ModuleType, sign: int) -> None:
    """The matching rule's annual Sharpe ratio of timing is the one planted."""
    from stresslab.analysis.permutation_test import timing_in_universes
    from stresslab.backtest import Terms, backtest

    process = verdict.Process(2.5 / np.sqrt(252), sign)
    sampled = process.sample(process.history(200, 1), 250, 3000, 2)
    account = backtest(verdict.strategy_of(verdict.last_body(sign)), sampled, Terms(warmup=50))
    found = timing_in_universes(account, sampled, 252)
    assert found.sharpe.value == pytest.approx(2.5, abs=0.12)
