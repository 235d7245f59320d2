"""A list of trades laid over real bars: which bars its fills belong to, how large it traded, what it held when.

n is the number of trades, T of bars from the first entry to the last exit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError, InputError
from stresslab.core.text import percent
from stresslab.data.bars import CLOSE, OPEN, Bars
from stresslab.data.trades import TradeList
from stresslab.generators.permutation import MIN_BARS
from stresslab.metrics.market_timing import position_returns

_HIGH, _LOW = 1, 2
WITHIN = 0.001
"""Of its price, by which a fill may lie outside its bar: quotes of two vendors differ."""
SOME, MOST = 0.5, 0.8
"""Shares of fills within their bars: below the first the bars are others', below the second a moved clock is looked
for."""
SHIFTS = range(-14, 15)
"""Hours by which clocks are looked for."""
FEWEST = 5
MAX_LEVERAGE = 100.0
"""Times its equity that an account may hold: more than brokers lend on most markets, so the capital cannot be meant."""


@dataclass(frozen=True, eq=False)
class TradesOnBars:
    """Trades with their places on bars.

    Attributes:
        trades: those within the bars.
        bars: real bars from one before the first entry to the last exit.
        first: (n,) number of the bar, after the one before, whose open or close the entry is nearest to: what is held
            from there on is the position from this bar on.
        last: (n,) the first bar over which it is not held any more.
        capital: the account at the beginning, currency.
        assumed: whether that was not given but taken as the least that pays for every position in full.
        value: of a point of price in one unit, currency; a future's multiplier.
        returns: (n,) what each earned over the account at its entry, as the list has it.
        position: (T,) signed fraction of the account held over each bar.
        earned: (T,) what a full position earns over each bar.
        growth: (T,) what the account earned over each bar, marked at opens; a trade's own profit is booked at its exit.
        low: (T,) least of it inside each bar, at most 0 and what it earned.
        high: (T,) most, likewise.
        costs: what the list's profits lack of those by its prices, over the account at each entry, in sum.
        inside: share of fills whose price lies within their bar; NaN where the list has no prices.
        left_out: trades outside the bars.
        instant: trades that begin and end at the same open or close, over which bars say nothing.
        notices: what was noticed.
    """

    trades: TradeList
    bars: Bars
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    capital: float
    assumed: bool
    value: float
    returns: FloatArray
    position: FloatArray
    earned: FloatArray
    growth: FloatArray
    low: FloatArray
    high: FloatArray
    costs: float
    inside: float
    left_out: int
    instant: int
    notices: tuple[str, ...]

    @property
    def years(self) -> float:
        """From the first entry to the last exit, by the bars' calendar."""
        return len(self.position) / self.bars.periods_per_year


