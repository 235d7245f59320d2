"""Strategies on a market: one account over several symbols, or one rule on each of them.

A strategy that takes the market decides on all symbols and trades them from one account (`joint_fills`). One that takes
a single series is given each symbol by itself, on an equal part of the capital, and its accounts are added up.
Shapes: K symbols, N universes, T bars.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd

from stresslab.backtest.orders import SAME_TARGET, Signals, Targets, orders_of
from stresslab.backtest.portfolio import combine
from stresslab.backtest.result import Backtest, JointBacktest
from stresslab.backtest.terms import Sizing, Terms
from stresslab.core.arrays import FloatArray
from stresslab.core.errors import InputError, StrategyError
from stresslab.data.bars import FIELDS
from stresslab.data.market_index import IndexUniverses
from stresslab.strategy import Strategy

OPEN, CLOSE = FIELDS.index("open"), FIELDS.index("close")


def trade_jointly(
    strategy: Strategy, universes: IndexUniverses, terms: Terms, periods_per_year: float, slippage: FloatArray
) -> JointBacktest:
    """Run a strategy over a market in each universe, on one account.

    A weight is a fraction of the account. Where signals are given, a full position is one K-th of the account.

    Args:
        strategy: takes the market.
        universes: N joint universes.
        terms: of the account.
        periods_per_year: bars in a year.
        slippage: (N, K, T) fraction of each fill.

    Raises:
        InputError: stops or sizing, which are for accounts of one series.
        StrategyError: weights add up to more than the account's credit.
    """
    if terms.stops or terms.sizing != Sizing():
        raise InputError(
            f"strategy {strategy.name!r} trades several symbols from one account, which has no stops and no sizing; "
            "leave them out, and let its weights say how much it holds"
        )
    from stresslab.backtest.joint_fills import Prices, walk_jointly  # compiled by numba, slow to import

    panel = strategy.panel(universes, terms.warmup)
    decisions = strategy.decide(panel, allow_silence=True)
    orders = orders_of(decisions, panel.warmup, terms.position, terms.band)
    count, symbols = len(universes), len(universes.market.symbols)
    if isinstance(orders, Targets):
        raise InputError(
            f"rebalance={terms.rebalance} is for accounts of one series; strategy {strategy.name!r} trades several "
            "symbols: choose on-change or every-bar"
        )
    if isinstance(orders, Signals):
        orders = _targets(orders) / symbols
    targets = np.ascontiguousarray(orders.T).reshape(count, symbols, -1)  # (N, K, T)
    _check_exposure(targets, strategy.name, universes, terms)
    values = universes.symbols.astype(np.float64)
    costs = [terms.costs_of(symbol) for symbol in universes.market.symbols]
    prices = Prices(np.ascontiguousarray(values[..., OPEN]), np.ascontiguousarray(values[..., CLOSE]), slippage)
    return walk_jointly(targets, prices, costs, terms, periods_per_year, universes.ids, universes.timestamps)


def combine_symbols(
    parts: list[Backtest], universes: IndexUniverses, init_cash: float, traded: tuple[str, ...] = ()
) -> JointBacktest:
    """Accounts of symbols (K), on equal parts of the capital, as one; of those `traded`, the others hold nothing."""
    whole, symbols = combine(parts, init_cash), universes.market.symbols
    before, alive = whole.equity[:-1], whole.equity[:-1] > 0
    positions = np.zeros((len(symbols), *before.shape))  # (K, T, N)
    contributions = np.zeros((len(symbols), before.shape[1]))
    for part, symbol in zip(parts, traded or symbols, strict=True):
        at = symbols.index(symbol)
        np.divide(part.position * part.equity[:-1], before, out=positions[at], where=alive)
        contributions[at] = part.equity[-1] - part.equity[0] - part.interest
    own = {item.name: getattr(whole, item.name) for item in fields(Backtest) if item.name != "position"}
    gross = np.abs(positions).sum(axis=0)
    return JointBacktest(**own, position=gross, positions=positions, contributions=contributions)


def terms_of_symbol(terms: Terms, symbol: str, symbols: int) -> Terms:
    """The terms of a symbol's own account, on an equal part of the capital."""
    return replace(terms, init_cash=terms.init_cash / symbols, costs=terms.costs_of(symbol), symbol_costs={})


def _targets(signals: Signals) -> FloatArray:
    """Signals (T, C) as targets: 1, -1 or 0 where the side changes, NaN where it stays."""
    shape = signals.long_entries.shape
    made, side = np.full(shape, np.nan), np.zeros(shape[1])
    for bar, (long_entry, long_exit, short_entry, short_exit) in enumerate(zip(*signals, strict=True)):
        left = ((side > 0) & long_exit) | ((side < 0) & short_exit)
        then = np.where(long_entry, 1.0, np.where(short_entry, -1.0, np.where(left, 0.0, side)))
        made[bar] = np.where(then != side, then, np.nan)
        side = then
    return made


def _check_exposure(targets: FloatArray, name: str, universes: IndexUniverses, terms: Terms) -> None:
    """Refuse targets (N, K, T) that together are beyond the account's credit."""
    columns = pd.DataFrame(targets.reshape(-1, targets.shape[-1]).T)
    in_force = np.nan_to_num(columns.ffill().to_numpy()).T.reshape(targets.shape)
    gross = np.abs(in_force).sum(axis=1)  # (N, T)
    beyond = gross > terms.max_leverage + SAME_TARGET * targets.shape[1]
    if beyond.any():
        universe, bar = (int(index) for index in np.argwhere(beyond)[0])
        credit = "no credit" if terms.max_leverage == 1 else f"credit up to {terms.max_leverage:g} times the equity"
        raise StrategyError(
            f"strategy {name!r} asks for weights that add up to {gross[universe, bar]:g}, short ones counted like "
            f"long ones, in universe {universes.ids[universe]}, to be filled at {universes.timestamps[bar]}; the "
            f"account has {credit}: scale them, or raise `max_leverage`"
        )
