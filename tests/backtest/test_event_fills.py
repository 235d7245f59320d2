"""Accounts on all other terms: worked out by hand, equal to vectorbt where it has the same terms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stresslab.backtest import Backtest, Costs, Sizing, Stops, Terms, backtest, buy_and_hold
from stresslab.backtest.engine import WINDOW, recent_volatility
from stresslab.backtest.event_fills import Conditions, walk
from stresslab.backtest.orders import Signals, orders_of
from stresslab.backtest.vectorbt_fills import fill
from stresslab.core.errors import InputError, StrategyError
from stresslab.data.bars import CLOSE, FIELDS
from stresslab.data.universes import Universes
from stresslab.strategy.panel import Panel
from tests.backtest.cases import FREE, HISTORY, ROUNDING, Case, cases, market, rows, strategy

FLAT = [100.0] * 4
YEAR = HISTORY.periods_per_year


def held(terms: Terms, universes: Universes, long: bool = True, exit_row: int | None = None) -> Backtest:
    """A position opened at the first open, and left where a row says so."""
    count = universes.horizon + 1
    never, entry = rows(count), rows(count, 0)
    leave = never if exit_row is None else rows(count, exit_row)
    decided = strategy(entry, leave) if long else strategy(never, never, entry, leave)
    return backtest(decided, universes, terms)


def on(costs: Costs = FREE, **terms: Any) -> Terms:
    """Terms of an account of 1,000 with one bar of warm-up."""
    return Terms(costs, init_cash=1000.0, warmup=1, **terms)


# --- Costs ---


def test_a_fixed_fee_is_paid_per_order() -> None:
    """An entry buys with what the fee leaves; the exit pays another, and a reversal pays one."""
    run = held(on(Costs(0.0, 0.0, fixed_fee=10.0)), market(FLAT, FLAT))
    np.testing.assert_allclose(run.equity[:, 0], [1000, 990, 990, 990, 980], rtol=ROUNDING)
    never = rows(5)
    turned = backtest(
        strategy(rows(5, 0), never, rows(5, 1), never), market(FLAT, FLAT), on(Costs(0.0, 0.0, fixed_fee=10.0))
    )
    np.testing.assert_allclose(turned.equity[:, 0], [1000, 990, 980, 980, 970], rtol=ROUNDING)
    assert turned.trades[0] == 2


def test_a_fee_beyond_the_proceeds_still_closes() -> None:
    """A position that is worth less than the fee is sold all the same, and the account owes the rest."""
    run = held(on(Costs(0.0, 0.0, fixed_fee=400.0)), market([100, 10, 10], [50, 10, 10]), exit_row=1)
    np.testing.assert_allclose(run.equity[:, 0], [1000, 300, -340, -340], rtol=ROUNDING)
    assert run.ruined[0]


def test_a_short_is_bought_back_whole_whatever_it_costs() -> None:
    """A target of 0 covers all of it for more than the cash there is; the account is ruined and owes the rest."""
    universe = market([100.0, 196.0, 100.0], [120.0, 150.0, 100.0])
    run = backtest(strategy([-1.0, 0.0, 0.0, 0.0]), universe, on(Costs(0.02, 0.0, min_trade=1.0)))
    owed = 1000 + 1000 - 20 - 1960 * 1.02
    np.testing.assert_allclose(run.equity[:, 0], [1000, 780, owed, owed], rtol=ROUNDING)
    assert run.ruined[0]
    assert run.trades[0] == 1


def test_small_orders_are_skipped_unless_they_close() -> None:
    """An order below the least value is not filled; the exit of a position that has shrunk below it is."""
    terms = on(Costs(0.0, 0.0, min_trade=200.0))
    run = backtest(strategy([0.5, 0.6, 0.9, 0.0, 0.0]), market(FLAT, FLAT), terms)
    np.testing.assert_allclose(run.position[:, 0], [0.5, 0.5, 0.9, 0.0], rtol=ROUNDING)
    run = backtest(strategy([0.25, 0.25, 0.0, 0.0, 0.0]), market([100, 50, 50, 50], [100, 50, 50, 50]), terms)
    np.testing.assert_allclose(run.position[:, 0], [0.25, 125 / 875, 0, 0], rtol=ROUNDING)


def test_borrowing_is_paid_by_shorts_alone() -> None:
    """A bar's share of the year on the short value at each close, the last one included; a long position pays none."""
    terms = on(Costs(0.0, 0.0, borrow_fee=0.01 * YEAR))
    closes = [100.0, 50.0, 100.0]
    short = held(terms, market([100.0] * 3, closes), long=False)
    np.testing.assert_allclose(short.equity[:, 0], [1000, 990, 1500 - 15, 1000 - 25], rtol=ROUNDING)
    np.testing.assert_allclose(short.gross_loss[0], 25, rtol=ROUNDING)
    long = held(terms, market([100.0] * 3, closes))
    np.testing.assert_allclose(long.equity[:, 0], [1000, 1000, 500, 1000], rtol=ROUNDING)


