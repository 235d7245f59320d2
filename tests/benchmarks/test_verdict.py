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
    monkeypatch.setattr(verdict, "PERMUTATIONS", 19)
    monkeypatch.setattr(verdict, "UNIVERSES", 30)
    source, out = tmp_path / "bars.csv", tmp_path / "out.json"
    make_bars(700, start="2009-01-01").frame.drop(columns="amount").to_csv(source, index_label="date")
    assert verdict.main(["--data", str(source), "--cases", "zero-edge", "--quick", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert lines[1].startswith("| case | n | yes | no |")
    assert lines[3].startswith("| zero edge, one trial reported: all | 30 |")
    assert lines[3].endswith("| yes <= 5% |")
    (part, *_) = json.loads(out.read_text())["parts"].values()
    assert part[0]["rates"]["yes"]["value"] <= 0.3
    with pytest.raises(SystemExit):
        verdict.main(["--cases", "luck"])


def test_a_strategy_is_judged_as_a_run_judges_it(verdict: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large edge is claimed and lowers P(loss); the opposite rule on the same market has none."""
    monkeypatch.setattr(verdict, "UNIVERSES", 60)
    market = verdict.Market("short reversion", 0.3)
    history = market.history(4, 5)
    rule, opposite = verdict.rule_of("short reversion"), verdict.reversed_rule_of("short reversion")
    edge = verdict.edge_of(rule, history, verdict.ONE, 1)
    assert edge.label == "yes"
    found = verdict.judged(rule, history, edge, "bootstrap", 1, 60)
    assert found.label in ("robust", "fragile", "inconclusive")
    assert found.supported < 0.3 < found.without
    assert verdict.edge_of(opposite, history, verdict.ONE, 1).label == "no"


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
            rates.values.setdefault("number", []).append(number)
        return [rates]

    with pytest.raises(KeyboardInterrupt):
        verdict.Store(out, "code").pieces("part", 30, count)
    (rates,) = verdict.Store(out, "code").pieces("part", 30, count)
    assert (rates.of, rates.counts, rates.values) == (30, {"odd": 15}, {"number": [*range(30)]})
    (again,) = verdict.Store(out, "code").pieces("part", 30, count)
    assert again == rates
    assert [(one.start, one.stop) for one in made] == [(0, 10), (10, 20), (20, 30), (20, 30)]
    verdict.Store(out, "other").pieces("part", 10, count)
    assert len(made) == 5
    assert list(json.loads(out.read_text())["parts"]) == ["part 0-10"]


def test_random_entries_are_as_often_in_as_they_say(verdict: ModuleType) -> None:
    """The noise in closes is uniform, differs by path and by key, and does not follow the sign of the last return."""
    universes = StationaryBootstrap(block=10).sample(make_bars(400), 100, 200, seed=1)
    close = Panel.of(universes, 0).close
    one, other = load("null_rules").noise(close, 4).to_numpy(), load("null_rules").noise(close, 5).to_numpy()
    for numbers in (one, other):
        assert np.quantile(numbers, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.02)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.03
    returns = close.pct_change().to_numpy()
    assert abs(np.corrcoef(one[1:-1].ravel(), returns[2:].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(one[1:].ravel(), returns[1:].ravel())[0, 1]) < 0.03


@pytest.mark.parametrize("kind", ["slow trend", "short reversion", "volatility timing", "calendar"])
def test_markets_have_an_edge_just_where_one_is_planted(kind: str) -> None:
    """Without strength the kind's rule earns at most its costs, with some it earns more."""
    known = load("known_edges")
    none, some = (known.future_returns(known.Market(kind, strength), 300)[1] for strength in (0.0, 0.25))
    assert none < 0.25
    assert some > 0.9
    values = known.Market(kind).values(2, 50, 1)
    assert (values[:, :, 1] >= values[:, :, [0, 3]].max(axis=2)).all()
    assert (values[:, :, 2] <= values[:, :, [0, 3]].min(axis=2)).all()


def test_what_follows_begins_in_the_state_of_the_history() -> None:
    """Volatility right after a calm or a wild end is that of its variance, and futures go on from the last bar."""
    known = load("known_edges")
    market = known.Market("short reversion", 0.1)
    ends = {}
    for number in range(40):
        history = market.history(1, [3, number])
        ends[number] = np.abs(np.diff(np.log(history.values[-10:, 3]))).mean()
    calm, wild = min(ends, key=ends.get), max(ends, key=ends.get)
    first = {}
    for number in (calm, wild):
        universes = market.after(1, [3, number], 400)
        assert universes.timestamps[0] > universes.history.timestamps[-1]
        np.testing.assert_allclose(universes.values[:, 0, 0], universes.history.values[-1, 3])
        first[number] = np.log(universes.values[:, 0, 3] / universes.values[:, 0, 0]).std()
    assert first[wild] > 1.5 * first[calm]
    assert 0 < known.true_loss(market, 1, [3, calm], 200) < 1


def test_intervals_cover_known_edges(verdict: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Edges of a kind from the prior lie inside most of their intervals, whichever their sign."""
    coverage, known = load("coverage_of_edges"), load("known_edges")
    ratios = np.linspace(0.0, 0.4, 3), np.array([0.0, 2.62, 5.0])
    monkeypatch.setattr(coverage, "timing_by_strength", lambda kind: ratios)
    inside = coverage.covered("calendar", 24, 3, years=3)
    assert len(inside) == 24
    assert np.mean(inside) >= 0.7
    varied = known.timing_paths(known.Market("calendar", np.array([0.0, 0.4])), 2, 3, [5])
    assert (varied[0] * varied[1]).mean(axis=0)[1] > (varied[0] * varied[1]).mean(axis=0)[0] + 0.002
    monkeypatch.setattr(known, "future_returns", lambda market: (np.zeros(1), 0.5))
    with pytest.raises(ValueError, match="out of reach"):
        known.market_of.__wrapped__("calendar", 2.0)


def test_errors_of_refused_universes_stand_apart(verdict: ModuleType) -> None:
    """The row of all cases holds every error, the other one those of universes that the gate does not refuse."""
    rates = verdict.Rates("all")
    kept = verdict._kept(rates)
    for refused, supported in ((True, 0.5), (False, 0.3)):
        verdict.Judged("fragile", 0.6, supported, refused).enter(0.2, [rates], kept)
    assert rates.values["with - true"] == [0.3, 0.1]
    assert kept.values["with - true"] == [0.1]
    assert kept.of == 1


def test_the_known_markets_have_the_volume_of_shares(verdict: ModuleType) -> None:
    """Volume answers to the size of its own bar's move, lasts for days, and tells nothing of the next move."""
    bars = verdict.Market("calendar", 0.2).history(10, 3)
    volume, moves = np.log(bars.values[1:, 4]), np.diff(np.log(bars.values[:, 3]))
    assert 0.3 < np.corrcoef(volume, np.log(0.2 + np.abs(moves) / moves.std()))[0, 1] < 0.6
    assert 0.3 < np.corrcoef(volume[1:], volume[:-1])[0, 1] < 0.6
    assert abs(np.corrcoef(volume[:-1], moves[1:])[0, 1]) < 0.08


def test_a_rule_and_its_opposite_have_opposite_edges(verdict: ModuleType) -> None:
    """On the terms by which known edges are measured, so that edges below zero are what they are said to be."""
    history = verdict.Market("slow trend", 0.3).history(6, 2)
    rules = verdict.rule_of("slow trend"), verdict.reversed_rule_of("slow trend")
    found = [verdict.edge_of(one, history, verdict.ONE, 1, verdict.KEPT).posterior.evidence[0].sharpe for one in rules]
    assert found[0] > 1.0
    assert found[1] == pytest.approx(-found[0], abs=0.05)
