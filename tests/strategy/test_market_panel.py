"""Strategies over several symbols: what they see, what they may answer, and that looking ahead across symbols shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stresslab.backtest import Terms, backtest
from stresslab.backtest.result import JointBacktest
from stresslab.core.errors import InputError, StrategyError
from stresslab.data.market_index import IndexBars, IndexUniverses
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.strategy import load_strategies
from stresslab.strategy.lookahead.check import find_lookahead
from stresslab.strategy.market_panel import MarketPanel
from tests.make.markets import make_market

INDEX = IndexBars.of(make_market(count=300))
UNIVERSES = StationaryBootstrap(block=5).sample(INDEX, 30, 6, seed=1)
assert isinstance(UNIVERSES, IndexUniverses)
PANEL = MarketPanel.of(UNIVERSES, 100)


def run(function: Any, terms: Terms | None = None) -> JointBacktest:
    """The accounts of a function."""
    account = backtest(load_strategies(function, {}, None)[0], UNIVERSES, terms)
    assert isinstance(account, JointBacktest)
    return account


def test_a_symbol_is_the_panel_that_users_know() -> None:
    """A symbol's frames are those of its own universes, and of all at once they are its part."""
    assert PANEL["S1"].close.shape == (130, 6)
    np.testing.assert_array_equal(PANEL["S1"].close.iloc[100:], UNIVERSES.joint["S1"].close)
    np.testing.assert_array_equal(PANEL.close["S1"], PANEL["S1"].close)
    assert list(PANEL) == ["S0", "S1", "S2"]
    with pytest.raises(LookupError, match="the market has no 'S9'"):
        PANEL["S9"]


def test_ranks_and_scores_are_across_symbols() -> None:
    """Ranks and z-scores compare the symbols of one universe in one row, as a loop does."""
    moves = PANEL.close.pct_change(5)
    rank, score = PANEL.rank(moves), PANEL.zscore(moves)
    for row, universe in ((50, 0), (120, 4)):
        one = moves.iloc[row].xs(universe, level="universe")
        expected = (one.rank() - 1) / 2
        np.testing.assert_allclose(rank.iloc[row].xs(universe, level="universe"), expected)
        np.testing.assert_allclose(score.iloc[row].xs(universe, level="universe"), (one - one.mean()) / one.std(ddof=0))
    assert rank.iloc[2].isna().all()


def test_a_dict_a_frame_and_a_loop_are_one_account() -> None:
    """The same weights as a dict, as a frame of all symbols, and bar by bar give the same account."""

    def as_dict(market):
        return {"S0": market["S0"].close * 0 + 0.5, "S2": market["S2"].close * 0 - 0.25}

    def as_frame(market):
        whole = market.close * 0
        whole["S0"], whole["S2"] = 0.5, -0.25
        return whole

    class Loop:
        def on_bar(self, state, bars):
            return {"S0": 0.5, "S1": None, "S2": -0.25}

    first = run(as_dict)
    for other in (as_frame, Loop):
        np.testing.assert_array_equal(run(other).equity, first.equity)
    assert np.abs(first.positions[1]).max() == 0
    assert (first.positions[2] <= 0).all()


def test_signals_hold_equal_parts() -> None:
    """A full position of a signal is one K-th of the account."""

    def signals(market):
        above = market.close > market.close.rolling(20).mean()
        return above, ~above

    positions = run(signals).positions
    assert positions.max() < 0.5
    assert positions[positions > 0].min() > 0.2


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (lambda market: {"S7": market["S0"].close * 0}, "names the symbol 'S7'; the market has S0"),
        (lambda market: market["S0"].close, "return a dict of frames by symbol"),
        (lambda market: {"S0": market["S0"].close.iloc[5:] * 0}, "weights of S0 has shape"),
        (lambda market: {symbol: market[symbol].close * 0 + 0.5 for symbol in market}, "add up to 1.5"),
    ],
)
def test_wrong_answers_are_one_line(answer: Any, line: str) -> None:
    """What cannot be meant is refused with the remedy."""

    def weights(market):
        return answer(market)

    with pytest.raises(StrategyError) as error:
        run(weights)
    assert line in str(error.value)


def test_what_an_account_of_several_symbols_has_not() -> None:
    """Stops and sizing are refused, and a market strategy on one series says what to give."""
    from stresslab.backtest.terms import Stops

    def weights(market):
        return {"S0": market["S0"].close * 0 + 0.5}

    with pytest.raises(InputError, match="no stops and no sizing"):
        run(weights, Terms(stops=Stops(stop_loss=0.1)))
    one = StationaryBootstrap(block=5).sample(INDEX.market["S0"], 30, 6)
    with pytest.raises(StrategyError, match="give several, for example sample:crypto5"):
        backtest(load_strategies(weights, {}, None)[0], one)


def test_a_rule_for_one_series_is_tried_on_each() -> None:
    """An ordinary strategy trades every symbol on an equal part of the capital."""

    def weights(bars):
        return bars.close * 0 + 1.0

    account = run(weights)
    parts = [backtest(load_strategies(weights, {}, None)[0], UNIVERSES.joint[symbol]) for symbol in PANEL]
    np.testing.assert_allclose(account.equity, np.mean([part.equity for part in parts], axis=0))


@pytest.mark.parametrize(
    ("shift", "symbols", "found"),
    [(-1, ("S0", "S1"), True), (-1, ("S1", "S1"), True), (1, ("S0", "S1"), False), (0, ("S0", "S1"), False)],
)
def test_looking_ahead_across_symbols_is_found(shift: int, symbols: tuple[str, str], found: bool) -> None:
    """Tomorrow's bar of one symbol that decides on another is found; yesterday's is none."""
    seen, traded = symbols

    def weights(market):
        rises = market[seen].close.pct_change() > 0
        return {traded: rises.shift(shift, fill_value=False).astype(float) * 0.5}

    report = find_lookahead(load_strategies(weights, {}, None)[0], INDEX)
    assert bool(report.found) == found
    if found:
        assert f"of {traded}" in report.found[0]


def test_a_market_of_the_whole_sample_is_found() -> None:
    """Ranks over the whole sample look ahead; ranks across symbols do not."""

    def over_time(market):
        return (market.close.rank(pct=True) > 0.5).astype(float) / 3

    def across(market):
        return (market.rank(market.close.pct_change(20)) > 0.9).astype(float)

    assert find_lookahead(load_strategies(over_time, {}, None)[0], INDEX).found
    assert not find_lookahead(load_strategies(across, {}, None)[0], INDEX).found


def test_index_of_a_market_is_its_equal_weight_growth() -> None:
    """The index grows by the mean of its symbols' returns, and its bars are possible."""
    closes = INDEX.market.values[:, :, 3]
    np.testing.assert_allclose(np.diff(np.log(INDEX.close)), np.log((closes[:, 1:] / closes[:, :-1]).mean(axis=0)))
    assert (INDEX.values[:, 1] >= INDEX.values[:, [0, 3]].max(axis=1)).all()
    part = INDEX[50:200]
    assert isinstance(part, IndexBars)
    assert part.market.timestamps.equals(part.timestamps)