@pytest.mark.parametrize(("rate", "long", "sign"), [(0.01, True, -1), (0.01, False, 1), (-0.01, True, 1)])
def test_funding_goes_from_longs_to_shorts(rate: float, long: bool, sign: int) -> None:
    """A positive rate is paid by who is long and received by who is short; a negative one the other way round."""
    run = held(on(Costs(0.0, 0.0, funding=rate * YEAR)), market(FLAT, FLAT), long)
    np.testing.assert_allclose(run.equity[:, 0], 1000 + sign * 10 * np.arange(5), rtol=ROUNDING)
    assert run.wins[0] == (sign > 0)


def test_a_position_left_inside_the_bar_pays_nothing_for_it() -> None:
    """What is held at no close costs nothing to hold."""
    terms = on(Costs(0.0, 0.0, borrow_fee=0.01 * YEAR), stops=Stops(stop_loss=0.1))
    run = held(terms, market([100.0] * 3, [100.0] * 3, [120.0] * 3, [100.0] * 3), long=False)
    np.testing.assert_allclose(run.equity[:, 0], [1000, 900, 900, 900], rtol=ROUNDING)


def test_slippage_follows_recent_volatility() -> None:
    """The buyer pays a multiple of the standard deviation of the last 20 returns up to the close of the decision."""
    universe = market([100.0, 100.0], [100.0, 100.0])
    run = held(on(Costs(0.0, 0.01, slippage_volatility=0.5)), universe)
    history = HISTORY.values[:, CLOSE]
    first, second = (
        np.std(known[1:] / known[:-1] - 1, ddof=1)
        for known in (history[-WINDOW - 1 :], np.append(history[-WINDOW:], 100.0))
    )
    bought, sold = 100 * (1.01 + 0.5 * first), 100 * (0.99 - 0.5 * second)
    np.testing.assert_allclose(run.equity[-1, 0], 1000 / bought * sold, rtol=ROUNDING)


def test_slippage_of_a_whole_price_is_refused() -> None:
    """What a wild bar makes of a large multiple is named with its place."""
    closes = np.array([100.0, 1.0, 100.0, 1.0, 100.0])
    with pytest.raises(InputError, match=r"^slippage_volatility makes a slippage of .* in universe 0, .*; lower `sli"):
        held(on(Costs(slippage_volatility=1.0)), market(closes, closes))


def test_recent_volatility_knows_no_bar_that_fills() -> None:
    """Row t is the deviation of the returns before bar t; without two returns there is none."""
    rng = np.random.default_rng(0)
    closes = 100 * np.exp(np.cumsum(0.02 * rng.normal(size=(40, 3)), axis=0))
    found = recent_volatility(np.array([]), closes)
    assert np.isnan(found[:3]).all()
    returns = closes[1:] / closes[:-1] - 1
    np.testing.assert_allclose(found[3], returns[:2].std(axis=0, ddof=1), rtol=ROUNDING)
    np.testing.assert_allclose(found[30], returns[9:29].std(axis=0, ddof=1), rtol=ROUNDING)
    changed = closes.copy()
    changed[30:] *= 2
    np.testing.assert_array_equal(recent_volatility(np.array([]), changed)[:31], found[:31])


