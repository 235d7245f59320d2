"""The account against Jesse's own backtest, where Jesse is installed: position and balance after every bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.strategy.frameworks.jesse_names import Strategy
from stresslab.strategy.frameworks.jesse_trades import Trader

START = 1_609_459_200_000
LEVERAGE, CASH = 20, 10_000.0


def random_class(base: Any, seed: int, seen: list[Any]) -> Any:
    """Orders of all kinds by chance; numbers of units are eighths, which are exact."""

    class Random(base):  # type: ignore[misc]
        def chance(self, what: int) -> Any:
            return np.random.default_rng([seed, self.index, what])

        def units(self, share: float) -> float:
            return float(np.floor(self.balance * share / self.price * 8) / 8)

        def should_long(self) -> bool:
            return bool(self.chance(0).random() < 0.25)

        def should_short(self) -> bool:
            return bool(0.25 <= self.chance(0).random() < 0.5)

        def should_cancel_entry(self) -> bool:
            return bool(self.chance(4).random() < 0.4)

        def filters(self) -> list[Any]:
            return [lambda: self.chance(2).random() < 0.8]

        def enter(self, side: int) -> None:
            rng, units = self.chance(1), self.units(0.3)
            count = int(rng.integers(1, 4))
            prices = [self.price * (1 + (0 if rng.random() < 0.4 else rng.normal() * 0.004)) for _ in range(count)]
            orders = [(units, price) for price in prices]
            setattr(self, "buy" if side > 0 else "sell", orders if count > 1 else orders[0])
            worst, best = (min(prices), max(prices)) if side > 0 else (max(prices), min(prices))
            if rng.random() < 0.6:
                self.stop_loss = units * count, worst * (1 - side * rng.uniform(0.001, 0.007))
            if rng.random() < 0.6:
                targets = rng.uniform(0.003, 0.009, 2)
                self.take_profit = [(units * count / 2, best * (1 + side * one)) for one in targets]

        def go_long(self) -> None:
            self.enter(1)

        def go_short(self) -> None:
            self.enter(-1)

        def on_open_position(self, order: Any) -> None:
            if self.stop_loss is None:
                self.stop_loss = abs(self.position.qty), self.position.entry_price * (0.99 if self.is_long else 1.01)

        def on_reduced_position(self, order: Any) -> None:
            self.stop_loss = abs(self.position.qty), self.price * (0.99 if self.is_long else 1.01)

        def update_position(self) -> None:
            act, units, side = self.chance(3).random(), abs(self.position.qty), 1 if self.is_long else -1
            if act < 0.15:
                self.liquidate()
            elif act < 0.25:
                self.stop_loss = units, self.price * (1 - 0.003 * side)
            elif act < 0.3:
                self.take_profit = units, self.price * (1 + 0.004 * side)
            elif act < 0.35:
                setattr(self, "buy" if side > 0 else "sell", (self.units(0.1), self.price))

        def after(self) -> None:
            seen.append((self.index, self.position.qty, self.balance))

    return Random


def candles(seed: int, count: int = 400) -> Any:
    """(rows, 6) as Jesse has them; every second seed with gaps."""
    rng = np.random.default_rng(seed)
    gaps, bodies = rng.normal(0, 6e-4, count) * (seed % 2), rng.normal(0, 0.003, count)
    close = 100 * np.exp(np.cumsum(gaps + bodies))
    opened = close * np.exp(-bodies)
    if not seed % 2:
        opened[1:] = close[:-1]
    high = np.maximum(opened, close) * (1 + 0.002 * rng.random(count))
    low = np.minimum(opened, close) * (1 - 0.002 * rng.random(count))
    return np.column_stack([START + np.arange(count) * 60_000.0, opened, close, high, low, np.ones(count)])


def traded(seed: int) -> tuple[list[Any], Any]:
    """What the account here says after every bar, and what it traded."""
    rows, seen = candles(seed), list[Any]()
    frame = pd.DataFrame(rows[:, 1:], columns=["open", "close", "high", "low", "volume"])
    frame.index = pd.to_datetime(rows[:, 0], unit="ms")
    return seen, Trader(random_class(Strategy, seed, seen)(), frame, CASH, LEVERAGE).traded(0)


@pytest.mark.parametrize("seed", range(20))
def test_every_bar_is_that_of_jesse(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of all kinds, several at once, stops and targets in parts and moved, additions, filters."""
    monkeypatch.chdir(tmp_path)  # it makes folders where it is
    pytest.importorskip("jesse")
    from jesse.research import backtest
    from jesse.strategies import Strategy as Original

    said = list[Any]()
    exchange = {"exchange": "Sandbox", "symbol": "BTC-USDT"}
    backtest(
        {"starting_balance": CASH, "fee": 0, "type": "futures", "futures_leverage": LEVERAGE,
         "futures_leverage_mode": "cross", "exchange": "Sandbox", "warm_up_candles": 0},
        [{**exchange, "strategy": random_class(Original, seed, said), "timeframe": "1m"}], [],
        {"Sandbox-BTC-USDT": {**exchange, "candles": candles(seed)}},
    )  # fmt: skip
    seen, found = traded(seed)
    assert len(found.events) > 100
    assert np.asarray(seen) == pytest.approx(np.asarray(said), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_account_is_its_fills(seed: int) -> None:
    """Where bars open at the close before, what the run is given to book earns what the account here says."""
    seen, found = traded(2 * seed)
    balances = np.array([balance for _, _, balance in seen])
    cash, held, flat = CASH, 0.0, 0
    for one in found.events:
        if one.bar == len(seen) - 1:
            break
        cash, held = cash - one.units * one.price, held + one.units
        if held == 0:
            assert np.abs(balances - cash).min() < 1e-6
            flat += 1
    assert flat > 50