def lay_over(trades: TradeList, bars: Bars, capital: float | None = None) -> TradesOnBars:
    """Lay trades over the bars of their market.

    Args:
        trades: closed ones.
        bars: whose time stamps are on the list's clock.
        capital: of the account at its beginning; by default the least that pays for every position in full.

    Raises:
        DataError: the trades are not of these bars, or too few are.
        InputError: the capital cannot be meant.
    """
    if capital is not None and not (np.isfinite(capital) and capital > 0):
        raise InputError(f"`init_cash={capital}` is not an amount to trade with; give a number above 0")
    stamps = bars.timestamps.as_unit("ns").asi8
    ends = stamps[-1] + int(np.median(np.diff(stamps))) if len(stamps) > 1 else stamps[-1]
    entered, left = trades.entered.asi8, trades.left.asi8
    kept = (entered >= stamps[1 if len(stamps) > 1 else 0]) & (left < ends)
    if kept.sum() < FEWEST:
        raise DataError(
            f"{int(kept.sum())} of {len(trades)} trades ({trades.entered.min()} to {trades.left.max()}) lie within the "
            f"bars ({bars.timestamps[0]} to {bars.timestamps[-1]}); give the bars of their market and their time, at "
            f"least {FEWEST} trades of them"
        )
    out, trades = int((~kept).sum()), trades.take(kept)
    start, end = _bar_of(trades.entered.asi8, stamps), _bar_of(trades.left.asi8, stamps)
    inside, notices = _check_prices(trades, bars, start, end)
    if out:
        notices = (*notices, f"{out} of {out + len(trades)} trades lie outside the bars and were left out")
    before = max(int(start.min()) - 1, 0)
    window = bars[before : int(end.max()) + 1]
    steps = len(window) - 1
    if steps < MIN_BARS:
        raise DataError(f"the trades span {steps} bars, and at least {MIN_BARS} are needed; give finer bars")
    start, end = start - before - 1, end - before - 1  # numbered from the first bar after the one before
    prices = window.values[1:, : CLOSE + 1]
    first = _boundary(trades.entry_price, start, prices)
    last = np.maximum(_boundary(trades.exit_price, end, prices), first)
    entry, exit_ = _filled(trades.entry_price, start, prices), _filled(trades.exit_price, end, prices)
    value, sized = _value_of_a_point(trades, entry, exit_)
    notices = (*notices, *sized)
    account = _account(trades, entry, exit_, value, capital)
    held = _Held(trades.side * account.notional, entry, first, last, account.profit)
    position, growth, low, high = _bar_by_bar(held, prices, account.capital, window)
    if (times := float(np.abs(position).max())) > 1.05 and capital is not None:
        notices = (*notices, f"positions are worth up to {times:.3g} times the account, which trades on credit")
    return TradesOnBars(
        trades, window, first, last, account.capital, capital is None, value, account.profit / account.equity,
        position, position_returns(prices[:, OPEN, None], prices[:, CLOSE, None])[:, 0], growth, low, high,
        float((account.costs / account.equity).sum()), inside, out, int((first == last).sum()), notices,
    )  # fmt: skip