# --- Sizing and credit ---


def test_a_fraction_of_the_equity() -> None:
    """Half of the equity is bought, costs included; the rest lies idle."""
    run = held(on(Costs(0.01, 0.0), sizing=Sizing(fraction=0.5)), market(FLAT, [100, 200, 200, 200]), exit_row=2)
    units = 500 / 1.01 / 100
    np.testing.assert_allclose(
        run.equity[:, 0], [1000, 500 + units * 100, *[500 + units * 200] * 1, *[500 + units * 99] * 2]
    )


def test_fixed_cash_per_trade_as_far_as_it_reaches() -> None:
    """300 for each trade, and all of the equity once it is less."""
    closes = [100.0, 20.0, 20.0, 20.0]
    run = held(on(sizing=Sizing(cash=300.0)), market([100.0, 20.0, 20.0, 20.0], closes))
    np.testing.assert_allclose(run.position[0, 0], 0.3, rtol=ROUNDING)
    np.testing.assert_allclose(run.equity[-1, 0], 700 + 60, rtol=ROUNDING)
    assert held(on(sizing=Sizing(cash=5000.0)), market(FLAT, FLAT)).position[0, 0] == pytest.approx(1)
    levered = held(on(sizing=Sizing(cash=5000.0), max_leverage=3.0), market(FLAT, FLAT))
    assert levered.position[0, 0] == pytest.approx(3)


def test_a_volatility_target_sizes_by_what_was_known() -> None:
    """The position's yearly volatility is the target's at the entry; the cap is the credit."""
    history = HISTORY.values[:, CLOSE]
    recent = np.std(history[-WINDOW:] / history[-WINDOW - 1 : -1] - 1, ddof=1) * np.sqrt(YEAR)
    for target, most in ((0.5 * recent, 1.0), (2.0 * recent, 1.0), (2.0 * recent, 5.0)):
        run = held(on(sizing=Sizing(volatility=float(target)), max_leverage=most), market(FLAT, FLAT))
        np.testing.assert_allclose(run.position[0, 0], min(target / recent, most), rtol=ROUNDING)


def test_weights_are_multiples_of_a_full_position() -> None:
    """With half the equity as a full position, a weight of one half is a quarter."""
    run = backtest(strategy([0.5] * 5), market(FLAT, FLAT), on(sizing=Sizing(fraction=0.5)))
    np.testing.assert_allclose(run.position[:, 0], 0.25, rtol=ROUNDING)


def test_leverage_gains_and_loses_twice() -> None:
    """A weight of 2 buys on credit; what is owed costs interest at the risk-free rate."""
    universe = market([100.0, 100.0], [110.0, 110.0])
    run = backtest(strategy([2.0] * 3), universe, on(max_leverage=2.0))
    np.testing.assert_allclose(run.equity[:, 0], [1000, 1200, 1200], rtol=ROUNDING)
    charged = backtest(strategy([2.0] * 3), universe, on(max_leverage=2.0, risk_free=0.5))
    np.testing.assert_allclose(charged.equity[1, 0], 1200 - 1000 * 0.5 / YEAR, rtol=ROUNDING)
    assert charged.interest[0] < 0
    with pytest.raises(StrategyError, match=r"weight of 2 in .* credit up to 1.5 times .* \[-1.5, 1.5\]: .*`max_lev"):
        backtest(strategy([2.0] * 3), universe, on(max_leverage=1.5))
    with pytest.raises(StrategyError, match=r"accounts have no credit, so weights lie in \[-1, 1\]"):
        backtest(strategy([2.0] * 3), universe, on())


