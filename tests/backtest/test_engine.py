"""The engine against accounts worked out by hand, and against an event loop that does the obvious, bar by bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stresslab.backtest import Backtest, Costs, backtest, buy_and_hold
from stresslab.errors import DataError, InputError, StrategyError
from stresslab.statistics.measures import measures
from stresslab.strategy import Strategy, load_strategies
from stresslab.universes import REAL, Universes
from tests.market import make_bars

HISTORY = make_bars(60)
FREE = Costs(fees=0.0, slippage=0.0)
ROUNDING = 1e-9


def market(opens: Any, closes: Any) -> Universes:
    """Universes of these opens and closes, (T,) or (T, N), after `HISTORY`."""
    opens, closes = (np.asarray(prices, dtype=np.float64) for prices in (opens, closes))
    opens, closes = (prices.reshape(len(prices), -1).T for prices in (opens, closes))  # (N, T)
    highs, lows, ones = np.maximum(opens, closes), np.minimum(opens, closes), np.ones_like(opens)
    values = np.stack([opens, highs, lows, closes, ones, ones], axis=-1)
    timestamps = HISTORY.calendar.future(HISTORY.timestamps, values.shape[1])
    return Universes(values, timestamps, HISTORY, np.arange(len(values), dtype=np.int64))


def strategy(*decisions: Any) -> Strategy:
    """A strategy that decides what these arrays say, (W+T,) or (W+T, N): four or two of signals, or one of weights."""
    arrays = [np.asarray(array).reshape(len(array), -1) for array in decisions]

    def frames(bars: Any) -> list[pd.DataFrame]:
        return [pd.DataFrame(a[:, bars.ids], bars.timestamps, bars.ids) for a in arrays]

    def signals(bars: Any) -> tuple[pd.DataFrame, ...]:
        return tuple(frames(bars))

    def weights(bars: Any) -> pd.DataFrame:
        return frames(bars)[0]

    return load_strategies(signals if len(arrays) > 1 else weights, {})[0]


def rows(count: int, *up: int) -> NDArray[np.bool_]:
    """Flags that are up in these rows (count,)."""
    return np.isin(np.arange(count), up)


# --- Worked out by hand: one row of warm-up (row 0, the origin), init_cash 1,000 ---


OPENS, CLOSES = [100.0, 110.0, 120.0, 130.0], [105.0, 115.0, 125.0, 135.0]


def test_long_and_flat_by_hand() -> None:
    """Decided at a close, filled at the next open, paid for by 1% of fees both ways."""
    # In at 100: 1,000 / 1.01 / 100 = 9.900990 units. Decided to leave at the close of bar 1, out at the open of bar 2:
    # 9.900990 x 120 = 1,188.1188, less 1% = 1,176.2376.
    run = backtest(
        strategy(rows(5, 0), rows(5, 2)), market(OPENS, CLOSES), Costs(0.01, 0.0), init_cash=1000.0, warmup=1
    )
    units = 1000 / 1.01 / 100
    expected = [1000, units * 105, units * 115, units * 120 * 0.99, units * 120 * 0.99]
    np.testing.assert_allclose(run.equity[:, 0], expected, rtol=ROUNDING)
    np.testing.assert_allclose(run.position[:, 0], [1, 1, 0, 0], atol=ROUNDING)
    np.testing.assert_allclose(run.traded[:, 0], [1 / 1.01, 0, 1, 0], atol=ROUNDING)
    assert (run.trades[0], run.wins[0], run.ruined[0]) == (1, 1, False)
    np.testing.assert_allclose(run.gross_profit[0], expected[-1] - 1000, rtol=ROUNDING)
    assert run.gross_loss[0] == 0


def test_slippage_worsens_both_fills_by_hand() -> None:
    """With 1% of slippage one buys at 101 what opens at 100, and sells at 118.8 what opens at 120."""
    run = backtest(
        strategy(rows(5, 0), rows(5, 2)), market(OPENS, CLOSES), Costs(0.0, 0.01), init_cash=1000.0, warmup=1
    )
    np.testing.assert_allclose(run.equity[-1, 0], 1000 / 101 * 118.8, rtol=ROUNDING)


def test_reversal_by_hand() -> None:
    """A short entry against a long position reverses it at one open, and the last close ends the short."""
    # 10 units in at 100; at 110 equity is 1,100, so 10 units short; bought back at the last close, 90:
    # 1,100 + 10 x (110 - 90) = 1,300. Trades won 100 and 200.
    universe = market([100.0, 110.0, 100.0], [105.0, 105.0, 90.0])
    never = rows(4)
    run = backtest(strategy(rows(4, 0), never, rows(4, 1), never), universe, FREE, init_cash=1000.0, warmup=1)
    np.testing.assert_allclose(run.equity[:, 0], [1000, 1050, 1150, 1300], rtol=ROUNDING)
    np.testing.assert_allclose(run.position[:, 0], [1, -1, -1000 / 1200], rtol=ROUNDING)
    np.testing.assert_allclose(run.traded[:, 0], [1, 2, 900 / 1300], rtol=ROUNDING)
    assert (run.trades[0], run.wins[0]) == (2, 2)
    np.testing.assert_allclose(run.gross_profit[0], 300, rtol=ROUNDING)


def test_weights_by_hand() -> None:
    """A changed target is an order at the next open; an unchanged one and NaN let the position drift."""
    # Half of 1,000 at 100 is 5 units; they drift over bar 1. At 120, equity is 1,100; a quarter of it, 275, is 2.2917
    # units, so 2.7083 are sold with a gain of 20 each; the rest goes at 135 for 35 each.
    run = backtest(strategy([0.5, 0.5, 0.25, np.nan, 1.0]), market(OPENS, CLOSES), FREE, init_cash=1000.0, warmup=1)
    units = 275 / 120
    expected = [1000, 1025, 1075, 1100 + units * 5, 1100 + units * 15]
    np.testing.assert_allclose(run.equity[:, 0], expected, rtol=ROUNDING)
    np.testing.assert_allclose(run.position[:3, 0], [0.5, 550 / 1050, 0.25], rtol=ROUNDING)
    np.testing.assert_allclose(run.traded[:3, 0], [0.5, 0, (5 - units) * 120 / 1100], atol=ROUNDING)
    assert (run.trades[0], run.wins[0]) == (2, 2)
    np.testing.assert_allclose(run.gross_profit[0], (5 - units) * 20 + units * 35, rtol=ROUNDING)


def test_the_open_position_is_closed_at_the_last_close_with_costs() -> None:
    """The last equity, the last traded and the trades include the exit."""
    run = buy_and_hold(market(OPENS, CLOSES), Costs(0.01, 0.0), init_cash=1000.0)
    units = 1000 / 1.01 / 100
    np.testing.assert_allclose(run.equity[-1, 0], units * 135 * 0.99, rtol=ROUNDING)
    np.testing.assert_allclose(run.position[:, 0], 1, rtol=ROUNDING)
    np.testing.assert_allclose(run.traded[:, 0], [1 / 1.01, 0, 0, 1], atol=ROUNDING)
    assert run.trades[0] == 1


def test_entry_at_the_last_open_pays_both_ways() -> None:
    """In at the last open and out at its close: one trade, both fills counted in the last bar."""
    run = backtest(strategy(rows(5, 3), rows(5)), market(OPENS, CLOSES), Costs(0.01, 0.0), init_cash=1000.0, warmup=1)
    units = 1000 / 1.01 / 130
    np.testing.assert_allclose(run.equity[:, 0], [1000, 1000, 1000, 1000, units * 135 * 0.99], rtol=ROUNDING)
    np.testing.assert_allclose(run.traded[:, 0], [0, 0, 0, 1 / 1.01 + 1], atol=ROUNDING)
    assert run.trades[0] == 1


def test_a_decision_at_the_last_close_is_never_filled() -> None:
    """There is no open after the last bar."""
    run = backtest(strategy(rows(5, 4), rows(5)), market(OPENS, CLOSES), FREE, warmup=1)
    assert run.trades[0] == 0
    assert not run.position.any()
    np.testing.assert_array_equal(run.equity, 100_000.0)


# --- Conflicts ---


def test_entry_and_exit_in_one_row_say_nothing() -> None:
    """Neither opens a position nor closes one, on either side."""
    universe, every, never = market(OPENS, CLOSES), rows(5, 0, 1, 2, 3), rows(5)
    assert backtest(strategy(every, every), universe, FREE, warmup=1).trades[0] == 0
    assert backtest(strategy(never, never, every, every), universe, FREE, warmup=1).trades[0] == 0
    held = backtest(strategy(rows(5, 0, 2), rows(5, 2)), universe, FREE, warmup=1)
    np.testing.assert_allclose(held.position[:, 0], 1, rtol=ROUNDING)


def test_long_and_short_entry_in_one_row_say_nothing() -> None:
    """A position held stays and none is opened."""
    universe, never = market(OPENS, CLOSES), rows(5)
    assert backtest(strategy(rows(5, 1), never, rows(5, 1), never), universe, FREE, warmup=1).trades[0] == 0
    held = backtest(strategy(rows(5, 0, 2), never, rows(5, 2), never), universe, FREE, warmup=1)
    np.testing.assert_allclose(held.position[:, 0], 1, rtol=ROUNDING)


def test_an_entry_repeated_is_no_second_order() -> None:
    """A signal that stays up is one trade."""
    run = backtest(strategy(rows(5, 0, 1, 2, 3), rows(5)), market(OPENS, CLOSES), FREE, warmup=1)
    assert np.count_nonzero(run.traded[:-1, 0]) == 1
    assert run.trades[0] == 1


# --- The position at the origin: three rows of warm-up, row 2 is the origin ---


@pytest.mark.parametrize(
    ("entries", "exits", "carry", "flat"),
    [
        ((0,), (), [1, 1, 1, 1], [0, 0, 0, 0]),  # entered long ago and held
        ((0, 4), (), [1, 1, 1, 1], [0, 0, 1, 1]),  # entered again after the origin: new
        ((0,), (1,), [0, 0, 0, 0], [0, 0, 0, 0]),  # left before the origin
        ((0,), (2,), [0, 0, 0, 0], [0, 0, 0, 0]),  # left at the origin
        ((2,), (), [1, 1, 1, 1], [1, 1, 1, 1]),  # entered at the origin's close: new
        ((1, 2, 3, 4), (), [1, 1, 1, 1], [0, 0, 0, 0]),  # up without a break since before the origin: not new
        ((1, 2, 4), (3,), [1, 0, 1, 1], [0, 0, 1, 1]),  # up, down, and up again: new
        ((0,), (4,), [1, 1, 0, 0], [0, 0, 0, 0]),  # carried, then left
    ],
)
def test_signals_at_the_origin(entries: Any, exits: Any, carry: Any, flat: Any) -> None:
    """Carried positions open at the first open; flat waits for an entry that was not up before the origin."""
    for position, expected in (("carry", carry), ("flat", flat)):
        decided = strategy(rows(7, *entries), rows(7, *exits))
        run = backtest(decided, market(OPENS, CLOSES), FREE, warmup=3, position=position)
        np.testing.assert_allclose(run.position[:, 0], expected, atol=ROUNDING, err_msg=position)


@pytest.mark.parametrize(
    ("weights", "carry", "flat"),
    [
        ([1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]),  # never changes
        ([1, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan], [1, 1, 1, 1], [0, 0, 0, 0]),  # the last one in force
        ([0, 0, 1, 1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]),  # changed at the origin's close: new
        ([1, 1, 1, 1, 0, 1, 1], [1, 1, 0, 1], [0, 0, 0, 1]),  # changed later
        ([1, 0, np.nan, np.nan, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]),
        ([np.nan, np.nan, np.nan, 1, np.nan, 0, 1], [0, 1, 1, 0], [0, 1, 1, 0]),  # nothing decided before
    ],
)
def test_weights_at_the_origin(weights: Any, carry: Any, flat: Any) -> None:
    """Carried targets open at the first open; flat waits for a target that changes at the origin or later."""
    for position, expected in (("carry", carry), ("flat", flat)):
        run = backtest(strategy(weights), market(OPENS, CLOSES), FREE, warmup=3, position=position)
        np.testing.assert_allclose(run.position[:, 0], expected, atol=ROUNDING, err_msg=position)


def test_a_carried_short_is_opened_short() -> None:
    """What a short entry left in force, and a long exit did not end, is opened at the first open."""
    never = rows(7)
    run = backtest(strategy(rows(7, 0), rows(7, 2), rows(7, 1), never), market(OPENS, CLOSES), FREE, warmup=3)
    np.testing.assert_allclose(run.position[0, 0], -1, rtol=ROUNDING)


@pytest.mark.parametrize("position", ["carry", "flat"])
def test_without_warmup_the_first_open_fills_nothing(position: str) -> None:
    """No row precedes the first generated bar, so the first decision is its own close."""
    run = backtest(strategy(rows(4, 0), rows(4)), market(OPENS, CLOSES), FREE, warmup=0, position=position)
    np.testing.assert_allclose(run.position[:, 0], [0, 1, 1, 1], atol=ROUNDING)


# --- Ruin ---


def test_a_short_is_ruined_at_a_close_by_hand() -> None:
    """Short 10 at 100, worth 200 at the close: all is lost, and what comes later changes nothing."""
    never, universe = rows(5), market([100.0, 120.0, 150.0, 50.0], [120.0, 210.0, 50.0, 10.0])
    run = backtest(strategy(never, never, rows(5, 0), never), universe, FREE, init_cash=1000.0, warmup=1)
    np.testing.assert_allclose(run.equity[:, 0], [1000, 800, -100, -100, -100], rtol=ROUNDING)
    np.testing.assert_allclose(run.position[:, 0], [-1, -1.5, 0, 0], atol=ROUNDING)
    np.testing.assert_allclose(run.traded[:, 0], [1, 0, 0, 0], atol=ROUNDING)
    assert (run.trades[0], run.wins[0], run.ruined[0]) == (1, 0, True)
    np.testing.assert_allclose(run.gross_loss[0], 1100, rtol=ROUNDING)


def test_a_gap_ruins_at_the_open_by_hand() -> None:
    """At an open of 250 the account owes 500, whatever the close; the exit decided before comes too late."""
    never, universe = rows(5), market([100.0, 250.0, 100.0, 100.0], [120.0, 100.0, 100.0, 100.0])
    run = backtest(strategy(never, never, rows(5, 0), rows(5, 1)), universe, FREE, init_cash=1000.0, warmup=1)
    np.testing.assert_allclose(run.equity[:, 0], [1000, 800, -500, -500, -500], rtol=ROUNDING)
    np.testing.assert_allclose(run.position[:, 0], [-1, 0, 0, 0], atol=ROUNDING)
    assert (run.trades[0], run.wins[0], run.ruined[0]) == (1, 0, True)


def test_an_exit_that_costs_more_than_there_is_ruins() -> None:
    """Bought back for more than the cash, a short leaves debt and not a position that might yet recover."""
    never, universe = rows(4), market([100.0, 199.0, 100.0], [120.0, 150.0, 100.0])
    run = backtest(
        strategy(never, never, rows(4, 0), rows(4, 1)), universe, Costs(0.02, 0.0), init_cash=1000.0, warmup=1
    )
    assert run.ruined[0]
    assert run.equity[-1, 0] <= 0
    np.testing.assert_array_equal(run.equity[2:, 0], run.equity[-1, 0])


# --- What holds for any account ---


@dataclass
class Case:
    """Random universes and decisions about them."""

    universes: Universes = field(repr=False)
    warmup: int
    costs: Costs
    signals: list[NDArray[np.bool_]]
    weights: NDArray[np.float64]

    def strategies(self) -> list[Strategy]:
        """Long/flat, long/short and weights."""
        return [strategy(*self.signals[:2]), strategy(*self.signals), strategy(self.weights)]

    def run(
        self, one: Strategy, universes: Universes | None = None, costs: Costs | None = None, **how: Any
    ) -> Backtest:
        """The backtest of one strategy."""
        where, charged = universes or self.universes, costs or self.costs
        return backtest(one, where, charged, init_cash=1000.0, warmup=self.warmup, **how)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Quiet and wild prices, rare and frequent signals, no costs and high ones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps, count, warmup = draw(st.integers(1, 12)), draw(st.integers(1, 4)), draw(st.integers(0, 6))
    volatility, frequency = draw(st.sampled_from([0.01, 0.1, 0.5])), draw(st.sampled_from([0.05, 0.3, 0.7]))
    walk = 100 * np.exp(np.cumsum(volatility * rng.normal(size=(2 * steps, count)), axis=0))
    costs = Costs(*(draw(st.sampled_from([0.0, 0.0005, 0.02])) for _ in range(2)))
    rows = warmup + steps
    signals = [rng.random((rows, count)) < frequency for _ in range(4)]
    levels = rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], size=(rows, count))
    weights = np.where(rng.random((rows, count)) < 0.5, levels, rng.uniform(-1, 1, (rows, count)))
    weights[rng.random((rows, count)) > frequency] = np.nan
    return Case(market(walk[::2], walk[1::2]), warmup, costs, signals, weights)


def assert_same(one: Backtest, other: Backtest) -> None:
    """Two backtests are equal to the last bit."""
    for name in one.__dataclass_fields__:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


quick = settings(max_examples=25, deadline=None)


@quick
@given(cases())
def test_buy_and_hold_without_costs_is_the_price(case: Case) -> None:
    """Equity is the close over the first open, and the gain is one trade."""
    run, universes = buy_and_hold(case.universes, FREE, init_cash=1000.0), case.universes
    expected = 1000.0 * universes.close.to_numpy() / universes.open.to_numpy()[0]
    np.testing.assert_allclose(run.equity[1:], expected, rtol=ROUNDING)
    np.testing.assert_array_equal(run.trades, 1)
    np.testing.assert_allclose(run.position, 1.0, rtol=ROUNDING)


@quick
@given(cases())
def test_buy_and_hold_is_a_strategy_that_is_always_long(case: Case) -> None:
    """The benchmark and a strategy of the same decisions get the same accounts, as signals and as a weight."""
    long = np.ones((case.warmup + case.universes.horizon, len(case.universes)))
    if case.warmup == 0:
        return
    expected = buy_and_hold(case.universes, case.costs, init_cash=1000.0)
    for decided in (strategy(long == 1, long == 0), strategy(long)):
        assert_same(case.run(decided), expected)


@quick
@given(cases(), st.sampled_from(["carry", "flat"]))
def test_weights_of_zero_and_one_are_signals(case: Case, position: str) -> None:
    """Long/flat trades the same whichever way it is said."""
    long = case.signals[0]
    said = case.run(strategy(long, ~long), position=position)
    weighed = case.run(strategy(long.astype(np.float64)), position=position)
    np.testing.assert_allclose(weighed.equity, said.equity, rtol=ROUNDING)
    np.testing.assert_array_equal(weighed.trades, said.trades)


@quick
@given(cases())
def test_costs_only_lower_equity(case: Case) -> None:
    """A long/flat account that pays is nowhere above one that does not."""
    for decided in (strategy(*case.signals[:2]), strategy(case.signals[0].astype(np.float64))):
        paid, free = case.run(decided), case.run(decided, costs=FREE)
        assert (paid.equity <= free.equity * (1 + ROUNDING)).all()


@quick
@given(cases(), st.integers(1, 5))
def test_results_do_not_depend_on_the_chunk(case: Case, chunk: int) -> None:
    """However many universes are simulated at once, each account is the same to the last bit."""
    for decided in case.strategies():
        assert_same(case.run(decided), case.run(decided, chunk=chunk))


@quick
@given(cases(), st.integers(0, 11), st.floats(0.1, 10))
def test_later_prices_do_not_change_earlier_accounts(case: Case, bar: int, factor: float) -> None:
    """Equity up to a close and the position held over its bar know nothing of the bars that follow."""
    bar = min(bar, case.universes.horizon - 1)
    values = case.universes.values.copy()
    values[:, bar + 1 :] *= factor
    other = Universes(values, case.universes.timestamps, HISTORY, case.universes.ids)
    for decided in case.strategies():
        one, two = case.run(decided), case.run(decided, other)
        np.testing.assert_array_equal(one.equity[: bar + 1], two.equity[: bar + 1])
        np.testing.assert_array_equal(one.position[: bar + 1], two.position[: bar + 1])
        np.testing.assert_array_equal(one.traded[:bar], two.traded[:bar])


@quick
@given(cases(), st.sampled_from(["carry", "flat"]))
def test_profits_and_losses_are_the_change_of_equity(case: Case, position: str) -> None:
    """All that was won or lost was won or lost in closed trades, in ruined accounts too; and nothing is NaN."""
    for decided in case.strategies():
        run = case.run(decided, position=position)
        gain = run.equity[-1] - run.equity[0]
        np.testing.assert_allclose(run.gross_profit - run.gross_loss, gain, rtol=ROUNDING, atol=1e-6)
        assert (run.equity[-1][run.ruined] <= 0).all()
        assert (run.equity[:, ~run.ruined] > 0).all()
        assert (run.wins <= run.trades).all()
        assert (run.position <= 1 + ROUNDING).all()
        for name in ("equity", "position", "traded", "gross_profit", "gross_loss"):
            assert np.isfinite(getattr(run, name)).all(), name


def test_accounts_scale_with_the_cash() -> None:
    """Ten times the cash is ten times the equity, and the same shares and numbers of trades."""
    rng = np.random.default_rng(3)
    universe = market(*(100 * np.exp(0.02 * rng.normal(size=(30, 5))) for _ in range(2)))
    decided = strategy(rng.uniform(-1, 1, (35, 5)))
    one, ten = (backtest(decided, universe, Costs(), init_cash=cash, warmup=5) for cash in (1e4, 1e5))
    np.testing.assert_allclose(ten.equity, 10 * one.equity, rtol=ROUNDING)
    np.testing.assert_allclose(ten.position, one.position, rtol=ROUNDING)
    np.testing.assert_array_equal(ten.trades, one.trades)


def test_a_short_target_grows_with_its_profit() -> None:
    """A target of -1 ordered again after a gain sells more: the account owes as much as it owns."""
    # Short 10 at 100; at 50 equity is 1,500. After a bar at -0.5 (15 units), -1 is 30 units at 50.
    universe, targets = market([100.0, 50.0, 50.0, 50.0], [50.0, 50.0, 50.0, 50.0]), [-1.0, -0.5, -1.0, -1.0, -1.0]
    run = backtest(strategy(targets), universe, FREE, init_cash=1000.0, warmup=1)
    np.testing.assert_allclose(run.position[:, 0], [-1, -0.5, -1, -1], rtol=ROUNDING)


# --- One path for the real series, and for float32 ---


def test_the_real_series_runs_the_same_path() -> None:
    """One universe of real bars gives the account that it has among others."""
    real = Universes.from_bars(HISTORY[40:], HISTORY[:40])
    run = backtest(strategy(np.linspace(-1, 1, 30)), real, Costs(), warmup=10)
    assert list(run.ids) == [REAL]
    assert run.equity.shape == (21, 1)
    assert run.timestamps.equals(HISTORY.timestamps[40:])
    table = measures(run, 252.0, buy_and_hold(real, Costs()))
    assert table.shape[0] == 1
    assert table["excess_return"].notna().all()


def test_float32_universes_are_accounted_in_float64() -> None:
    """The generators' float32 is widened once, not computed with."""
    universe = market(OPENS, CLOSES)
    narrow = Universes(universe.values.astype(np.float32), universe.timestamps, HISTORY, universe.ids)
    run = buy_and_hold(narrow, Costs())
    assert run.equity.dtype == np.float64
    np.testing.assert_array_equal(run.equity, buy_and_hold(universe, Costs()).equity)


