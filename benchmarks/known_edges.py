"""Markets whose edge is known, and the rule that lives on each: what the verdict's benchmark is measured on.

Every market is a GJR-GARCH with Student-t shocks; four kinds of edge may be planted in it: a slow hidden trend,
short reversion, returns that depend on volatility, and days of the week. Strength 0 leaves a martingale in log returns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from stresslab.backtest import Costs, Terms, backtest
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.metrics.market_timing import position_returns
from stresslab.strategy import Strategy, load_strategies

YEAR = 252.0
WARMUP = 125
HORIZON = 250
COSTS = Costs(fees=0.0005, slippage=0.0)
TERMS = Terms(costs=COSTS, warmup=WARMUP)
KEPT = replace(TERMS, rebalance="every-bar")
"""Terms on which a rule and its opposite have opposite edges: a short that is only held grows as it loses, until the
account is ruined and times nothing any more."""
KINDS = ("slow trend", "short reversion", "volatility timing", "calendar")
_BASE = 0.012
"""Deviation of a bar."""
_BURN = 300
_SHAPE = np.random.default_rng(20).exponential(0.3, (4096, 2)).astype(np.float64)
"""Wicks in units of a bar's deviation, by turns; they carry nothing."""


def _log_volumes(count: int = 4096) -> np.ndarray:
    """What log volume is beside its answer to the bar's move, by turns: first order, deviation 0.4."""
    shocks, found = np.random.default_rng(21).normal(0.0, 0.4 * math.sqrt(1 - 0.48**2), count), np.zeros(count)
    for at in range(1, count):
        found[at] = 0.48 * found[at - 1] + shocks[at]
    return found


_VOLUME = _log_volumes()
"""Volume carries nothing of later moves. On eight US stocks its log follows 0.16 to 0.27 times that of a move's size;
the rest has a deviation of 0.35 to 0.48 and a first autocorrelation of 0.36 to 0.54."""


@dataclass(frozen=True)
class State:
    """What decides the next bar of each path (count,): variance, hidden trend, last move, smoothed square of moves."""

    variance: np.ndarray
    trend: np.ndarray
    last: np.ndarray
    smooth: np.ndarray

    @classmethod
    def usual(cls, count: int) -> State:
        """The long-run means."""
        variance, zero = np.full(count, _BASE**2), np.zeros(count)
        return cls(variance, zero, zero, variance)

    def repeated(self, count: int) -> State:
        """The state of one path, for so many."""
        return State(*(np.repeat(part, count) for part in (self.variance, self.trend, self.last, self.smooth)))


def _bars(closes: np.ndarray, sigmas: np.ndarray) -> np.ndarray:
    """Bars (count, steps, 6) of closes (steps + 1, count), of which the first is the one before them."""
    opens, closes = closes[:-1], closes[1:]
    wick = _SHAPE[np.arange(len(closes)) % len(_SHAPE)]
    high = np.maximum(opens, closes) * np.exp(sigmas * wick[:, :1])
    low = np.minimum(opens, closes) * np.exp(-sigmas * wick[:, 1:])
    size = np.abs(np.log(closes / opens)) / sigmas
    volume = 1e6 * np.exp(_VOLUME[np.arange(len(closes)) % len(_VOLUME), None] + 0.2 * np.log(0.2 + size))
    return np.stack([opens, high, low, closes, volume, volume * closes], axis=-1).transpose(1, 0, 2)