def test_ruin_on_credit_is_final() -> None:
    """Three times long into a fall of half: all is lost, money is owed, and neither interest nor recovery follows."""
    universe = market([100.0, 40.0, 100.0], [50.0, 100.0, 100.0])
    run = backtest(strategy([3.0] * 4), universe, on(max_leverage=3.0, risk_free=0.5))
    owed = -500 - 2000 * 0.5 / YEAR
    np.testing.assert_allclose(run.equity[:, 0], [1000, owed, owed, owed], rtol=ROUNDING)
    assert run.ruined[0]
    assert run.trades[0] == 1


def test_cash_earns_interest() -> None:
    """An account that never trades grows by a bar's share at each close."""
    run = backtest(strategy(rows(5), rows(5)), market(FLAT, FLAT), on(risk_free=0.1))
    np.testing.assert_allclose(run.equity[:, 0], 1000 * (1 + 0.1 / YEAR) ** np.arange(5), rtol=ROUNDING)
    np.testing.assert_allclose(run.interest[0], run.equity[-1, 0] - 1000, rtol=ROUNDING)
    assert run.trades[0] == 0


def test_buy_and_hold_takes_the_costs_alone() -> None:
    """The benchmark is all-in, without credit and stops, whatever the strategy has."""
    terms = on(Costs(0.0, 0.0, funding=0.01 * YEAR), sizing=Sizing(fraction=0.1), stops=Stops(stop_loss=0.01))
    run = buy_and_hold(market(FLAT, FLAT, [101.0] * 4, [90.0] * 4), terms)
    np.testing.assert_allclose(run.equity[:, 0], [1000, 990, 980, 970, 960], rtol=ROUNDING)


# --- Stops: entry at the open of bar 0, at 100 ---


@pytest.mark.parametrize(
    ("stops", "bars", "long", "left"),
    [
        ({"stop_loss": 0.1}, [(100, 105, 89, 95)], True, 90),
        ({"stop_loss": 0.1}, [(100, 105, 91, 95), (85, 99, 80, 95)], True, 85),  # a gap through it
        ({"stop_loss": 0.1}, [(100, 105, 90, 95)], True, 90),  # touched
        ({"stop_loss": 0.1}, [(100, 111, 95, 95)], False, 110),
        ({"stop_loss": 0.1}, [(100, 105, 95, 95), (120, 125, 105, 110)], False, 120),
        ({"take_profit": 0.1}, [(100, 112, 99, 100)], True, 110),
        ({"take_profit": 0.1}, [(100, 105, 99, 100), (115, 116, 90, 95)], True, 115),  # a gap in one's favour
        ({"take_profit": 0.1}, [(100, 105, 88, 100)], False, 90),
        ({"stop_loss": 0.1, "take_profit": 0.1}, [(100, 120, 80, 100)], True, 90),  # both: the stop
        ({"stop_loss": 0.1, "take_profit": 0.1}, [(100, 120, 80, 100)], False, 110),
        ({"stop_loss": 0.1, "take_profit": 0.1}, [(100, 101, 99, 100), (115, 116, 80, 100)], True, 115),  # open first
        ({"trailing_stop": 0.1}, [(100, 130, 95, 120), (120, 121, 116, 118)], True, 117),  # 130 known after its bar
        ({"trailing_stop": 0.1}, [(100, 130, 91, 120)], True, None),  # not inside it
        ({"trailing_stop": 0.1}, [(100, 101, 89, 95)], True, 90),  # from the entry price at once
        ({"trailing_stop": 0.1}, [(100, 105, 80, 85), (85, 87, 84, 86), (86, 89, 85, 85)], False, 88),
        ({"stop_loss": 0.05, "trailing_stop": 0.1}, [(100, 104, 94, 96)], True, 95),  # the nearer one
    ],
)
def test_stops_by_hand(stops: dict[str, float], bars: list[tuple[float, ...]], long: bool, left: float | None) -> None:
    """Where each bar's prices take a position out, or not."""
    prices = np.array([*bars, bars[-1][-1:] * 4], dtype=np.float64).T
    opens, highs, lows, closes = prices
    run = held(on(stops=Stops(**stops)), market(opens, closes, highs, lows), long)
    price = closes[-1] if left is None else left
    np.testing.assert_allclose(run.equity[-1, 0], 1000 + (10 if long else -10) * (price - 100), rtol=ROUNDING)
    assert run.trades[0] == 1
    if left is not None:
        assert not run.position[-1, 0]