def test_ids_stay_in_their_columns() -> None:
    """Accounts come in the order of the universes, whatever their ids."""
    universe = market(np.array([[1.0, 1.0, 1.0]] * 2), np.array([[2.0, 3.0, 4.0]] * 2)).take([2, 0, 1])
    run = buy_and_hold(universe, FREE, init_cash=1.0)
    assert list(run.ids) == [2, 0, 1]
    np.testing.assert_allclose(run.equity[-1], [4, 2, 3], rtol=ROUNDING)


# --- What is refused ---


@pytest.mark.parametrize("price", [0.0, -1.0, np.nan, np.inf])
def test_a_price_nothing_can_be_bought_at_is_named(price: float) -> None:
    """Universe, field, value and time stand in one line, with the remedy."""
    universe = market(np.full((4, 3), 100.0), np.full((4, 3), 100.0))
    values = universe.values.copy()
    values[1, 2, 0] = price
    broken = Universes(values, universe.timestamps, HISTORY, universe.ids)
    text = (
        rf"^universe 1 has open={price} at {universe.timestamps[2]} \(1 of 3 universes .*\); prices must be .*: use .*$"
    )
    with pytest.raises(DataError, match=text):
        buy_and_hold(broken, FREE)
    with pytest.raises(DataError, match=text):
        backtest(strategy(rows(5, 0), rows(5)), broken, FREE, warmup=1)