@dataclass(frozen=True)
class Market:
    """A process with a known kind of edge.

    Attributes:
        kind: one of `KINDS`.
        strength: of the edge, in units of a bar's deviation; what Sharpe ratio it makes is measured, not known.
        shocks: degrees of freedom of the t distribution; large ones make returns near normal.
        clustering: whether volatility moves.
    """

    kind: str
    strength: Any = 0.0
    shocks: float = 6.0
    clustering: bool = True

    def values(self, count: int, steps: int, seed: Sequence[int] | int) -> np.ndarray:
        """Bars (count, steps, 6) that begin about a price of 100."""
        moves, sigmas, _ = self._moves(State.usual(count), 0, steps + _BURN, seed)
        closes = 100 * np.exp(np.cumsum(moves, axis=0)[_BURN - 1 :] - moves[:_BURN].sum(axis=0))  # (steps + 1, count)
        return _bars(closes, sigmas[_BURN:])

    def _moves(
        self, state: State, first: int, steps: int, seed: Sequence[int] | int
    ) -> tuple[np.ndarray, np.ndarray, State]:
        """Moves and deviations (steps, count) of the bars from number `first` on, and the state after them."""
        rng, count = np.random.default_rng(seed), len(state.variance)
        z = rng.standard_t(self.shocks, (steps, count)) * math.sqrt((self.shocks - 2) / self.shocks)
        z = np.clip(z, -8, 8)
        hidden = rng.standard_normal((steps, count))
        variance, trend, last, smooth = state.variance, state.trend, state.last, state.smooth
        moves, sigmas = np.empty((steps, count)), np.empty((steps, count))
        days = pd.bdate_range("1990-01-01", periods=first + steps)[first:].day_of_week.to_numpy()
        keep, gain = 0.5 ** (1 / 60), math.sqrt(1 - 0.25 ** (1 / 60))
        for step in range(steps):
            sigma = np.sqrt(variance)
            trend = keep * trend + gain * hidden[step]
            lean = {
                "slow trend": trend,
                "short reversion": -np.clip(last / _BASE, -3, 3),
                "volatility timing": np.where(smooth < _BASE**2, 1.0, -1.0),
                "calendar": np.full(count, 1.0 if days[step] in (0, 4) else -2 / 3),
            }[self.kind]
            shock = sigma * z[step]
            move = self.strength * _BASE * lean + shock
            moves[step], sigmas[step] = move, sigma
            last, smooth = move, 0.9 * smooth + 0.1 * move**2
            if self.clustering:
                variance = 0.02 * _BASE**2 + 0.90 * variance + (0.05 + 0.06 * (shock < 0)) * shock**2
        return moves, sigmas, State(variance, trend, last, smooth)

    def history(self, years: float, seed: Sequence[int] | int) -> Bars:
        """One real series: a warm-up and so many years."""
        steps = WARMUP + round(years * YEAR)
        stamps = pd.bdate_range("1990-01-01", periods=steps + _BURN)[_BURN:]
        return Bars(stamps, self.values(1, steps, seed)[0], symbol="KNOWN", source="simulated")

    def after(self, years: float, seed: Sequence[int] | int, count: int, steps: int = HORIZON) -> Universes:
        """What may follow `history(years, seed)`: `count` continuations from the volatility in which it ends.

        The hidden trend, which no bar shows, is drawn for each from what it is in general.
        """
        past = WARMUP + round(years * YEAR) + _BURN
        *_, state = self._moves(State.usual(1), 0, past, seed)
        history = self.history(years, seed)
        trend = np.random.default_rng([79, KINDS.index(self.kind)]).standard_normal(count)
        state = replace(state.repeated(count), trend=trend)
        moves, sigmas, _ = self._moves(state, past, steps, [78, KINDS.index(self.kind)])
        path = np.concatenate([np.zeros((1, count)), np.cumsum(moves, axis=0)])
        stamps = pd.bdate_range("1990-01-01", periods=past + steps)[past:]
        return Universes(_bars(history.values[-1, 3] * np.exp(path), sigmas), stamps, history, np.arange(count))

    def futures(self, count: int, seed: Sequence[int] | int, steps: int = HORIZON) -> Universes:
        """What may follow, from independent histories: a warm-up each, then `steps` bars."""
        stamps = pd.bdate_range("1990-01-01", periods=WARMUP + steps + _BURN)[_BURN:]
        values = self.values(count, WARMUP + steps, seed)
        first = Bars(stamps[:WARMUP], values[0, :WARMUP], symbol="KNOWN", source="simulated")
        return Universes(values, stamps, first[:1], np.arange(count))


# ------------------------------------------------------------------------------------------------------------- rules


def follow_trend(bars: Any, span: int = 60) -> Any:
    """Long above the exponential mean of the moves, short below."""
    return np.sign(np.log(bars.close).diff().ewm(span=span, min_periods=20).mean())


def fade(bars: Any, lookback: int = 1) -> Any:
    """Against the last moves, by as much as they were unusual."""
    moves = np.log(bars.close).diff(lookback)
    return (-moves / (moves.rolling(100, min_periods=20).std() + 1e-12)).clip(-1, 1)


def hold_when_calm(bars: Any, span: int = 19) -> Any:
    """Long while recent volatility is below its usual level, flat otherwise."""
    squares = np.log(bars.close).diff() ** 2
    return (squares.ewm(span=span, min_periods=20).mean() < squares.expanding(min_periods=20).mean()).astype(float)