def test_a_decided_order_fills_before_a_gap_stops() -> None:
    """At an open beyond the stop a reversal that was decided goes through; the stop finds nothing to close."""
    never = rows(4)
    opens, closes = [100.0, 80.0, 80.0], [100.0, 80.0, 80.0]
    run = backtest(
        strategy(rows(4, 0), never, rows(4, 1), never), market(opens, closes), on(stops=Stops(stop_loss=0.1))
    )
    np.testing.assert_allclose(run.position[:, 0], [1, -1, -1], rtol=ROUNDING)
    assert run.trades[0] == 2


def test_after_a_stop_the_next_entry_opens_again() -> None:
    """An entry that is up all along opens at the next open; a weight waits until it changes."""
    prices = market(FLAT, FLAT, [100.0] * 4, [89.0, 99.0, 99.0, 99.0])
    terms = on(stops=Stops(stop_loss=0.1))
    again = backtest(strategy(rows(5, 0, 1, 2, 3), rows(5)), prices, terms)
    np.testing.assert_allclose(again.position[:, 0], 1, rtol=ROUNDING)
    assert again.trades[0] == 2
    once = backtest(strategy([1.0, 1.0, 1.0, 0.5, 0.5]), prices, terms)
    np.testing.assert_allclose(once.position[:, 0], [1, 0, 0, 0.5], atol=ROUNDING)


# --- Against vectorbt, where it has the same terms ---


def prices_of(universes: Universes) -> dict[str, NDArray[np.float64]]:
    """The four prices (T, N)."""
    return {name: np.ascontiguousarray(universes.values[:, :, at].T) for at, name in enumerate(FIELDS[:4])}


