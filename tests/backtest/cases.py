"""Universes, decisions and terms to test the engine with, made by hand or drawn at random."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from numpy.typing import NDArray

from stresslab.backtest import Backtest, Costs, Sizing, Stops, Terms, backtest
from stresslab.data.universes import Universes
from stresslab.strategy import Strategy, load_strategies
from tests.make.bars import make_bars

HISTORY = make_bars(60)
FREE = Costs(fees=0.0, slippage=0.0)
OPENS, CLOSES = [100.0, 110.0, 120.0, 130.0], [105.0, 115.0, 125.0, 135.0]
ROUNDING = 1e-9


def market(opens: Any, closes: Any, highs: Any = None, lows: Any = None) -> Universes:
    """Universes of these prices, (T,) or (T, N), after `HISTORY`; highs and lows are as near as can be by default."""
    highs = np.maximum(opens, closes) if highs is None else highs
    lows = np.minimum(opens, closes) if lows is None else lows
    prices = [np.asarray(prices, dtype=np.float64) for prices in (opens, highs, lows, closes)]
    prices = [array.reshape(len(array), -1).T for array in prices]  # (N, T) each
    values = np.stack([*prices, np.ones_like(prices[0]), np.ones_like(prices[0])], axis=-1)
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


@dataclass
class Case:
    """Random universes and decisions about them."""

    universes: Universes = field(repr=False)
    terms: Terms
    signals: list[NDArray[np.bool_]]
    weights: NDArray[np.float64]

    @property
    def warmup(self) -> int:
        """Rows before the universes."""
        return self.terms.warmup

    def strategies(self) -> list[Strategy]:
        """Long/flat, long/short and weights."""
        return [strategy(*self.signals[:2]), strategy(*self.signals), strategy(self.weights)]

    def run(
        self, one: Strategy, universes: Universes | None = None, terms: Terms | None = None, **how: Any
    ) -> Backtest:
        """The backtest of one strategy."""
        return backtest(one, universes or self.universes, terms or self.terms, **how)


def levels(*values: float | None) -> st.SearchStrategy[Any]:
    """One of these."""
    return st.sampled_from(values)


@st.composite
def any_terms(draw: st.DrawFn, warmup: int) -> Terms:
    """Terms of every kind; most are left out most of the time, so that they meet in few and in many."""
    costs = Costs(
        fees=draw(levels(0.0, 0.0005, 0.02)),
        slippage=draw(levels(0.0, 0.0005, 0.02)),
        fixed_fee=draw(levels(0.0, 0.0, 1.0, 30.0)),
        slippage_volatility=draw(levels(0.0, 0.0, 0.2)),
        borrow_fee=draw(levels(0.0, 0.0, 0.05, 2.0)),
        funding=draw(levels(0.0, 0.0, 0.1, -1.0)),
        min_trade=draw(levels(0.0, 0.0, 100.0, 400.0)),
    )
    leverage = draw(levels(1.0, 1.0, 2.5, 20.0))
    sizes: list[dict[str, float]] = [{}, {}, {"fraction": 0.4}, {"fraction": leverage}, {"cash": 300.0}]
    sizes += [{"cash": 5000.0}, {"volatility": 0.2}, {"volatility": 2.0}]
    sizing = Sizing(**draw(st.sampled_from(sizes)))
    stops = Stops(
        stop_loss=draw(levels(None, None, 0.02, 0.2)),
        take_profit=draw(levels(None, None, 0.03, 0.5)),
        trailing_stop=draw(levels(None, None, 0.04, 0.3)),
    )
    rebalance = draw(st.sampled_from(["on-change", "on-change", "every-bar", "band=0.1", "band=0.5"]))
    interest = draw(levels(0.0, 0.0, 0.04, -0.5))
    return Terms(costs, sizing, stops, 1000.0, warmup, "carry", leverage, interest, rebalance)


@st.composite
def cases(draw: st.DrawFn, plain: bool = True) -> Case:
    """Quiet and wild prices, rare and frequent signals, no costs and high ones; on any terms unless `plain`."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps, count, warmup = draw(st.integers(1, 12)), draw(st.integers(1, 4)), draw(st.integers(0, 6))
    volatility, frequency = draw(st.sampled_from([0.01, 0.1, 0.5])), draw(st.sampled_from([0.05, 0.3, 0.7]))
    walk = 100 * np.exp(np.cumsum(volatility * rng.normal(size=(2 * steps, count)), axis=0))
    opens, closes = walk[::2], walk[1::2]
    spread = volatility * rng.exponential(size=(2, steps, count))
    highs, lows = np.maximum(opens, closes) * np.exp(spread[0]), np.minimum(opens, closes) * np.exp(-spread[1])
    if plain:
        costs = Costs(*(draw(levels(0.0, 0.0005, 0.02)) for _ in range(2)))
        rebalance = draw(st.sampled_from(["on-change", "on-change", "every-bar"]))
        terms = Terms(costs, init_cash=1000.0, warmup=warmup, rebalance=rebalance)
    else:
        terms = draw(any_terms(warmup))
    total = warmup + steps
    signals = [rng.random((total, count)) < frequency for _ in range(4)]
    most = terms.max_leverage / (terms.sizing.fraction or 1.0)
    some = rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], size=(total, count)) * most
    weights = np.where(rng.random((total, count)) < 0.5, some, rng.uniform(-most, most, (total, count)))
    weights[rng.random((total, count)) > frequency] = np.nan
    return Case(market(opens, closes, highs, lows), terms, signals, weights)
