"""The engine against accounts worked out by hand, and against an event loop that does the obvious, bar by bar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.backtest import Backtest, Costs, Terms, backtest, buy_and_hold
from stresslab.backtest.evaluate import measures
from stresslab.core.errors import DataError, InputError, StrategyError
from stresslab.data.universes import REAL, Universes
from tests.backtest.cases import CLOSES, FREE, HISTORY, OPENS, ROUNDING, Case, cases, market, rows, strategy
from tests.backtest.reference import assert_equal, outcomes

# --- Worked out by hand: one row of warm-up (row 0, the origin), init_cash 1,000 ---


def test_long_and_flat_by_hand() -> None:
    """Decided at a close, filled at the next open, paid for by 1% of fees both ways."""
    # In at 100: 1,000 / 1.01 / 100 = 9.900990 units. Decided to leave at the close of bar 1, out at the open of bar 2:
    # 9.900990 x 120 = 1,188.1188, less 1% = 1,176.2376.
    run = backtest(
        strategy(rows(5, 0), rows(5, 2)), market(OPENS, CLOSES), Terms(Costs(0.01, 0.0), init_cash=1000.0, warmup=1)
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
        strategy(rows(5, 0), rows(5, 2)), market(OPENS, CLOSES), Terms(Costs(0.0, 0.01), init_cash=1000.0, warmup=1)
    )
    np.testing.assert_allclose(run.equity[-1, 0], 1000 / 101 * 118.8, rtol=ROUNDING)


def test_reversal_by_hand() -> None:
    """A short entry against a long position reverses it at one open, and the last close ends the short."""
    # 10 units in at 100; at 110 equity is 1,100, so 10 units short; bought back at the last close, 90:
    # 1,100 + 10 x (110 - 90) = 1,300. Trades won 100 and 200.
    universe = market([100.0, 110.0, 100.0], [105.0, 105.0, 90.0])
    never = rows(4)
    run = backtest(strategy(rows(4, 0), never, rows(4, 1), never), universe, Terms(FREE, init_cash=1000.0, warmup=1))
    np.testing.assert_allclose(run.equity[:, 0], [1000, 1050, 1150, 1300], rtol=ROUNDING)
    np.testing.assert_allclose(run.position[:, 0], [1, -1, -1000 / 1200], rtol=ROUNDING)
    np.testing.assert_allclose(run.traded[:, 0], [1, 2, 900 / 1300], rtol=ROUNDING)
    assert (run.trades[0], run.wins[0]) == (2, 2)
    np.testing.assert_allclose(run.gross_profit[0], 300, rtol=ROUNDING)


def test_weights_by_hand() -> None:
    """A changed target is an order at the next open; an unchanged one and NaN let the position drift."""
    # Half of 1,000 at 100 is 5 units; they drift over bar 1. At 120, equity is 1,100; a quarter of it, 275, is 2.2917
    # units, so 2.7083 are sold with a gain of 20 each; the rest goes at 135 for 35 each.
    run = backtest(
        strategy([0.5, 0.5, 0.25, np.nan, 1.0]), market(OPENS, CLOSES), Terms(FREE, init_cash=1000.0, warmup=1)
    )
    units = 275 / 120
    expected = [1000, 1025, 1075, 1100 + units * 5, 1100 + units * 15]
    np.testing.assert_allclose(run.equity[:, 0], expected, rtol=ROUNDING)
    np.testing.assert_allclose(run.position[:3, 0], [0.5, 550 / 1050, 0.25], rtol=ROUNDING)
    np.testing.assert_allclose(run.traded[:3, 0], [0.5, 0, (5 - units) * 120 / 1100], atol=ROUNDING)
    assert (run.trades[0], run.wins[0]) == (2, 2)
    np.testing.assert_allclose(run.gross_profit[0], (5 - units) * 20 + units * 35, rtol=ROUNDING)


def test_the_open_position_is_closed_at_the_last_close_with_costs() -> None:
    """The last equity, the last traded and the trades include the exit."""
    run = buy_and_hold(market(OPENS, CLOSES), Terms(Costs(0.01, 0.0), init_cash=1000.0))
    units = 1000 / 1.01 / 100
    np.testing.assert_allclose(run.equity[-1, 0], units * 135 * 0.99, rtol=ROUNDING)
    np.testing.assert_allclose(run.position[:, 0], 1, rtol=ROUNDING)
    np.testing.assert_allclose(run.traded[:, 0], [1 / 1.01, 0, 0, 1], atol=ROUNDING)
    assert run.trades[0] == 1


def test_entry_at_the_last_open_pays_both_ways() -> None:
    """In at the last open and out at its close: one trade, both fills counted in the last bar."""
    run = backtest(
        strategy(rows(5, 3), rows(5)), market(OPENS, CLOSES), Terms(Costs(0.01, 0.0), init_cash=1000.0, warmup=1)
    )
    units = 1000 / 1.01 / 130
    np.testing.assert_allclose(run.equity[:, 0], [1000, 1000, 1000, 1000, units * 135 * 0.99], rtol=ROUNDING)
    np.testing.assert_allclose(run.traded[:, 0], [0, 0, 0, 1 / 1.01 + 1], atol=ROUNDING)
    assert run.trades[0] == 1


def test_a_decision_at_the_last_close_is_never_filled() -> None:
    """There is no open after the last bar."""
    run = backtest(strategy(rows(5, 4), rows(5)), market(OPENS, CLOSES), Terms(FREE, warmup=1))
    assert run.trades[0] == 0
    assert not run.position.any()
    np.testing.assert_array_equal(run.equity, 100_000.0)


# --- Ruin ---


def test_a_short_is_ruined_at_a_close_by_hand() -> None:
    """Short 10 at 100, worth 200 at the close: all is lost, and what comes later changes nothing."""
    never, universe = rows(5), market([100.0, 120.0, 150.0, 50.0], [120.0, 210.0, 50.0, 10.0])
    run = backtest(strategy(never, never, rows(5, 0), never), universe, Terms(FREE, init_cash=1000.0, warmup=1))
    np.testing.assert_allclose(run.equity[:, 0], [1000, 800, -100, -100, -100], rtol=ROUNDING)
    np.testing.assert_allclose(run.position[:, 0], [-1, -1.5, 0, 0], atol=ROUNDING)
    np.testing.assert_allclose(run.traded[:, 0], [1, 0, 0, 0], atol=ROUNDING)
    assert (run.trades[0], run.wins[0], run.ruined[0]) == (1, 0, True)
    np.testing.assert_allclose(run.gross_loss[0], 1100, rtol=ROUNDING)


def test_a_gap_ruins_at_the_open_by_hand() -> None:
    """At an open of 250 the account owes 500, whatever the close; the exit decided before comes too late."""
    never, universe = rows(5), market([100.0, 250.0, 100.0, 100.0], [120.0, 100.0, 100.0, 100.0])
    run = backtest(strategy(never, never, rows(5, 0), rows(5, 1)), universe, Terms(FREE, init_cash=1000.0, warmup=1))
    np.testing.assert_allclose(run.equity[:, 0], [1000, 800, -500, -500, -500], rtol=ROUNDING)
    np.testing.assert_allclose(run.position[:, 0], [-1, 0, 0, 0], atol=ROUNDING)
    assert (run.trades[0], run.wins[0], run.ruined[0]) == (1, 0, True)


def test_an_exit_that_costs_more_than_there_is_ruins() -> None:
    """Bought back for more than the cash, a short leaves debt and not a position that might yet recover."""
    never, universe = rows(4), market([100.0, 199.0, 100.0], [120.0, 150.0, 100.0])
    run = backtest(
        strategy(never, never, rows(4, 0), rows(4, 1)), universe, Terms(Costs(0.02, 0.0), init_cash=1000.0, warmup=1)
    )
    assert run.ruined[0]
    assert run.equity[-1, 0] <= 0
    np.testing.assert_array_equal(run.equity[2:, 0], run.equity[-1, 0])


# --- What holds for any account ---


def assert_same(one: Backtest, other: Backtest) -> None:
    """Two backtests are equal to the last bit."""
    for name in one.__dataclass_fields__:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


quick = settings(max_examples=25, deadline=None)


@quick
@given(cases())
def test_buy_and_hold_without_costs_is_the_price(case: Case) -> None:
    """Equity is the close over the first open, and the gain is one trade."""
    run, universes = buy_and_hold(case.universes, Terms(FREE, init_cash=1000.0)), case.universes
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
    expected = buy_and_hold(case.universes, case.terms)
    for decided in (strategy(long == 1, long == 0), strategy(long)):
        assert_same(case.run(decided), expected)


@quick
@given(cases(), st.sampled_from(["carry", "flat"]))
def test_weights_of_zero_and_one_are_signals(case: Case, position: str) -> None:
    """Long/flat trades the same whichever way it is said."""
    long = case.signals[0]
    said = case.run(strategy(long, ~long), terms=replace(case.terms, position=position))
    weighed = case.run(strategy(long.astype(np.float64)), terms=replace(case.terms, position=position))
    np.testing.assert_allclose(weighed.equity, said.equity, rtol=ROUNDING)
    np.testing.assert_array_equal(weighed.trades, said.trades)


@quick
@given(cases())
def test_costs_only_lower_equity(case: Case) -> None:
    """A long/flat account that pays is nowhere above one that does not."""
    for decided in (strategy(*case.signals[:2]), strategy(case.signals[0].astype(np.float64))):
        paid, free = case.run(decided), case.run(decided, terms=replace(case.terms, costs=FREE))
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
        for name, count in (
            ("equity", bar + 1),
            ("position", bar + 1),
            ("traded", bar),
        ):  # but for who fills, a rounding
            np.testing.assert_allclose(getattr(one, name)[:count], getattr(two, name)[:count], rtol=1e-9, atol=1e-12)


@quick
@given(cases(), st.sampled_from(["carry", "flat"]))
def test_profits_and_losses_are_the_change_of_equity(case: Case, position: str) -> None:
    """All that was won or lost was won or lost in closed trades, in ruined accounts too; and nothing is NaN."""
    for decided in case.strategies():
        run = case.run(decided, terms=replace(case.terms, position=position))
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
    one, ten = (backtest(decided, universe, Terms(Costs(), init_cash=cash, warmup=5)) for cash in (1e4, 1e5))
    np.testing.assert_allclose(ten.equity, 10 * one.equity, rtol=ROUNDING)
    np.testing.assert_allclose(ten.position, one.position, rtol=ROUNDING)
    np.testing.assert_array_equal(ten.trades, one.trades)


def test_a_short_target_grows_with_its_profit() -> None:
    """A target of -1 ordered again after a gain sells more: the account owes as much as it owns."""
    # Short 10 at 100; at 50 equity is 1,500. After a bar at -0.5 (15 units), -1 is 30 units at 50.
    universe, targets = market([100.0, 50.0, 50.0, 50.0], [50.0, 50.0, 50.0, 50.0]), [-1.0, -0.5, -1.0, -1.0, -1.0]
    run = backtest(strategy(targets), universe, Terms(FREE, init_cash=1000.0, warmup=1))
    np.testing.assert_allclose(run.position[:, 0], [-1, -0.5, -1, -1], rtol=ROUNDING)


# --- One path for the real series, and for float32 ---


def test_the_real_series_runs_the_same_path() -> None:
    """One universe of real bars gives the account that it has among others."""
    real = Universes.from_bars(HISTORY[40:], HISTORY[:40])
    run = backtest(strategy(np.linspace(-1, 1, 30)), real, Terms(Costs(), warmup=10))
    assert list(run.ids) == [REAL]
    assert run.equity.shape == (21, 1)
    assert run.timestamps.equals(HISTORY.timestamps[40:])
    table = measures(run, 252.0, buy_and_hold(real))
    assert table.shape[0] == 1
    assert table["excess_return"].notna().all()


def test_float32_universes_are_accounted_in_float64() -> None:
    """The generators' float32 is widened once, not computed with."""
    universe = market(OPENS, CLOSES)
    narrow = Universes(universe.values.astype(np.float32), universe.timestamps, HISTORY, universe.ids)
    run = buy_and_hold(narrow)
    assert run.equity.dtype == np.float64
    np.testing.assert_array_equal(run.equity, buy_and_hold(universe).equity)