def some_days(bars: Any, first: int = 4, second: int = 0) -> Any:
    """Long over two days of the week, short over the others; decided the day before."""
    tomorrow = (bars.close.index + pd.offsets.BDay(1)).day_of_week
    side = np.where(np.isin(tomorrow, (first, second)), 1.0, -2 / 3)
    return pd.DataFrame(side[:, None] * np.ones((1, bars.close.shape[1])), bars.close.index, bars.close.columns)


RULES: dict[str, Callable[..., Any]] = dict(zip(KINDS, (follow_trend, fade, hold_when_calm, some_days), strict=True))


def weights_of(function: Callable[..., Any], **params: Any) -> Strategy:
    """A function of bars that answers with target weights, as a strategy."""

    def weights(bars: Any) -> Any:
        return function(bars, **params)

    return load_strategies(weights, {})[0]


def rule_of(kind: str) -> Strategy:
    """The rule that lives on a kind of edge."""
    return weights_of(RULES[kind])


def reversed_rule_of(kind: str) -> Strategy:
    """The opposite of the rule that lives on a kind of edge."""

    def weights(bars: Any) -> Any:
        return -RULES[kind](bars)

    return load_strategies(weights, {})[0]


# --------------------------------------------------------------------------------------------------------- the truth


@lru_cache(maxsize=64)
def future_returns(market: Market, count: int = 2000) -> tuple[np.ndarray, float]:
    """Net total returns (count,) of the market's own rule over the horizon, and its net annual Sharpe ratio."""
    universes = market.futures(count, [77, KINDS.index(market.kind)])
    equity = backtest(rule_of(market.kind), universes, TERMS, periods_per_year=YEAR).equity[WARMUP:]
    bars = equity[1:] / equity[:-1] - 1
    return equity[-1] / equity[0] - 1, float(bars.mean() / bars.std() * math.sqrt(YEAR))


def true_loss(market: Market, years: float, seed: Sequence[int], count: int = 4000) -> float:
    """P(loss) of the market's own rule over the horizon after this very history."""
    equity = backtest(rule_of(market.kind), market.after(years, seed, count), TERMS, periods_per_year=YEAR).equity
    return float((equity[-1] < equity[0]).mean())


@lru_cache(maxsize=64)
def market_of(kind: str, sharpe: float, shocks: float = 6.0, clustering: bool = True) -> Market:
    """The market in which the kind's rule has this net annual Sharpe ratio, by bisection on 2,000 futures.

    A ratio of 0 asks for no edge at all: the rule then loses its costs.

    Raises:
        ValueError: no strength up to 0.4 gives that ratio.
    """
    market = Market(kind, 0.0, shocks, clustering)
    if sharpe == 0:
        return market
    low, high = 0.0, 0.4
    if future_returns(replace(market, strength=high))[1] < sharpe:
        raise ValueError(f"a net Sharpe ratio of {sharpe} is out of reach for {market}")
    for _ in range(9):
        middle = (low + high) / 2
        if future_returns(replace(market, strength=middle))[1] < sharpe:
            low = middle
        else:
            high = middle
    return replace(market, strength=(low + high) / 2)


@lru_cache(maxsize=8)
def timing_by_strength(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Strengths, and the annual timing Sharpe ratio of the kind's rule over ten years at each, on 300 histories.

    The mean over histories of mean z / root mean square of z, z = (w - wbar)(r - rbar) about the means over all of
    them, so that no history's own mean biases its ratio.
    """
    strengths, ratios = np.linspace(0.0, 0.6, 13), []
    for strength in strengths:
        held, earned = timing_paths(Market(kind, float(strength)), 300, 10, [88, KINDS.index(kind)])
        gains = (held - held.mean()) * (earned - earned.mean())
        ratios.append(float((gains.mean(axis=0) / np.sqrt((gains**2).mean(axis=0))).mean()) * math.sqrt(YEAR))
    return strengths, np.array(ratios)


def timing_paths(market: Market, count: int, years: float, seed: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the market's own rule and what they earn (T, count), on independent histories after a warm-up.

    Positions are kept at their weights (`KEPT`). The strength may differ between histories, as an array (count,).
    """
    held, earned, strength = [], [], np.broadcast_to(market.strength, count)
    for start in range(0, count, 100):
        part = replace(market, strength=strength[start : start + 100])
        universes = part.futures(min(100, count - start), [*seed, start], round(years * YEAR))
        account = backtest(rule_of(market.kind), universes, KEPT, periods_per_year=YEAR)
        values = universes.values[:, WARMUP:]
        held.append(account.position[WARMUP:])
        earned.append(position_returns(values[:, :, 0].T, values[:, :, 3].T))
    return np.concatenate(held, axis=1), np.concatenate(earned, axis=1)