def walked(orders: Any, case: Case, terms: Terms) -> Backtest:
    """The walk, whatever the terms."""
    shape = (case.universes.horizon, len(case.universes))
    slippage, volatility = np.full(shape, terms.costs.slippage), np.full(shape, np.nan)
    ids, stamps = case.universes.ids, case.universes.timestamps
    return walk(orders, Conditions(prices_of(case.universes), slippage, volatility), terms, YEAR, ids, stamps)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_walk_equals_vectorbt_on_plain_terms(case: Case) -> None:
    """Both fill the same orders the same way, but where a short owes what its cash may not cover; those are walked."""
    prices, costs = prices_of(case.universes), case.terms.costs
    for one in case.strategies():
        panel = Panel.of(case.universes, case.warmup)
        orders = orders_of(one.decide(panel, allow_silence=True), panel.warmup, "carry")
        ours = walked(orders, case, case.terms)
        theirs, unsure = fill(
            orders, prices["open"], prices["close"], costs.fees, costs.slippage, 1000.0, case.universes.ids,
            case.universes.timestamps,
        )  # fmt: skip
        np.testing.assert_array_equal(ours.ruined[~unsure], theirs.ruined[~unsure])
        sound = ~unsure
        for name in ("equity", "position", "traded", "trades", "gross_profit", "gross_loss"):
            mine, yours = getattr(ours, name)[..., sound], getattr(theirs, name)[..., sound]
            np.testing.assert_allclose(mine, yours, rtol=ROUNDING, atol=1e-6, err_msg=name)


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from([("stop_loss", 0.03), ("trailing_stop", 0.05)]), st.sampled_from([None, 0.04]))
def test_stops_equal_two_rows_a_bar_in_vectorbt(case: Case, stop: tuple[str, float], target: float | None) -> None:
    """A row for the open, where orders fill and no stop is watched, and one for the bar, where vectorbt does."""
    vectorbt = pytest.importorskip("vectorbt")
    name, distance = stop
    terms = Terms(case.terms.costs, stops=Stops(**{name: distance}, take_profit=target))
    long, leave = (flags & ~other for flags, other in zip(case.signals[:2], case.signals[1::-1], strict=True))
    panel = Panel.of(case.universes, case.warmup)
    decided = strategy(long, leave)
    orders = orders_of(decided.decide(panel), panel.warmup, "carry")
    assert isinstance(orders, Signals)
    ours = walked(orders, case, terms)
    prices = prices_of(case.universes)
    missing = np.full_like(prices["open"], np.nan)

    def two(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
        """Rows of the opens and of the bars in turn (2T, N)."""
        return np.stack([first, second], axis=1).reshape(-1, first.shape[1])

    theirs = vectorbt.Portfolio.from_signals(
        two(missing, prices["close"]),
        two(orders.long_entries, missing > 0),
        two(orders.long_exits, missing > 0),
        price=two(prices["open"], prices["close"]),
        open=two(missing, prices["open"]),
        high=two(missing, prices["high"]),
        low=two(missing, prices["low"]),
        size=np.inf,
        fees=terms.costs.fees,
        slippage=terms.costs.slippage,
        init_cash=terms.init_cash,
        direction="longonly",
        sl_stop=distance,
        sl_trail=name == "trailing_stop",
        tp_stop=np.nan if target is None else target,
        stop_entry_price="fillprice",
        stop_exit_price="stopmarket",
    )
    cash, units = theirs.cash().to_numpy()[1::2], theirs.assets().to_numpy()[1::2]
    equity = cash + units * prices["close"]
    np.testing.assert_allclose(ours.equity[1:-1], equity[:-1], rtol=ROUNDING)


# --- What holds on any terms ---


@settings(max_examples=60, deadline=None)
@given(cases(plain=False))
def test_profits_and_interest_are_the_change_of_equity(case: Case) -> None:
    """All that was won or lost was won or lost in closed trades, or is interest; ruin is final, and nothing is NaN."""
    for one in case.strategies():
        run = case.run(one)
        gain = run.equity[-1] - run.equity[0]
        np.testing.assert_allclose(run.gross_profit - run.gross_loss + run.interest, gain, rtol=1e-7, atol=1e-5)
        assert (run.equity[:, ~run.ruined] > 0).all()
        assert (run.equity[-1, run.ruined] <= 0).all()
        for name in ("equity", "position", "traded", "gross_profit", "gross_loss", "interest"):
            assert np.isfinite(getattr(run, name)).all(), name
        for column in np.flatnonzero(run.ruined):
            after = np.flatnonzero(run.equity[:, column] <= 0)[0]
            assert (run.equity[after:, column] == run.equity[after, column]).all()
            assert not run.position[after:, column].any()
            assert not run.traded[after:, column].any()


@settings(max_examples=40, deadline=None)
@given(cases(plain=False), st.integers(0, 11), st.floats(0.5, 2))
def test_later_prices_do_not_change_earlier_accounts(case: Case, bar: int, factor: float) -> None:
    """Equity up to a close, stops and sizes included, knows nothing of the bars that follow."""
    bar = min(bar, case.universes.horizon - 1)
    values = case.universes.values.copy()
    values[:, bar + 1 :] *= factor
    other = Universes(values, case.universes.timestamps, HISTORY, case.universes.ids)
    for one in case.strategies():
        before, after = case.run(one), case.run(one, other)
        np.testing.assert_array_equal(before.equity[: bar + 1], after.equity[: bar + 1])
        np.testing.assert_array_equal(before.position[: bar + 1], after.position[: bar + 1])


@settings(max_examples=25, deadline=None)
@given(cases(plain=False), st.integers(1, 4))
def test_each_account_is_the_same_alone(case: Case, chunk: int) -> None:
    """However many universes are walked abreast, each account is the same to the last bit."""
    for one in case.strategies():
        whole, pieces = case.run(one), case.run(one, chunk=chunk)
        for name in whole.__dataclass_fields__:
            assert np.array_equal(getattr(whole, name), getattr(pieces, name)), name
