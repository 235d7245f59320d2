"""A strategy on real bars: which of its decisions are the same, and which only rounding turns over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.signal import fftconvolve

from stresslab.data.bars import Bars
from stresslab.strategy import load_strategies
from stresslab.strategy.lookahead import probe as trial
from stresslab.strategy.lookahead.probe import JITTER, DecisionProbe, column, first_difference, stamp, where
from stresslab.strategy.panel import Decisions
from tests.make.bars import make_bars
from tests.strategy.lookahead.cases import Rule, around, look


def test_ties_are_no_leaks(bars: Bars, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where prices stand still, rounding decides whether the close is above its average: no finding."""
    frame = bars.frame.copy()
    frame[:] = frame.to_numpy()[np.arange(len(frame)) // 12 * 12]
    still = Bars.from_frame(frame, symbol="STILL", source="test")

    def rule(bars: Any) -> Any:
        average = fftconvolve(bars.close.to_numpy(), np.full((5, 1), 0.2), axes=0)[: len(bars.close)]
        return bars.close > average, bars.close < average

    assert look(rule, still).found == []
    monkeypatch.setattr(trial, "JITTER", 0.0)
    assert look(rule, still).found


@pytest.mark.parametrize("seed", [None, 0])
def test_chance_of_each_universe_is_found(seed: int | None, bars: Bars) -> None:
    """Random weights leave the answer open without a seed, and depend on the other universes with one."""

    def rule(bars: Any) -> Any:
        return bars.close * 0 + np.random.default_rng(seed).random(bars.close.shape)

    if seed is None:
        report = look(rule, bars)
        assert (report.found, report.inconclusive) == ([], True)
        assert report.chance.startswith("at 2015-01-01 the weight")
        assert "seed random numbers inside the function" in str(report)
    else:
        assert "depends on the other universes" in look(rule, bars).found[0]


def test_rounding_is_no_leak(bars: Bars) -> None:
    """Weights that differ in the last digits, as sums in another order do, are the same decision; 1e-6 is not."""

    def noisy(size: float) -> Rule:
        return lambda bars: bars.close * 0 + 0.5 * (1 + size * (len(bars.close) % 7))

    assert look(noisy(1e-13), bars).found == []
    assert look(noisy(1e-6), bars).found


def test_universes_must_not_mix(bars: Bars) -> None:
    """A rule that averages over universes knows other futures: found, although no bar is later."""
    report = look(
        lambda bars: around(bars.close, 0 * bars.close + bars.close.to_numpy().mean(axis=1)[:, None] - 1), bars
    )
    assert "depends on the other universes" in report.found[0]


def test_intraday_stamps() -> None:
    """Findings on intraday bars name the time of day."""
    report = look(lambda bars: around(bars.close.shift(-1), bars.close), make_bars(200, freq="h"))
    assert ":00:00" in report.found[0]


def weighed(*numbers: float) -> dict[str, Any]:
    """Weights of one universe."""
    return {"weights": np.array(numbers)}


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ([0.0, 1.0, 0.5], [0.0, 1.0, 0.5], None),
        ([0.0, 1.0, 0.5], [0.0, 1.0], None),  # a shorter answer is compared as far as it goes
        ([0.0, 1.0, 0.5], [0.0, 1.0 + 1e-12, 0.5], None),
        ([0.0, 1.0, 0.5], [0.0, 1.1, 0.4], (1, "weights")),
        ([np.nan, 1.0], [np.nan, 1.0], None),
        ([np.nan, 1.0], [0.0, 1.0], (0, "weights")),
        ([1e9, 1.0], [1e9 + 0.1, 1.0], None),  # relative
    ],
)
def test_the_first_difference(mine: list[float], theirs: list[float], expected: tuple[int, str] | None) -> None:
    """Its row and name; NaN equals NaN and no number."""
    assert first_difference(weighed(*mine), weighed(*theirs)) == expected


def test_the_earliest_of_several_decisions_comes_first() -> None:
    """Whichever is named first; and answers of two kinds differ from the first row on."""
    mine = {"long_entries": np.array([True, False, True]), "long_exits": np.array([False, False, False])}
    theirs = {"long_entries": np.array([True, False, False]), "long_exits": np.array([False, True, False])}
    assert first_difference(mine, theirs) == (1, "long_exits")
    assert first_difference(mine, weighed(0.0, 0.0, 0.0)) == (0, "")


def test_slack_excuses_its_own_row_alone() -> None:
    """Ten times what a decision moves by rounding is no difference; in another row it is."""
    mine, theirs = weighed(0.0, 0.0), weighed(0.5, 0.5)
    assert first_difference(mine, theirs, {"weights": np.array([0.05, 0.0])}) == (1, "weights")
    assert first_difference(mine, theirs, {"weights": np.array([0.05, np.inf])}) is None


def test_slack_is_what_prices_move_a_decision_by() -> None:
    """A weight in proportion to the price moves by the jitter; a comparison that ties comes and goes."""
    bars = make_bars(50)
    (scaled,) = load_strategies(lambda bars: bars.close / 100, {})
    slack = DecisionProbe.of(scaled, bars).slack["weights"]
    expected = JITTER * bars.values[:, 3] / 100
    assert (slack <= 1.01 * expected).all()
    assert (slack > 0.5 * expected).all()  # the largest of 24 draws
    (tied,) = load_strategies(lambda bars: (bars.close > bars.close.shift(1), bars.close < 0), {})
    values = np.repeat(bars.values[:1], len(bars), axis=0)
    still = DecisionProbe.of(tied, Bars(bars.timestamps, values, "STILL")).slack
    assert (still["long_entries"][1:] == 1).all()
    assert (still["long_exits"] == 0).all()


def test_of_a_market_each_symbol_is_a_decision() -> None:
    """The columns of one universe by symbol; of one series, the universe's own column."""
    weights = np.arange(12.0).reshape(2, 6)
    market = column(Decisions(weights=weights, symbols=("A", "B", "C")), 1)
    assert {name: array.tolist() for name, array in market.items()} == {
        "weights of A": [3, 9],
        "weights of B": [4, 10],
        "weights of C": [5, 11],
    }
    assert column(Decisions(weights=weights), 4)["weights"].tolist() == [4, 10]


def test_decisions_in_words() -> None:
    """Day and name, the symbol behind it; the time of day where any bar has one."""
    bars = make_bars(30)
    (rule,) = load_strategies(lambda bars: bars.close * 0, {})
    case = DecisionProbe.of(rule, bars)
    day = bars.timestamps[3].date()
    assert where(case, 3, "long_exits") == f"at {day} the exit"
    assert where(case, 3, "units of SPY") == f"at {day} the number of units of SPY"
    hours = pd.DatetimeIndex(["2020-01-01 00:00", "2020-01-01 01:00"])
    assert stamp(hours, 0) == "2020-01-01 00:00:00"
