"""A strategy on an account of its own in each universe: decisions at a close, fills at the next open.

It brings the parts together, chunk by chunk: `orders` turns decisions into orders; `vectorbt_fills` fills accounts of
proportional costs without credit, and `event_fills` all others, bar by bar. `stresslab.metrics.measures` measures the
accounts.

T is generated bars, N universes. Only generated bars are traded and measured.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stresslab.backtest.costs import Costs
from stresslab.backtest.event_fills import Conditions, walk
from stresslab.backtest.inside_bars import with_extremes
from stresslab.backtest.market_engine import combine_symbols, terms_of_symbol, trade_jointly
from stresslab.backtest.opening import Accounts
from stresslab.backtest.orders import (
    SAME_TARGET,
    Orders,
    Signals,
    Targets,
    conflicts_of,
    orders_of,
)
from stresslab.backtest.result import Backtest, JointBacktest
from stresslab.backtest.terms import Sizing, Stops, Terms
from stresslab.backtest.vectorbt_fills import RANGE, fill
from stresslab.core.arrays import FloatArray
from stresslab.core.errors import DataError, InputError, StrategyError
from stresslab.data.bars import CLOSE, FIELDS
from stresslab.data.market_index import IndexUniverses
from stresslab.data.universes import Universes
from stresslab.strategy import Strategy
from stresslab.strategy.panel import Decisions, FillRules

_HIGH, _LOW, _VOLUME = (FIELDS.index(name) for name in ("high", "low", "volume"))
CHUNK = 1000
"""Universes simulated at once: memory stays flat in N, and the arrays of a chunk stay near the processor."""


def backtest(
    strategy: Strategy,
    universes: Universes,
    terms: Terms | None = None,
    *,
    periods_per_year: float | None = None,
    chunk: int = CHUNK,
    inside: bool = False,
) -> Backtest:
    """Run a strategy in each universe on an account of its own.

    Args:
        strategy: decides on panels of [warm-up, universe].
        universes: N universes of T bars; the real series is N = 1.
        terms: of the accounts; `Terms()` by default.
        periods_per_year: bars in a year, by which yearly rates are shared out; the history's by default.
        chunk: universes simulated at once; the result does not depend on it.
        inside: value accounts inside bars too, which takes longer.

    Raises:
        InputError: a price is not above zero, or a weight asks for more credit than there is.
    """
    terms = terms or Terms()
    if chunk < 1:
        raise InputError(f"chunk={chunk} universes cannot be simulated at once; give 1 or more")
    parts: list[Backtest] = []
    for start in range(0, len(universes), chunk):
        part = universes.take(slice(start, start + chunk))
        if isinstance(part, IndexUniverses):
            traded = _on_market(strategy, part, terms, periods_per_year)
            parts.append(with_extremes(traded, part) if inside else traded)
            continue
        _check_prices(part)
        panel = strategy.panel(part, terms.warmup)
        accounts = Accounts(part, terms, periods_per_year, _market_slippage)
        decisions = strategy.decide(
            panel, allow_silence=True, init_cash=terms.init_cash, accounts=accounts
        )  # silent here may speak in another chunk
        if decisions.rules is not None:
            _check_order_terms(strategy.name, terms, isinstance(decisions.rules, FillRules))
            account = _by_price(decisions, panel.warmup, part, terms, periods_per_year)
            account = account if inside else replace(account, low=None, high=None)
        else:
            given = decisions, panel.warmup, strategy.name
            account = _by_open(given, part, terms, periods_per_year, inside)
        parts.append(
            replace(account, conflicts=conflicts_of(decisions, panel.warmup), untraded=_untraded(account, part))
        )
    return Backtest.concatenate(parts)


def buy_and_hold(
    universes: Universes,
    terms: Terms | None = None,
    *,
    periods_per_year: float | None = None,
    chunk: int = CHUNK,
) -> Backtest:
    """All equity in at the first open and out at the last close of each universe, at the same costs.

    Args:
        universes: N universes of T bars.
        terms: of the accounts, without their sizing, stops and leverage.
        periods_per_year: as in `backtest`.
        chunk: universes simulated at once.
    """
    terms = replace(terms or Terms(), sizing=Sizing(), stops=Stops(), max_leverage=1.0)
    parts = []
    for start in range(0, len(universes), chunk):
        part = universes.take(slice(start, start + chunk))
        if isinstance(part, IndexUniverses):
            parts.append(_held_market(part, terms, periods_per_year))
            continue
        _check_prices(part)
        never = np.zeros((part.horizon, len(part)), dtype=np.bool_)
        first = never.copy()
        first[0] = True
        parts.append(_simulate(Signals(first, never, never, never), part, terms, periods_per_year))
    return Backtest.concatenate(parts)


def _on_market(
    strategy: Strategy, universes: IndexUniverses, terms: Terms, periods_per_year: float | None
) -> JointBacktest:
    """A strategy on joint universes: on one account where it takes the market, else on each symbol by itself."""
    periods, joint = periods_per_year or universes.history.periods_per_year, universes.joint
    if strategy.takes_market:
        for symbol in joint.symbols:
            _check_prices(joint[symbol])
        slippage = np.stack(
            [_market_slippage(joint[symbol], terms.costs_of(symbol)) for symbol in joint.symbols], axis=1
        )
        return trade_jointly(strategy, universes, terms, periods, slippage)
    if strategy.sees_others:
        return _beside_others(strategy, universes, terms, periods)
    count = len(joint.symbols)
    accounts = [
        backtest(strategy, joint[symbol], terms_of_symbol(terms, symbol, count), periods_per_year=periods)
        for symbol in joint.symbols
    ]
    return combine_symbols(accounts, universes, terms.init_cash)


def _beside_others(
    strategy: Strategy, universes: IndexUniverses, terms: Terms, periods_per_year: float
) -> JointBacktest:
    """Accounts of the symbols that a strategy trades, on equal parts of the capital, while it looks at all of them."""
    symbols, joint = universes.market.symbols, universes.joint
    traded = strategy.traded(symbols)
    panel = strategy.panel(universes, terms.warmup)
    decisions = strategy.decide(panel, allow_silence=True, init_cash=terms.init_cash / len(traded))
    _check_order_terms(strategy.name, terms, are_fills=True)
    accounts = []
    for symbol in traded:
        _check_prices(joint[symbol])
        own = terms_of_symbol(terms, symbol, len(traded))
        account = _by_price(decisions.of_symbol(symbol), panel.warmup, joint[symbol], own, periods_per_year)
        accounts.append(replace(account, low=None, high=None, untraded=_untraded(account, joint[symbol])))
    return combine_symbols(accounts, universes, terms.init_cash, traded)


def _held_market(universes: IndexUniverses, terms: Terms, periods_per_year: float | None) -> Backtest:
    """All symbols held in equal parts from the first open to the last close."""
    joint = universes.joint
    accounts = [
        buy_and_hold(
            joint[symbol], terms_of_symbol(terms, symbol, len(joint.symbols)), periods_per_year=periods_per_year
        )
        for symbol in joint.symbols
    ]
    return combine_symbols(accounts, universes, terms.init_cash)


def _market_slippage(universes: Universes, costs: Costs) -> FloatArray:
    """Slippage (N, T) of each fill of one symbol."""
    if not costs.slippage_volatility:
        return np.full((len(universes), universes.horizon), costs.slippage)
    closes = _bars_first(universes, "close")
    volatility = recent_volatility(universes.history.values[:, FIELDS.index("close")], closes)
    return _slippage(costs.slippage + costs.slippage_volatility * np.nan_to_num(volatility), universes).T


def _check_prices(universes: Universes) -> None:
    """Refuse prices that nothing can be bought at: vectorbt skips orders at NaN and fails the whole batch at 0."""
    prices = universes.values[:, :, : CLOSE + 1]  # (N, T, 4)
    if 0 < prices.min() and prices.max() < np.inf:  # neither is so where one is NaN
        return
    wrong = ~(np.isfinite(prices) & (prices > 0))
    if wrong.any():
        universe, bar, name = (int(index) for index in np.argwhere(wrong)[0])
        raise DataError(
            f"universe {universes.ids[universe]} has {FIELDS[name]}={prices[universe, bar, name]} at "
            f"{universes.timestamps[bar]} ({wrong.any(axis=(1, 2)).sum()} of {len(universes)} universes have such a "
            "price); prices must be finite and above 0: use repaired bars or another generator"
        )


def _check_leverage(targets: FloatArray, name: str, universes: Universes, terms: Terms) -> None:
    """Refuse targets (T, N) beyond the credit of the accounts."""
    most = terms.max_leverage / (terms.sizing.fraction or 1.0)
    beyond = np.abs(targets) > most + SAME_TARGET
    if beyond.any():
        bar, universe = (int(index) for index in np.argwhere(beyond)[0])
        credit = "no credit" if terms.max_leverage == 1 else f"credit up to {terms.max_leverage:g} times the equity"
        raise StrategyError(
            f"strategy {name!r} asks for a weight of {targets[bar, universe]:g} in universe {universes.ids[universe]}, "
            f"to be filled at {universes.timestamps[bar]}; accounts have {credit}, so weights lie in "
            f"[-{most:g}, {most:g}]: scale or clip them, or raise `max_leverage`"
        )


def _by_open(
    given: tuple[Decisions, int, str], universes: Universes, terms: Terms, periods_per_year: float | None, inside: bool
) -> Backtest:
    """Accounts of signals and weights, which fill at opens; decisions, their warm-up and whose."""
    decisions, warmup, name = given
    orders = orders_of(decisions, warmup, terms.position, terms.band)
    if not isinstance(orders, Signals):
        ordered = orders.ordered if isinstance(orders, Targets) else orders
        _check_leverage(ordered, name, universes, terms)
    return _simulate(orders, universes, terms, periods_per_year, inside)


def _check_order_terms(name: str, terms: Terms, are_fills: bool) -> None:
    """Refuse a sizing and stops beside orders that have their own."""
    what = "is a class that says itself" if are_fills else "answers with Orders, which say"
    for setting, own in (("sizing", Sizing()), ("stops", Stops())):
        if getattr(terms, setting) != own:
            raise StrategyError(
                f"strategy {name!r} {what} how large a trade is and where it leaves; leave out the {setting}"
            )


def _by_price(
    decisions: Decisions, warmup: int, universes: Universes, terms: Terms, periods_per_year: float | None
) -> Backtest:
    """Accounts of orders with prices, and of fills."""
    from stresslab.backtest.fill_accounts import book_fills, read_fills  # compiled by numba, slow to import
    from stresslab.backtest.order_fills import fill_orders, price_orders

    periods = periods_per_year or universes.history.periods_per_year
    prices = np.ascontiguousarray(universes.values[:, :, : CLOSE + 1], dtype=np.float64)
    slippage = _market_slippage(universes, terms.costs)
    if isinstance(decisions.rules, FillRules):
        fills = read_fills(decisions, warmup, terms.position)
        return book_fills(fills, prices, slippage, terms, periods, universes.ids, universes.timestamps)
    orders = price_orders(decisions, warmup)
    return fill_orders(orders, prices, slippage, terms, periods, universes.ids, universes.timestamps)


def _untraded(account: Backtest, universes: Universes) -> NDArray[np.int64]:
    """Bars in which an account traded and the market did not: flat and without volume, where volume is known (N,)."""
    values = universes.values
    if not (values[:, :, _VOLUME] == 0).any():
        return np.zeros(len(universes), dtype=np.int64)
    if not ((values[:, :, _VOLUME] > 0).any() or (universes.history.values[:, _VOLUME] > 0).any()):
        return np.zeros(len(universes), dtype=np.int64)
    silent = (values[:, :, _VOLUME] == 0) & (values[:, :, _HIGH] == values[:, :, _LOW])  # (N, T)
    return np.asarray((silent.T & (account.traded > 0)).sum(axis=0), dtype=np.int64)


def _simulate(
    orders: Orders,
    universes: Universes,
    terms: Terms,
    periods_per_year: float | None,
    inside: bool = False,
) -> Backtest:
    """Fill orders (T, N) by whom the terms ask for; accounts that are valued inside bars are walked."""
    prices = {name: _bars_first(universes, name) for name in ("open", "close")}  # (T, N) each
    costs, volatility = terms.costs, None
    slippage: FloatArray | float = costs.slippage
    if costs.slippage_volatility or terms.sizing.volatility is not None:
        volatility = recent_volatility(universes.history.values[:, CLOSE], prices["close"])
    if costs.slippage_volatility and volatility is not None:
        slippage = _slippage(costs.slippage + costs.slippage_volatility * np.nan_to_num(volatility), universes)
    ids, stamps = universes.ids, universes.timestamps
    shape, periods = prices["open"].shape, periods_per_year or 1.0  # of yearly rates, which plain terms have none of
    if not terms.are_plain and periods_per_year is None:
        periods = universes.history.periods_per_year
    yearly = np.full(shape, np.nan) if volatility is None else volatility * np.sqrt(periods)

    def conditions() -> Conditions:
        ranges = {name: _bars_first(universes, name) for name in ("high", "low")}
        return Conditions(prices | ranges, np.broadcast_to(slippage, shape), yearly)

    if not terms.are_plain or isinstance(orders, Targets) or inside:
        return walk(orders, conditions(), terms, periods, ids, stamps, inside)
    filled, unsure = fill(orders, prices["open"], prices["close"], costs.fees, slippage, terms.init_cash, ids, stamps)
    unsure |= np.maximum(prices["open"], prices["close"]).max(axis=0) > RANGE * np.minimum(
        prices["open"], prices["close"]
    ).min(axis=0)
    which = np.flatnonzero(unsure)
    if not len(which):
        return filled
    chosen = Signals(*(flags[:, which] for flags in orders)) if isinstance(orders, Signals) else orders[:, which]
    again = walk(chosen, conditions().of(which), terms, periods, ids[which], stamps)
    return filled.with_accounts(which, again)


def _bars_first(universes: Universes, name: str) -> FloatArray:
    """A field (T, N), bar by bar in memory."""
    return np.ascontiguousarray(universes.values[:, :, FIELDS.index(name)].T, dtype=np.float64)


def _slippage(slippage: FloatArray, universes: Universes) -> FloatArray:
    """The slippage of each fill (T, N), refused where nothing would be left of a price."""
    if (slippage >= 1).any():
        bar, universe = (int(index) for index in np.argwhere(slippage >= 1)[0])
        raise InputError(
            f"slippage_volatility makes a slippage of {slippage[bar, universe]:.3g} at {universes.timestamps[bar]} in "
            f"universe {universes.ids[universe]}, and a price has no more than 1 to lose; lower `slippage_volatility`"
        )
    return slippage


WINDOW = 20
"""Bar returns that count as recent, about a month of days (J.P. Morgan/Reuters 1996, RiskMetrics, uses 25)."""


def recent_volatility(history: FloatArray, closes: FloatArray) -> FloatArray:
    """Sample standard deviation of the last 20 returns before each bar, up to the close at which it was decided.

    Args:
        history: (W,) closes before the universes.
        closes: (T, N) closes of the universes.

    Returns:
        (T, N) fractions a bar; of fewer returns while there are fewer, NaN while there are not two.
    """
    steps, count = closes.shape
    before = history[-WINDOW - 1 :]
    known = np.concatenate([np.broadcast_to(before, (count, len(before))), closes[:-1].T], axis=1)
    known = np.ascontiguousarray(known)  # each universe contiguous: its sums do not depend on how many lie beside it
    returns = known[:, 1:] / known[:, :-1] - 1.0  # (N, len(before) + T - 2)
    found = np.full((steps, count), np.nan)
    for bar in range(steps):
        last = len(before) + bar - 1
        recent = returns[:, max(0, last - WINDOW) : max(0, last)]
        if recent.shape[1] > 1:
            found[bar] = recent.std(axis=1, ddof=1)
    return found