def test_leverage_is_refused() -> None:
    """A weight beyond the equity is named with its universe and time, as accounts have no credit."""
    universe = market(OPENS, CLOSES)
    with pytest.raises(
        StrategyError, match=r"'weights' asks for a weight of -1.5 in universe 0, .*: scale or clip them"
    ):
        backtest(strategy([0.0, 1.0, -1.5, 0.0, 0.0]), universe, FREE, warmup=1)
    run = backtest(strategy([1 + 1e-12, 1.0, 1.0, 1.0, 9.0]), universe, FREE, warmup=1)  # the last is never filled
    np.testing.assert_allclose(run.position[:, 0], 1, rtol=ROUNDING)


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"position": "flt"}, r"^position='flt' is neither 'carry' nor 'flat'; did you mean 'flat'\?$"),
        ({"position": "long"}, r"^position='long' is neither .*; write 'carry' or 'flat'$"),
        ({"init_cash": 0.0}, r"^init_cash=0.0 is no amount to trade with; give"),
        ({"init_cash": np.nan}, r"^init_cash=nan is no amount to trade with; give"),
        ({"warmup": -1}, r"^warmup=-1 is less than no bars; give 0 or more$"),
        ({"chunk": 0}, r"^chunk=0 universes cannot be simulated at once; give 1 or more$"),
    ],
)
def test_settings_are_checked(setting: dict[str, Any], text: str) -> None:
    """The message is one line with the value, the rule and the remedy."""
    with pytest.raises(InputError, match=text):
        backtest(strategy(rows(5, 0), rows(5)), market(OPENS, CLOSES), FREE, **setting)


