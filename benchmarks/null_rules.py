"""Strategies without an edge, and real bars without order: what the verdict's benchmark must not be taken in by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from stresslab.core.randomness import uniforms
from stresslab.data.bars import Bars
from stresslab.generators.permutation import permuted_bars
from stresslab.strategy import Strategy, load_strategies


def noise(close: pd.DataFrame, key: int) -> pd.DataFrame:
    """Numbers in [0, 1) that look random and depend on each close alone: no edge, no look-ahead, another per path."""
    phase = np.log(close.to_numpy()) * 1e5 * (1 + 0.6180339887 * (key % 97)) + 0.754877666 * key
    mixed = np.sin(phase) * 43758.5453
    return pd.DataFrame(mixed - np.floor(mixed), index=close.index, columns=close.columns)


def random_entries(enter: float, leave: float, key: int) -> Callable[..., Any]:
    """Enter and leave at random: exposure about enter / (enter + leave), 1 / leave bars a trade."""

    def signals(bars: Any) -> Any:
        return noise(bars.close, 2 * key) < enter, noise(bars.close, 2 * key + 1) < leave

    return signals


def random_calendar(enter: float, leave: float, key: int) -> Callable[..., Any]:
    """The same on random days, which are the same days in every universe."""

    def signals(bars: Any) -> Any:
        days = bars.close.index.asi8 // 86_400_000_000_000 % 2**32
        u = uniforms(key, days, 1, 2)[:, 0]
        one = np.ones((1, bars.close.shape[1]), dtype=bool)
        return (u[:, :1] < enter) & one, (u[:, 1:] < leave) & one

    return signals


def moving_averages(fast: int, slow: int, sign: int) -> Callable[..., Any]:
    """Long while the fast average is above the slow one, or below it for sign -1."""

    def signals(bars: Any) -> Any:
        above = sign * (bars.close.rolling(fast).mean() - bars.close.rolling(slow).mean())
        return above > 0, above < 0

    return signals


def channel(window: int, sign: int) -> Callable[..., Any]:
    """Long above the middle of the last closes' range, or below it for sign -1."""

    def weights(bars: Any) -> Any:
        low, high = bars.close.rolling(window).min(), bars.close.rolling(window).max()
        return (sign * (2 * bars.close - low - high) > 0).astype(float)

    return weights


def strategy_of(function: Callable[..., Any]) -> Strategy:
    """A function as a strategy."""
    return load_strategies(function, {})[0]


def random_strategy(number: int) -> Strategy:
    """One of assorted exposure (10 to 90%) and turnover (trades of 2 to 40 bars)."""
    u = uniforms(11, [number], 1, 3)[0, 0]
    leave = 1 / (2 * 20 ** u[1])
    exposure = 0.1 + 0.8 * u[0]
    enter = min(1.0, leave * exposure / (1 - exposure))
    return strategy_of((random_entries if u[2] < 2 / 3 else random_calendar)(enter, leave, number))


def random_rule(number: int) -> Strategy:
    """A moving-average rule, of random lengths and direction."""
    u = uniforms(12, [number], 1, 4)[0, 0]
    fast, sign = int(2 * 15 ** u[0]), 1 if u[2] < 0.5 else -1
    if u[3] < 0.5:
        return strategy_of(moving_averages(fast, int(fast * (1.5 + 6 * u[1])) + 1, sign))
    return strategy_of(channel(4 + fast, sign))


def shuffled(bars: Bars, number: int, seed: int) -> Bars:
    """Real bars in random order, as one series."""
    values = permuted_bars(bars, 1, [number], seed).values[0]
    return Bars(bars.timestamps[1:], values, symbol=f"{bars.symbol} shuffled", source=bars.source)