def test_ids_stay_in_their_columns() -> None:
    """Accounts come in the order of the universes, whatever their ids."""
    universe = market(np.array([[1.0, 1.0, 1.0]] * 2), np.array([[2.0, 3.0, 4.0]] * 2)).take([2, 0, 1])
    run = buy_and_hold(universe, Terms(FREE, init_cash=1.0))
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
        buy_and_hold(broken)
    with pytest.raises(DataError, match=text):
        backtest(strategy(rows(5, 0), rows(5)), broken, Terms(FREE, warmup=1))


def test_leverage_is_refused() -> None:
    """A weight beyond the equity is named with its universe and time, as accounts have no credit."""
    universe = market(OPENS, CLOSES)
    with pytest.raises(
        StrategyError, match=r"'weights' asks for a weight of -1.5 in universe 0, .*: scale or clip them"
    ):
        backtest(strategy([0.0, 1.0, -1.5, 0.0, 0.0]), universe, Terms(FREE, warmup=1))
    run = backtest(
        strategy([1 + 1e-12, 1.0, 1.0, 1.0, 9.0]), universe, Terms(FREE, warmup=1)
    )  # the last is never filled
    np.testing.assert_allclose(run.position[:, 0], 1, rtol=ROUNDING)


def test_no_universes_at_once_are_refused() -> None:
    """A chunk holds one universe at least."""
    with pytest.raises(InputError, match=r"^chunk=0 universes cannot be simulated at once; give 1 or more$"):
        backtest(strategy(rows(5, 0), rows(5)), market(OPENS, CLOSES), Terms(FREE, warmup=1), chunk=0)