# --- The event loop: slow, obvious, and what the engine must equal ---


@dataclass
class Account:
    """One account, one order at a time."""

    cash: float
    costs: Costs
    units: float = 0.0
    cost_basis: float = 0.0  # average price of the units held
    entry_fees: float = 0.0  # paid for the units held
    profits: list[float] = field(default_factory=list)

    def value(self, price: float) -> float:
        """Equity where the units are worth this price."""
        return self.cash + self.units * price

    def trade(self, units: float, price: float) -> float:
        """Buy (or sell, where negative); returns the value traded."""
        fill = price * (1 + self.costs.slippage * np.sign(units))
        if units > 0:
            units = min(units, self.cash / (fill * (1 + self.costs.fees)))
        if abs(units) < 1e-12:
            return 0.0
        fees = abs(units) * fill * self.costs.fees
        self.cash -= units * fill + fees
        closing = min(abs(units), abs(self.units)) if units * self.units < 0 else 0.0
        if closing:
            share, side = closing / abs(self.units), np.sign(self.units)
            paid = self.entry_fees * share + fees * closing / abs(units)
            self.profits.append(side * closing * (fill - self.cost_basis) - paid)
            self.entry_fees *= 1 - share
        opening = abs(units) - closing
        if opening > 1e-12:
            kept = abs(self.units) - closing
            self.cost_basis = (kept * self.cost_basis + opening * fill) / (kept + opening)
            self.entry_fees += fees * opening / abs(units)
        self.units += units
        if abs(self.units) < 1e-12:
            self.units = 0.0
        return abs(units) * fill

    def all_in(self, side: int, price: float) -> float:
        """Reverse or open with the whole equity, or close where side is 0."""
        if side > 0:
            return self.trade(np.inf, price)
        value = self.trade(-self.units, price) if self.units * (side or self.units) < 0 or side == 0 else 0.0
        sold = self.cash / (price * (1 - self.costs.slippage) * (1 + self.costs.fees))
        return value + (self.trade(-sold, price) if side < 0 else 0.0)


