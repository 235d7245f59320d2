"""Shocks: what is laid over universes is there, nothing else has changed, and the engine feels it."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stresslab.analysis.shocks import (
    NOWHERE,
    SHOCKS,
    DelayedOrders,
    adverse_sign,
    closed_from,
    gap,
    postponed_rows,
    postponed_targets,
    scale_volatility,
    shocks,
    worst_bar,
)
from stresslab.backtest import Costs, Terms, backtest
from stresslab.core.errors import InputError
from stresslab.data.bars import CLOSE, Bars
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.generators.transforms import log_shapes
from stresslab.strategy import load_strategies
from tests.make.bars import make_bars
from tests.make.cases import bootstrap_case
from tests.make.strategies import trend
from tests.make.universes import assert_valid

BARS = make_bars(400)
FREE = Terms(costs=Costs(0.0, 0.0), warmup=50)


@pytest.fixture(scope="module")
def universes() -> Universes:
    """Universes of 30 bars."""
    return StationaryBootstrap(block=10).sample(BARS, 30, 40, seed=1)


def hold(bars):
    """Always fully invested."""
    return pd.DataFrame(1.0, index=bars.close.index, columns=bars.close.columns)


def cross(bars):
    """Long above the average of ten closes, by signals."""
    above = bars.close > bars.close.rolling(10).mean()
    return above, ~above


def follow(bars):
    """Long above the average of ten closes, short below."""
    return np.sign(bars.close - bars.close.rolling(10).mean())


def test_a_gap_is_there_and_nothing_else(universes: Universes) -> None:
    """Bars before are untouched, the bar opens 10% lower, all later returns and shapes are as they were."""
    bars = np.arange(40) % 31 - 1
    found = gap(universes, -0.1, bars)
    assert_valid(found.values)
    before, after = log_shapes(universes), log_shapes(found)
    for universe, bar in enumerate(bars):
        expected = before[universe].copy()
        if bar != NOWHERE:
            expected[bar] += np.log(0.9)
            assert np.array_equal(found.values[universe, :bar], universes.values[universe, :bar])
        assert after[universe] == pytest.approx(expected, abs=1e-6)


def test_the_worst_gap_by_hand() -> None:
    """After the largest position, the first of several, whatever its side; nowhere without one."""
    position = np.array([[0.0, 0.5, 0, 1], [0.4, -1.0, 0, 1], [0.9, -1.0, 0, 1], [1.0, 0, 0, 1]])
    bar = worst_bar(position)
    assert bar.tolist() == [3, 2, NOWHERE, 1]
    assert adverse_sign(position, bar).tolist() == [-1, 1, -1, -1]
    assert worst_bar(np.ones((1, 2))).tolist() == [NOWHERE, NOWHERE]


@pytest.mark.parametrize("name", ["gap-5", "gap-10", "gap-20"])
def test_a_gap_costs_its_size_at_the_position_it_meets(universes: Universes, name: str) -> None:
    """A holder of everything loses just the gap; long and short positions decided before it are the same as without."""
    size = int(name.removeprefix("gap-")) / 100
    strategy = load_strategies(hold, {})[0]
    base = backtest(strategy, universes, FREE)
    shocked = backtest(strategy, SHOCKS[name].lay(universes, base.position, worst_bar(base.position)), FREE)
    assert shocked.equity[-1] / base.equity[-1] == pytest.approx(1 - size, rel=1e-5)
    both = load_strategies(follow, {})[0]
    base = backtest(both, universes, FREE)
    bar, columns = worst_bar(base.position), np.arange(40)
    shocked = backtest(both, SHOCKS[name].lay(universes, base.position, worst_bar(base.position)), FREE)
    for universe in columns:
        assert shocked.position[: bar[universe], universe] == pytest.approx(
            base.position[: bar[universe], universe], abs=1e-5
        )
    held = np.abs(base.position[bar - 1, columns])
    assert (shocked.equity[bar + 1, columns] < base.equity[bar + 1, columns]).all()
    assert held.min() > 0.5


def test_wilder_paths_end_where_they_ended(universes: Universes) -> None:
    """Deviations from each path's own mean double, its final price stays."""
    found = scale_volatility(universes, 2.0)
    assert_valid(found.values)
    assert found.values[:, -1, CLOSE] == pytest.approx(universes.values[:, -1, CLOSE], rel=1e-5)
    spread = [log_shapes(one)[:, :, CLOSE].std(axis=1) for one in (universes, found)]
    assert spread[1] == pytest.approx(2 * spread[0], rel=1e-4)
    assert scale_volatility(universes, 1.0).values == pytest.approx(universes.values, rel=1e-5)