def _bar_of(times: NDArray[np.int64], stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bar in which each time lies, whose stamp is its beginning."""
    return np.asarray(np.searchsorted(stamps, times, side="right") - 1, dtype=np.int64)


def _within(price: FloatArray, at: NDArray[np.int64], bars: Bars) -> NDArray[np.bool_]:
    """Which fills have a price that their bar reached."""
    low, high = bars.values[at, _LOW] * (1 - WITHIN), bars.values[at, _HIGH] * (1 + WITHIN)
    return np.asarray((price >= low) & (price <= high), dtype=np.bool_)


def _check_prices(
    trades: TradeList, bars: Bars, start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[float, tuple[str, ...]]:
    """The share of fills within their bars; a clock that is off, and bars of something else, are refused."""
    prices = np.concatenate([trades.entry_price, trades.exit_price])
    known = ~np.isnan(prices)
    if not known.any():
        return np.nan, ("the list has no prices: fills are taken at the open of their bar",)
    share = float(_within(prices, np.concatenate([start, end]), bars)[known].mean())
    if share >= MOST:
        few = share < 0.95
        return share, (f"{percent(1 - share)} of the fills lie outside their bars' high and low",) if few else ()
    intraday = bool((bars.timestamps != bars.timestamps.normalize()).any())
    if intraday:
        best, hours = max((_share_at(trades, bars, hours), -abs(hours), hours) for hours in SHIFTS)[::2]
        if best >= max(MOST, share + 0.1):
            raise DataError(
                f"only {percent(share)} of the fills lie within their bars, and {percent(best)} do where the list's "
                f"times are moved by {hours:+d} hours: its clock is another one; give `shift={hours}`"
            )
    if share < SOME:
        raise DataError(
            f"only {percent(share)} of the fills lie within their bars (the first trade enters at "
            f"{trades.entry_price[0]:g} in a bar from {bars.values[start[0], _LOW]:g} to "
            f"{bars.values[start[0], _HIGH]:g}): the bars are of another market, or adjusted otherwise; give those "
            "that were traded"
        )
    return share, (f"only {percent(share)} of the fills lie within their bars' high and low",)


def _share_at(trades: TradeList, bars: Bars, hours: int) -> float:
    """The share of fills within their bars when all times are moved."""
    moved, stamps = trades.moved(hours), bars.timestamps.as_unit("ns").asi8
    at = _bar_of(np.concatenate([moved.entered.asi8, moved.left.asi8]), stamps)
    prices = np.concatenate([trades.entry_price, trades.exit_price])
    good = ~np.isnan(prices) & (at >= 0)
    return float(_within(prices[good], at[good], bars).mean()) if good.any() else 0.0


def _filled(price: FloatArray, at: NDArray[np.int64], prices: FloatArray) -> FloatArray:
    """Prices of fills; the open of the bar where the list has none."""
    return np.where(np.isnan(price), prices[at, OPEN], price)


def _boundary(price: FloatArray, at: NDArray[np.int64], prices: FloatArray) -> NDArray[np.int64]:
    """From which bar on a fill counts: its own where it is nearer to the open, the next where nearer to the close."""
    to_open, to_close = np.abs(price - prices[at, OPEN]), np.abs(price - prices[at, CLOSE])
    return np.asarray(np.where(to_close < to_open, at + 1, at), dtype=np.int64)


def _value_of_a_point(trades: TradeList, entry: FloatArray, exit_: FloatArray) -> tuple[float, tuple[str, ...]]:
    """What a point of price in one unit is worth, 1 but for futures and lots, from the list's own profits."""
    gross = trades.side * trades.units * (exit_ - entry)
    known = np.isfinite(gross) & np.isfinite(trades.profit) & (np.abs(exit_ / entry - 1) > 1e-4)
    if known.sum() < FEWEST:
        return 1.0, ()
    ratios = trades.profit[known] / gross[known]
    middle = float(np.median(ratios))
    low, high = np.quantile(ratios, [0.25, 0.75])
    if not middle > 0 or high - low > 0.5 * middle:
        return 1.0, ("profits do not follow from sizes and prices; sizes are taken as units",)
    if 0.8 < middle < 1.25:
        return 1.0, ()
    rounded = float(f"{middle:.2g}")
    return rounded, (f"a point of price in one unit is worth about {rounded:g}, as the list's profits say",)


class _Account(NamedTuple):
    """The capital, and (n,) each of the account at an entry, of what is held then, of profits and of costs."""

    capital: float
    equity: FloatArray
    notional: FloatArray
    profit: FloatArray
    costs: FloatArray


def _account(trades: TradeList, entry: FloatArray, exit_: FloatArray, value: float, capital: float | None) -> _Account:
    """The account that the list implies, currency: its capital and all profits booked until each entry."""
    move, nothing = trades.side * (exit_ / entry - 1), np.zeros(len(trades))
    if np.isnan(trades.units).all() and np.isnan(trades.profit).all():  # all of the account, each time
        found = 1.0 if capital is None else capital
        equity = found * _compounded(trades, move)
        return _Account(found, equity, equity, equity * move, nothing)
    notional = trades.units * entry * value
    unsized = np.isnan(trades.units)
    if unsized.any():  # what their profits say, where prices moved
        notional = np.where(unsized & (np.abs(move) > 1e-4), np.abs(trades.profit / move), notional)
        notional = np.where(np.isfinite(notional), notional, np.nanmedian(notional))
    profit = np.where(np.isnan(trades.profit), notional * move, trades.profit)
    booked, open_ = _at_entries(trades, profit, notional)
    found = max(float(np.max(open_ - booked)), 1e-12) if capital is None else capital
    equity = found + booked
    _check_capital(trades, equity, open_, found)
    return _Account(found, equity, notional, profit, np.where(unsized, 0.0, notional * move - profit))


def _check_capital(trades: TradeList, equity: FloatArray, held: FloatArray, capital: float) -> None:
    """Refuse a capital that is lost before some entry, or could not have paid for what was open at it (n,)."""
    wrong = (equity <= 0) | (held > MAX_LEVERAGE * equity)
    if not wrong.any():
        return
    at = int(wrong.argmax())
    if equity[at] <= 0:
        raise InputError(
            f"`init_cash={capital:g}` is lost by the trades before {trades.entered[at]}; give what the account really "
            "began with"
        )
    raise InputError(
        f"`init_cash={capital:g}` cannot pay for the list: at {trades.entered[at]} positions worth {held[at]:,.0f} are "
        f"open on an account of {equity[at]:,.0f}, {held[at] / equity[at]:,.0f} times as much, and {MAX_LEVERAGE:g} "
        "times are taken to be possible; give what the account really began with, or leave it out"
    )


def _compounded(trades: TradeList, move: FloatArray) -> FloatArray:
    """The account at each entry, in units of the first, where every trade holds all of it (n,)."""
    order = np.argsort(trades.left.asi8, kind="stable")
    grown = np.concatenate([[1.0], np.cumprod(np.maximum(1 + move[order], 1e-12))])
    return np.asarray(grown[_over_before(trades)])


def _over_before(trades: TradeList) -> NDArray[np.int64]:
    """How many trades are over when each one begins (n,)."""
    left = np.sort(trades.left.asi8)
    found = np.searchsorted(left, trades.entered.asi8, side="right")
    return np.asarray(np.minimum(found, np.arange(len(left))), dtype=np.int64)  # not itself, nor later ones


def _at_entries(trades: TradeList, profit: FloatArray, notional: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What was booked before each entry, and what is open at it, itself included, (n,) currency each."""
    order, over = np.argsort(trades.left.asi8, kind="stable"), _over_before(trades)
    booked = np.concatenate([[0.0], np.cumsum(profit[order])])[over]
    return booked, np.cumsum(notional) - np.concatenate([[0.0], np.cumsum(notional[order])])[over]


class _Held(NamedTuple):
    """Trades on bars, (n,) each: signed value at the entry, its price, from which bar to which, and the profit."""

    value: FloatArray
    entry: FloatArray
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    profit: FloatArray


def _bar_by_bar(
    held: _Held, prices: FloatArray, capital: float, window: Bars
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Position, growth, low and high of the account over each bar (T,), as `TradesOnBars` describes them.

    Raises:
        InputError: the account is lost on the way.
    """
    steps = len(prices)
    opens = np.append(prices[:, OPEN], prices[-1, CLOSE])  # (T + 1,)
    worth, low, high, exposed = capital * np.ones(steps + 1), np.zeros(steps), np.zeros(steps), np.zeros(steps)
    for value, entry, a, b, profit in zip(*held, strict=True):
        worth[a + 1 : b] += value * (opens[a + 1 : b] / entry - 1)
        worth[max(b, min(a + 1, steps)) :] += profit
        ends = prices[a:b, [_LOW, _HIGH]] if value > 0 else prices[a:b, [_HIGH, _LOW]]
        low[a:b] += value * (ends[:, 0] - opens[a:b]) / entry
        high[a:b] += value * (ends[:, 1] - opens[a:b]) / entry
        exposed[a:b] += value * opens[a:b] / entry
    if (worth <= 0).any():
        at = int((worth <= 0).argmax())
        raise InputError(
            f"`init_cash={capital:g}` is lost on the way ({window.timestamps[min(at + 1, len(window) - 1)]}); give "
            "what the account really began with"
        )
    growth = worth[1:] / worth[:-1] - 1
    found = exposed / worth[:-1], growth, np.minimum(low / worth[:-1], growth), np.maximum(high / worth[:-1], growth)
    return found[0], found[1], np.minimum(found[2], 0.0), np.maximum(found[3], 0.0)
