"""How freqtrade's backtesting trades one pair, bar by bar: entries, stops, targets by time, signals, adjustments.

The rules are those of its documentation and of what its backtesting does: signals of a bar fill at the next open; in
the bar of a trade the exit signal comes first, at the open, then the stop, then the target, then a trailing stop that
has moved, each at its own price; a trailing stop follows the bar's own high before the low is looked at. Profits are
before costs, so that the same bars give the same trades whatever the run's costs are. `freqtrade` prepares the class.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import StrategyError
from stresslab.strategy.fills import Fills
from stresslab.strategy.frameworks.freqtrade_trade import SPOT, Trade


@dataclass
class Market:
    """One pair's bars with the signals of each.

    Attributes:
        dates: (T,) when bars begin.
        prices: (T, 4) open, high, low, close.
        flags: (T, 4) enter long, exit long, enter short, exit short.
        tags: (T,) of entries.
    """

    dates: pd.Series
    prices: FloatArray
    flags: Any
    tags: list[Any]
    pair: str


class Trader:
    """A strategy on one pair, one trade at a time.

    Args:
        strategy: the object of the user's class.
        market: its bars and signals.
        cash: that the account begins with; stakes are shares of what it is worth, without costs.
        see: called with the number of the bar before a callback is.
    """

    def __init__(self, strategy: Any, market: Market, cash: float, see: Callable[[int], None]) -> None:
        self.strategy, self.market, self.see = strategy, market, see
        self.cash = cash
        self.trade: Trade | None = None
        self.fills = Fills(len(market.prices))
        self._targets = sorted((int(key), float(value)) for key, value in (strategy.minimal_roi or {}).items())
        self._own = _own_callbacks(strategy)

    def run(self, first: int) -> Fills:
        """All fills, of signals from a bar on."""
        can_short = bool(self.strategy.can_short)
        for bar in range(first + 1, len(self.market.prices)):
            way = self._entry(bar, can_short)
            for _ in range(2 if can_short and way else 1):
                before = self.trade
                self._step(bar, way)
                reversing = before is not None and self.trade is None and before.trade_direction != way
                if not reversing:
                    break
        flags = self.market.flags.astype(float) @ np.array([1.0, 2.0, 4.0, 8.0])
        self.fills.ordered[first:] = np.where(flags > 0, flags, np.nan)[first:]
        return self.fills

    def worth(self, price: float) -> float:
        """What the account is worth at a price."""
        held = 0.0 if self.trade is None else self.trade.sign * self.trade.amount
        return self.cash + held * price

    def _entry(self, bar: int, can_short: bool) -> str | None:
        long, leave, short, cover = self.market.flags[bar - 1]
        short, cover = short and can_short, cover and can_short
        if long and not leave and not short:
            return "long"
        return "short" if short and not cover and not long else None

    def _step(self, bar: int, way: str | None) -> None:
        if way is not None and self.trade is None:
            self._open(bar, way)
        if self.trade is not None:
            self._check(bar, self.trade)

    def _call(self, bar: int, name: str, **given: Any) -> Any:
        """The user's callback, with those of the arguments that it takes."""
        self.see(bar)
        own = self._own[name]
        given = {"pair": self.market.pair, "current_time": self.market.dates.iloc[bar], **given}
        return own(**{key: value for key, value in given.items() if own.takes is None or key in own.takes})

    def _open(self, bar: int, way: str) -> None:
        price = float(self.market.prices[bar, 0])
        stake, tag, worth = self.worth(price), self.market.tags[bar - 1], self.worth(price)
        common = {"entry_tag": tag, "side": way}
        if "custom_stake_amount" in self._own:
            stake = self._call(bar, "custom_stake_amount", current_rate=price, proposed_stake=stake, min_stake=0.0,
                               max_stake=worth, leverage=SPOT, **common)  # fmt: skip
            stake = min(float(stake or 0.0), worth)
        if stake <= 0:
            return
        if "confirm_trade_entry" in self._own and not self._call(
            bar, "confirm_trade_entry", order_type="limit", amount=stake / price, rate=price, time_in_force="GTC",
            **common,
        ):  # fmt: skip
            return
        sign, units = (-1.0 if way == "short" else 1.0), stake / price
        lane = self.fills.enter(bar, price, sign * stake / worth)
        trade = Trade(self.market.pair, price, self.market.dates.iloc[bar], way == "short", stake, units, tag,
                      [(lane, units)], max_rate=price, min_rate=price)  # fmt: skip
        trade.fill(units, price, trade.open_date_utc, tag=tag)
        trade.adjust_stop(price, float(self.strategy.stoploss), initial=True)
        self.trade, self.cash = trade, self.cash - sign * stake
        self._after_fill(bar, trade, price)

    def _check(self, bar: int, trade: Trade) -> None:
        """Adjust an open trade, or leave it for the first reason that holds."""
        opened, high, low, _ = (float(price) for price in self.market.prices[bar])
        if self.strategy.position_adjustment_enable and "adjust_trade_position" in self._own:
            self._adjust(bar, trade, opened)
            if self.trade is None:
                return
        trade.max_rate, trade.min_rate = max(trade.max_rate, high), min(trade.min_rate, low)
        minutes = (trade_time(self.market, bar) - pd.Timestamp(trade.open_date_utc)).total_seconds() // 60
        self._move_stop(bar, trade, (high, low))
        hit = trade.stop_loss >= low if not trade.is_short else trade.stop_loss <= high
        reasons = [self._signal(bar, trade, opened)]
        reasons += ["stop_loss"] if hit and not trade.is_stop_loss_trailing else []
        target = self._target(minutes)
        best = trade.calc_profit_ratio(low if trade.is_short else high)
        entering = bool(self.market.flags[bar - 1][2 if trade.is_short else 0])
        if target is not None and best > target[1] and not (entering and self.strategy.ignore_roi_if_entry_signal):
            reasons.append("roi")
        reasons += ["trailing_stop_loss"] if hit and trade.is_stop_loss_trailing else []
        for reason in reasons:
            price = self._price(bar, trade, reason, minutes) if reason else None
            if price is None:
                continue
            if "confirm_trade_exit" in self._own and not self._call(
                bar, "confirm_trade_exit", trade=trade, order_type="limit", amount=trade.amount, rate=price,
                time_in_force="GTC", exit_reason=reason, sell_reason=reason,
            ):  # fmt: skip
                continue
            self._close(bar, trade, price)
            return

    def _signal(self, bar: int, trade: Trade, opened: float) -> str:
        """Why it leaves at the open, or nothing."""
        enter, leave = self.market.flags[bar - 1][2:] if trade.is_short else self.market.flags[bar - 1][:2]
        profit = trade.calc_profit_ratio(opened)
        if not self.strategy.use_exit_signal:
            return ""
        if leave and not enter:
            wanted = not self.strategy.exit_profit_only or profit > self.strategy.exit_profit_offset
            return "exit_signal" if wanted else ""
        if "custom_exit" in self._own:
            why = self._call(bar, "custom_exit", trade=trade, current_rate=opened, current_profit=profit)
            return str(why) if isinstance(why, str) and why else ("custom_exit" if why else "")
        return ""

    def _after_fill(self, bar: int, trade: Trade, price: float) -> None:
        """Let a `custom_stoploss` that asks for it place the stop of what was just filled, nearer or farther."""
        own = self._own.get("custom_stoploss")
        if own is not None and own.names_after_fill:
            self._move_stop(bar, trade, (price, price), after_fill=True)

    def _move_stop(self, bar: int, trade: Trade, extremes: tuple[float, float], *, after_fill: bool = False) -> None:
        """Bring the stop to where the bar's best price takes it, unless the bar has already passed it."""
        high, low = extremes
        clear = trade.stop_loss > high if trade.is_short else trade.stop_loss < low
        bound = low if trade.is_short else high
        best, rule = trade.calc_profit_ratio(bound), self.strategy
        if not clear:
            return
        usual = float(rule.stoploss)
        if rule.use_custom_stoploss and "custom_stoploss" in self._own:
            stop = self._call(
                bar, "custom_stoploss", trade=trade, current_rate=bound, current_profit=best, after_fill=after_fill
            )
            if stop and math.isfinite(stop):
                usual = float(stop)  # a trailing stop then keeps this distance
                trade.adjust_stop(bound, usual, either_way=after_fill)
        if rule.trailing_stop:
            offset = float(rule.trailing_stop_positive_offset or 0.0)
            if not (rule.trailing_only_offset_is_reached and best < offset):
                positive = rule.trailing_stop_positive
                trailing = positive if positive is not None and best > offset else usual
                trade.adjust_stop(bound, float(trailing))

    def _target(self, minutes: float) -> tuple[int, float] | None:
        """The row of the table of targets that holds after so many minutes."""
        return max(((key, value) for key, value in self._targets if key <= minutes), default=None)

    def _price(self, bar: int, trade: Trade, reason: str, minutes: float) -> float | None:
        """Where a trade leaves, or None where the bar does not say that it could."""
        opened, high, low, _ = (float(price) for price in self.market.prices[bar])
        if reason in ("stop_loss", "trailing_stop_loss"):
            return self._stopped(trade, reason, minutes, (opened, high, low))
        if reason != "roi":
            return opened
        found = self._target(minutes)
        assert found is not None
        since, share = found
        span = self._span()
        if share == -1 and since % span == 0:
            return opened
        price = trade.open_rate * (1.0 + trade.sign * share)
        if minutes > 0 and minutes == since and since % span == 0 and trade.sign * opened > trade.sign * price:
            return opened
        return min(max(price, low), high)

    def _span(self) -> float:
        """Minutes of a bar."""
        dates = self.market.dates
        return max(1.0, (dates.iloc[1] - dates.iloc[0]).total_seconds() // 60) if len(dates) > 1 else 1.0

    def _stopped(self, trade: Trade, reason: str, minutes: float, prices: tuple[float, float, float]) -> float:
        """Where a stop fills: at its level; at the open where the whole bar lies beyond it."""
        opened, high, low = prices
        stop, sign, rule = trade.stop_loss, trade.sign, self.strategy
        if (stop < low) if trade.is_short else (stop > high):
            return opened
        if reason == "trailing_stop_loss" and minutes == 0:  # the worst that a bar may have done after its open
            offset, positive = rule.trailing_stop_positive_offset, rule.trailing_stop_positive
            if (
                not rule.use_custom_stoploss
                and rule.trailing_stop
                and rule.trailing_only_offset_is_reached
                and positive
            ):
                level = opened * (1.0 + sign * abs(offset) - sign * abs(positive))
            else:
                level = opened * (1.0 - sign * abs(trade.stop_loss_pct))
            return float(min(high, level) if trade.is_short else max(low, level))
        return stop

    def _close(self, bar: int, trade: Trade, price: float) -> None:
        for lane, _ in trade.lanes:
            self.fills.leave(bar, lane, price)
        self.cash += trade.sign * trade.amount * price
        trade.is_open, self.trade = False, None

    def _adjust(self, bar: int, trade: Trade, price: float) -> None:
        """Add to a trade at the open, or take from it there."""
        most = int(self.strategy.max_entry_position_adjustment)
        free = max(0.0, self.cash - (2 * trade.stake_amount if trade.is_short else 0.0))
        answer = self._call(
            bar, "adjust_trade_position", trade=trade, current_rate=price, min_stake=0.0, max_stake=free,
            current_profit=trade.calc_profit_ratio(price), current_entry_rate=price, current_exit_rate=price,
            current_entry_profit=trade.calc_profit_ratio(price), current_exit_profit=trade.calc_profit_ratio(price),
        )  # fmt: skip
        answer, tag = answer if isinstance(answer, tuple) else (answer, None)
        stake = float(answer or 0.0)
        if stake < 0:
            self._take(bar, trade, price, -stake, tag)
        elif stake > 0 and not (0 <= most <= trade.nr_of_successful_entries - 1):
            stake = min(stake, free)
            if stake <= 0:
                return
            lane = self.fills.enter(bar, price, trade.sign * stake / self.worth(price))
            trade.fill(stake / price, price, trade_time(self.market, bar), tag=tag)
            trade.add(lane, stake, stake / price)
            self.cash -= trade.sign * stake
            self._after_fill(bar, trade, price)
            trade.adjust_stop(trade.open_rate, trade.stop_loss_pct)

    def _take(self, bar: int, trade: Trade, price: float, stake: float, tag: str | None) -> None:
        """Take from a trade so much of the money that was put in."""
        units = stake * trade.amount / trade.stake_amount
        if math.isclose(units, trade.amount, rel_tol=1e-9):
            self._close(bar, trade, price)
            return
        if units > trade.amount:
            raise StrategyError(
                f"adjust_trade_position takes {stake:g} from a trade of {trade.stake_amount:g}; take at most "
                "trade.stake_amount, or leave the trade by custom_exit"
            )
        trade.fill(units, price, trade_time(self.market, bar), leaving=True, tag=tag)
        self._after_fill(bar, trade, price)
        for lane, portion in trade.take(units, price):
            self.fills.leave(bar, lane, price, portion)
        self.cash += trade.sign * units * price


def trade_time(market: Market, bar: int) -> pd.Timestamp:
    """When a bar begins."""
    return pd.Timestamp(market.dates.iloc[bar])


@dataclass(frozen=True)
class _Callback:
    """A method of the user's, and the names of its arguments; None where it takes any."""

    method: Callable[..., Any]
    takes: frozenset[str] | None
    names_after_fill: bool = False

    def __call__(self, **given: Any) -> Any:
        return self.method(**given)


CALLBACKS = (
    "adjust_trade_position", "confirm_trade_entry", "confirm_trade_exit", "custom_exit", "custom_stake_amount",
    "custom_stoploss",
)  # fmt: skip


def _own_callbacks(strategy: Any) -> Mapping[str, _Callback]:
    """The callbacks that the user's class itself defines."""
    found = {}
    for name in CALLBACKS:
        owner = next((one for one in type(strategy).__mro__ if name in vars(one)), None)
        if owner is None or owner.__module__.partition(".")[0] == "freqtrade":
            continue
        method = getattr(strategy, name)
        arguments = list(inspect.signature(method).parameters.values())
        anything = any(one.kind is one.VAR_KEYWORD for one in arguments)
        names = frozenset(one.name for one in arguments)
        found[name] = _Callback(method, None if anything else names, "after_fill" in names)
    return found