def test_scaled_costs() -> None:
    """Every cost of trading and borrowing is multiplied; funding and the smallest trade are not."""
    costs = Costs(fees=0.001, slippage=0.002, fixed_fee=1, borrow_fee=0.02, funding=-0.01, min_trade=10)
    assert costs.scaled(3) == Costs(0.003, 0.006, 3, borrow_fee=0.06, funding=-0.01, min_trade=10)


def test_closed_bars_by_hand() -> None:
    """Two bars from each universe's bar on, as far as there are bars."""
    closed = closed_from([1, 3, NOWHERE], 2, 4)
    assert closed.T.tolist() == [[False, True, True, False], [False, False, False, True], [False] * 4]


def test_orders_wait_until_somebody_trades() -> None:
    """The last of the waiting orders fills at the first open that trades, unless a newer one comes with it."""
    nan = np.nan
    targets = np.array([[1.0, nan, 0.5, nan, nan], [nan, 1.0, nan, nan, 0.0]]).T
    closed = np.array([[True, True, True, False, False], [False, True, True, True, False]]).T
    expected = np.array([[nan, nan, nan, 0.5, nan], [nan, nan, nan, nan, 0.0]]).T
    assert np.array_equal(postponed_targets(targets, closed), expected, equal_nan=True)
    entries, exits = np.zeros((5, 1), dtype=bool), np.zeros((5, 1), dtype=bool)
    entries[1], exits[2] = True, True
    none = np.zeros((5, 1), dtype=bool)
    shut = np.array([[False, True, True, False, False]]).T
    assert postponed_rows((entries, exits, none, none), shut)[:, 0].tolist() == [-1, -1, -1, 2, -1]


@given(
    hnp.arrays(np.float64, (8, 3), elements=st.sampled_from([np.nan, 0.0, 0.5, 1.0])),
    hnp.arrays(np.bool_, (8, 3)),
)
def test_postponed_orders_reach_the_same_target(targets: np.ndarray, closed: np.ndarray) -> None:
    """At every open that trades, the target in force is the one that would be without closures; none fills before."""
    found = postponed_targets(targets, closed)
    assert np.isnan(found[closed]).all()
    wanted, reached = (pd.DataFrame(one).ffill().to_numpy() for one in (targets, found))
    assert np.array_equal(wanted[~closed], reached[~closed], equal_nan=True)


@pytest.mark.parametrize("function", [hold, follow, cross])
def test_nothing_fills_while_nobody_trades(universes: Universes, function) -> None:
    """On closed bars nothing is traded; before them all is as it was, after them positions are what they would be."""
    strategy, first = load_strategies(function, {})[0], np.arange(40) % 28 + 1
    closed = closed_from(first, 3, 30)
    waiting = DelayedOrders.of(strategy, closed, universes.ids)
    base, found = backtest(strategy, universes, FREE), backtest(waiting, universes, FREE, chunk=16)
    inside = closed.copy()
    inside[-1] = False  # what is open at the end is closed there all the same
    assert np.abs(found.traded[inside]).max() == 0
    before = np.arange(30)[:, None] < first
    assert found.traded[before] == pytest.approx(base.traded[before])
    reopened = ~closed & (np.arange(30)[:, None] >= first)
    assert np.sign(found.position[reopened]) == pytest.approx(np.sign(base.position[reopened]))