def side_after(side: int, signals: tuple[bool, ...]) -> int:
    """The side that one row of signals leads to."""
    long_entry, long_exit, short_entry, short_exit = signals
    if long_entry and long_exit:
        long_entry = long_exit = False
    if short_entry and short_exit:
        short_entry = short_exit = False
    if long_entry and short_entry:
        long_entry = short_entry = False
    if long_entry:
        return 1
    if short_entry:
        return -1
    return 0 if (side > 0 and long_exit) or (side < 0 and short_exit) else side


@dataclass
class Outcome:
    """What `reference` found for one universe."""

    equity: list[float]
    position: list[float]
    traded: list[float]
    profits: list[float]
    ruined: bool


def reference(opens: Any, closes: Any, order: Callable[[Account, int, float], float], costs: Costs) -> Outcome:
    """One universe bar by bar; `order(account, bar, price)` fills what was decided before and returns its value."""
    account, done = Account(1000.0, costs), Outcome([1000.0], [], [], [], False)

    def ruined(price: float) -> bool:
        if account.value(price) <= 0:
            done.ruined = True
            if account.units:
                account.profits.append(account.value(price) - 1000.0 - sum(account.profits))
            account.cash, account.units = account.value(price), 0.0
        return done.ruined

    for bar, (first, last) in enumerate(zip(opens, closes, strict=True)):
        value, position = 0.0, 0.0
        if not ruined(first):
            before = account.value(first)
            value = order(account, bar, first) / before
            if not ruined(first):
                position = account.units * first / account.value(first)
                if not ruined(last) and bar == len(opens) - 1:
                    before = account.value(last)
                    value += account.all_in(0, last) / before
                    ruined(last)
        done.equity.append(account.value(last))
        done.position.append(position)
        done.traded.append(value)
    done.profits = account.profits
    return done


