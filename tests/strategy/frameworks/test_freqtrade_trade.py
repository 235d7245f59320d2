"""An open trade as callbacks see it: what it knows, what is added to it and taken from it, and where its stop is."""

from __future__ import annotations

import pandas as pd
import pytest

from stresslab.strategy.frameworks.freqtrade_trade import Trade


def trade(units: float = 10.0) -> Trade:
    """A long one at 100 with a stop 5% below."""
    made = Trade("A/B", 100.0, pd.Timestamp("2024-01-01"), False, 100.0 * units, units, None, [(0, units)])
    made.adjust_stop(100.0, -0.05, initial=True)
    return made


def test_a_trade_knows_what_callbacks_ask() -> None:
    """Side, profit and kept data; what it does not know is named."""
    trade = Trade("A/B", 100.0, pd.Timestamp("2024-01-01"), True, 100.0, 1.0, None, [(0, 1.0)])
    assert (trade.trade_direction, trade.entry_side, trade.exit_side) == ("short", "sell", "buy")
    assert trade.calc_profit_ratio(90.0) == pytest.approx(0.1)
    trade.set_custom_data("seen", 3)
    assert (trade.get_custom_data("seen"), trade.get_custom_data("other", 1)) == (3, 1)
    with pytest.raises(Exception, match=r"trade\.liquidation_price is not known here"):
        _ = trade.liquidation_price


def test_more_money_moves_the_mean_and_a_nearer_stop() -> None:
    """Added higher, the stop follows the mean; added lower, it stays."""
    higher, lower = trade(), trade()
    higher.add(1, 1200.0, 10.0)
    lower.add(1, 800.0, 10.0)
    assert (higher.open_rate, higher.stop_loss, higher.is_stop_loss_trailing) == (110.0, pytest.approx(104.5), True)
    assert (lower.open_rate, lower.stop_loss, lower.nr_of_successful_entries) == (90.0, 95.0, 2)


def test_what_came_first_is_taken_first() -> None:
    """All of the first lane and half of the second; the mean price stays."""
    one = trade()
    one.add(1, 1200.0, 10.0)
    assert one.take(15.0, 120.0) == [(0, 1.0), (1, pytest.approx(0.5))]
    assert (one.lanes, one.amount, one.open_rate) == ([(1, pytest.approx(5.0))], 5.0, 110.0)
    assert (one.stake_amount, one.realized_profit) == (pytest.approx(550.0), pytest.approx(150.0))


def test_its_orders_are_known() -> None:
    """By side, with the money in each."""
    one = trade()
    one.fill(10.0, 100.0, pd.Timestamp("2024-01-01"), tag="first")
    one.fill(4.0, 110.0, pd.Timestamp("2024-01-05"), leaving=True)
    (entry,) = one.select_filled_orders(one.entry_side)
    assert (entry.stake_amount_filled, entry.average, entry.safe_amount, entry.side) == (1000.0, 100.0, 10.0, "buy")
    assert (one.nr_of_successful_buys, one.nr_of_successful_sells, len(one.select_filled_orders())) == (1, 1, 2)
    assert one.date_last_filled_utc == pd.Timestamp("2024-01-05")
    assert one.calc_profit(90.0) == pytest.approx(-100.0)