def test_a_worker_waits_too(universes: Universes) -> None:
    """Pickled and read again, a strategy from a file still knows which bars are closed."""
    strategy = load_strategies(str(Path(__file__).parents[2] / "strategies" / "buy_and_hold.py"), {})[0]
    closed = closed_from(np.ones(40, dtype=int), 3, 30)
    again = pickle.loads(pickle.dumps(DelayedOrders.of(strategy, closed, universes.ids)))
    assert isinstance(again, DelayedOrders)
    assert np.array_equal(again.closed, closed)
    assert (again.name, again.digest) == (strategy.name, strategy.digest)


def test_a_shock_runs_what_waits_only_where_bars_are_closed(universes: Universes) -> None:
    """The illiquid shock trades nothing for five bars after the first position; the others run the strategy itself."""
    strategy = load_strategies(follow, {})[0]
    base = backtest(strategy, universes, FREE)
    for name, shock in SHOCKS.items():
        runner = shock.runner(strategy, universes, base.position)
        assert (runner is strategy) == (name != "illiquid")
    found = backtest(SHOCKS["illiquid"].runner(strategy, universes, base.position), universes, FREE)
    closed = closed_from(worst_bar(base.position), 5, 30)[:-1]  # after the last bar all is closed
    assert np.abs(found.traded[:-1][closed]).max() == 0 < np.abs(base.traded[:-1][closed]).max()


def test_every_shock_leaves_bars_that_can_be_traded(universes: Universes) -> None:
    """Each row of the table gives valid universes of the same ids, and says what it changes."""
    base = backtest(load_strategies(follow, {})[0], universes, FREE)
    for name, shock in SHOCKS.items():
        found = shock.lay(universes, base.position, worst_bar(base.position))
        assert_valid(found.values)
        assert np.array_equal(found.ids, universes.ids)
        changed = not np.array_equal(found.values, universes.values)
        assert changed + (shock.costs != 1) + (shock.closed > 0) == 1, name


@pytest.mark.parametrize(
    ("size", "bar", "words"), [(-1.0, 0, "above 0"), (-0.1, 30, "not among the 30"), (0.1, -2, "30")]
)
def test_impossible_gaps_are_refused(universes: Universes, size: float, bar: int, words: str) -> None:
    """A price of zero, or a bar that is none."""
    with pytest.raises(InputError, match=words):
        gap(universes, size, bar)


def test_impossible_factors_are_refused(universes: Universes) -> None:
    """No factor of volatility or costs is below 0."""
    with pytest.raises(InputError, match="volatility x 0"):
        scale_volatility(universes, 0)
    with pytest.raises(InputError, match="costs x -1"):
        Costs().scaled(-1)


def test_shocks_hurt_as_they_are_named(nasdaq: Bars) -> None:
    """A wider gap loses more, costs three times as high cost, and every shock has its row."""
    rows = {row["name"]: row for row in shocks(bootstrap_case(nasdaq, trend))}
    assert list(rows) == list(SHOCKS)
    medians = [rows[name]["median_return"] for name in ("gap-5", "gap-10", "gap-20")]
    assert medians == sorted(medians, reverse=True)
    own = bootstrap_case(nasdaq, trend)
    base = float(own.measured(own.universes)["total_return"].median())
    assert rows["costs-3"]["median_return"] < base
    assert medians[0] == pytest.approx(base - 0.05, abs=0.02)
    spread = rows["volatility-2"]["expected_shortfall_97_5"]["value"]
    assert spread > rows["volatility-1.5"]["expected_shortfall_97_5"]["value"]


def test_illiquid_bars_leave_buy_and_hold_alone(nasdaq: Bars) -> None:
    """The shock of no liquidity changes what a strategy that trades often earns, and leaves buy and hold alone."""
    often = {row["name"]: row for row in shocks(bootstrap_case(nasdaq, trend))}["illiquid"]
    own = bootstrap_case(nasdaq, trend)
    assert often["median_return"] != float(own.measured(own.universes)["total_return"].median())
    still = bootstrap_case(nasdaq, hold)
    held = {row["name"]: row for row in shocks(still)}["illiquid"]
    assert held["median_return"] == float(still.measured(still.universes)["total_return"].median())