def by_signals(signals: list[NDArray[np.bool_]], warmup: int) -> Callable[[Account, int, float], float]:
    """Orders of four signals (W+T,) of one universe, position carried."""
    side = 0
    for row in range(warmup):
        side = side_after(side, tuple(flags[row] for flags in signals))

    def order(account: Account, bar: int, price: float) -> float:
        now = int(np.sign(account.units))
        row = warmup - 1 + bar
        then = side if bar == 0 else side_after(now, tuple(flags[row] for flags in signals))
        return account.all_in(then, price) if then != now else 0.0

    return order


def by_weights(weights: NDArray[np.float64], warmup: int) -> Callable[[Account, int, float], float]:
    """Orders of weights (W+T,) of one universe, position carried."""
    target = 0.0
    for row in range(warmup):
        target = target if np.isnan(weights[row]) else weights[row]

    def order(account: Account, bar: int, price: float) -> float:
        nonlocal target
        last = 0.0 if bar == 0 else target
        if bar and not np.isnan(weights[warmup - 1 + bar]):
            target = weights[warmup - 1 + bar]
        return account.trade(target * account.value(price) / price - account.units, price) if target != last else 0.0

    return order


def assert_equal(run: Backtest, expected: list[Outcome]) -> None:
    """Every array of a backtest equals what the event loop found."""
    for column, outcome in enumerate(expected):
        scale = max(1000.0, *np.abs(outcome.equity))
        for name in ("equity", "position", "traded"):
            actual = getattr(run, name)[:, column]
            np.testing.assert_allclose(actual, getattr(outcome, name), rtol=1e-9, atol=1e-9 * scale, err_msg=name)
        profits = np.array(outcome.profits)
        counted = profits[np.abs(profits) > 1e-7]  # the sign of a trade that made nothing is rounding
        assert run.trades[column] == len(profits)
        assert (counted > 0).sum() <= run.wins[column] <= (counted > 0).sum() + len(profits) - len(counted)
        np.testing.assert_allclose(run.gross_profit[column], profits[profits > 0].sum(), rtol=1e-9, atol=1e-9 * scale)
        np.testing.assert_allclose(run.gross_loss[column], -profits[profits <= 0].sum(), rtol=1e-9, atol=1e-9 * scale)
        assert run.ruined[column] == outcome.ruined