# --- The event loop: slow, obvious, and what the engine must equal ---


def check_against_the_event_loop(case: Case) -> None:
    """Long/flat, long/short and weights."""
    never = np.zeros_like(case.signals[0])
    for signals in ([*case.signals[:2], never, never], case.signals):
        decided = strategy(*signals) if signals[2] is not never else strategy(*signals[:2])
        assert_equal(case.run(decided), outcomes(case.universes, signals, case.terms))
    assert_equal(case.run(strategy(case.weights)), outcomes(case.universes, [case.weights], case.terms))


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_engine_equals_an_event_loop(case: Case) -> None:
    """Equity, positions, turnover, trades and ruin are those of the obvious loop, to rounding."""
    check_against_the_event_loop(case)


@settings(max_examples=200, deadline=None)
@given(cases(plain=False))
def test_the_engine_equals_an_event_loop_on_any_terms(case: Case) -> None:
    """The same with every cost, sizing, stop, credit and interest, alone and together."""
    check_against_the_event_loop(case)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(cases())
def test_the_engine_equals_an_event_loop_in_many_cases(case: Case) -> None:
    """The same, a thousand times."""
    check_against_the_event_loop(case)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None)
@given(cases(plain=False))
def test_the_engine_equals_an_event_loop_on_any_terms_in_many_cases(case: Case) -> None:
    """The same, three thousand times."""
    check_against_the_event_loop(case)


# --- What is counted ---


def test_fills_where_nobody_traded_are_counted() -> None:
    """Flat bars without volume in which an order fills."""
    universes = market([100.0] * 6, [100.0] * 6)
    values = universes.values.copy()
    values[:, 2:4, 4:] = 0.0
    silent = Universes(values, universes.timestamps, HISTORY, universes.ids)
    decided = strategy(rows(7, 2), rows(7, 4))
    assert backtest(decided, silent, Terms(FREE, init_cash=1000.0, warmup=1)).untraded.tolist() == [1]
    assert backtest(decided, universes, Terms(FREE, init_cash=1000.0, warmup=1)).untraded.tolist() == [0]