def check_against_the_event_loop(case: Case) -> None:
    """Long/flat, long/short and weights."""
    opens, closes = case.universes.open.to_numpy(), case.universes.close.to_numpy()
    never = np.zeros_like(case.signals[0])
    for signals in ([*case.signals[:2], never, never], case.signals):
        decided = strategy(*signals) if signals[2] is not never else strategy(*signals[:2])
        run = backtest(decided, case.universes, case.costs, init_cash=1000.0, warmup=case.warmup)
        columns = range(len(case.universes))
        orders = [by_signals([flags[:, column] for flags in signals], case.warmup) for column in columns]
        assert_equal(run, [reference(opens[:, c], closes[:, c], orders[c], case.costs) for c in columns])
    run = backtest(strategy(case.weights), case.universes, case.costs, init_cash=1000.0, warmup=case.warmup)
    orders = [by_weights(case.weights[:, column], case.warmup) for column in columns]
    assert_equal(run, [reference(opens[:, c], closes[:, c], orders[c], case.costs) for c in columns])


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_engine_equals_an_event_loop(case: Case) -> None:
    """Equity, positions, turnover, trades and ruin are those of the obvious loop, to rounding."""
    check_against_the_event_loop(case)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(cases())
def test_the_engine_equals_an_event_loop_in_many_cases(case: Case) -> None:
    """The same, a thousand times."""
    check_against_the_event_loop(case)
