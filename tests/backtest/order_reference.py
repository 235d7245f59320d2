"""Orders with prices filled in the plainest words, and random cases of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stresslab.backtest import Costs, Terms
from stresslab.strategy.order_frames import LEVELS
from stresslab.strategy.panel import SIDES, Decisions, OrderRules

STEPS, YEAR = 60, 252.0
STAMPS = pd.date_range("2024-01-01", periods=STEPS, freq="D")


@dataclass
class Trade:
    """An open trade of the reference: a signed number of units."""

    units: float
    entry: float
    paid: float
    best: float
    order: dict[str, float]
    since: int

    @property
    def sign(self) -> int:
        """1 where long, -1 where short."""
        return 1 if self.units > 0 else -1

    @property
    def stop(self) -> float | None:
        """The level at which it is given up, the nearer one of two."""
        fixed, trail = self.order["stop_loss"], self.order["trailing_stop"]
        levels = [] if math.isnan(fixed) else [fixed]
        if not math.isnan(trail):
            levels.append(self.best * (1 - self.sign * trail))
        return (max if self.sign > 0 else min)(levels) if levels else None

    @property
    def target(self) -> float | None:
        """The level at which its gain is taken."""
        return None if math.isnan(self.order["take_profit"]) else self.order["take_profit"]


class Loop:
    """One account in the plainest words: a list of trades, a dict of waiting orders, one event after the other."""

    def __init__(self, costs: Costs, terms: Terms, rules: OrderRules) -> None:
        self.costs, self.terms, self.rules = costs, terms, rules
        self.cash, self.trades, self.closed = terms.init_cash, list[Trade](), list[tuple[float, ...]]()
        self.waiting: dict[int, tuple[int, dict[str, float]]] = {}
        self.alive, self.interest, self.slip = True, 0.0, 0.0

    def equity(self, price: float) -> float:
        """What the account is worth at a price."""
        return self.cash + sum(trade.units * price for trade in self.trades)

    def leave(self, trades: list[Trade], price: float, bar: int, share: float = 1.0) -> None:
        """Close (a share of) trades together: one fixed fee for all."""
        fixed = self.costs.fixed_fee
        for trade in list(trades):
            units = trade.units * share
            fill = price * (1 - trade.sign * self.slip)
            cost = abs(units) * fill * self.costs.fees + fixed
            self.cash += units * fill - cost
            profit = units * (fill - trade.entry) - trade.paid * share - cost
            self.closed.append((units, trade.since, trade.entry, bar, fill, profit))
            fixed = 0.0
            trade.paid *= 1 - share
            trade.units -= units
            if share == 1:
                self.trades.remove(trade)

    def enter(self, sign: int, price: float, order: dict[str, float], bar: int) -> Trade | None:
        """Open a trade, if the account pays for it."""
        fixed = self.costs.fixed_fee
        if any(trade.sign != sign for trade in self.trades):
            self.leave(self.trades, price, bar)
            fixed = 0.0
        if len(self.trades) == self.rules.entries:
            return None
        fill, value = price * (1 + sign * self.slip), self.equity(price)
        free = self.terms.max_leverage * value - sum(abs(trade.units) for trade in self.trades) * price
        if math.isnan(order["units"]):
            share = 1.0 if math.isnan(order["size"]) else order["size"]
            units = max(min(share * value, free) - fixed, 0.0) / (fill * (1 + self.costs.fees))
        else:
            units = order["units"]
            if units * fill * (1 + self.costs.fees) + fixed > free * (1 + 1e-12):
                return None
        if units * fill <= 1e-12 * abs(value) or units * fill < self.costs.min_trade:
            return None
        paid = units * fill * self.costs.fees + fixed
        self.cash -= sign * units * fill + paid
        self.trades.append(Trade(sign * units, fill, paid, fill, order, bar))
        return self.trades[-1]

    def ruin(self, price: float, bar: int) -> None:
        """End an account without equity."""
        if self.alive and self.equity(price) <= 0:
            for trade in self.trades:
                profit = trade.units * (price - trade.entry) - trade.paid
                self.closed.append((trade.units, trade.since, trade.entry, bar, price, profit))
                self.cash += trade.units * price
            self.trades, self.alive = [], False

    def step(self, bar: int, prices: Any, flags: dict[str, bool], levels: dict[str, float], slip: float) -> None:
        """One bar."""
        opened, high, low, closed = prices
        self.slip = slip
        self.ruin(opened, bar)
        if self.alive:
            self._open(bar, opened, flags, levels)
            self.ruin(opened, bar)
        if self.alive:
            self._rest(bar, opened, high, low)
            for trade in self.trades:
                trade.best = max(trade.best, high) if trade.sign > 0 else min(trade.best, low)
            for sign, (row, order) in list(self.waiting.items()):
                own = order["lifetime"]
                lifetime = self.rules.lifetime if math.isnan(own) else own
                if lifetime and bar >= row + lifetime - 1:
                    del self.waiting[sign]
            rate = self.terms.risk_free / YEAR
            self.interest += self.cash * rate
            self.cash += self.cash * rate
            for trade in self.trades:
                value = trade.units * closed
                charge = self.costs.borrow_fee / YEAR * max(-value, 0) + self.costs.funding / YEAR * value
                self.cash -= charge
                trade.paid += charge
            self.ruin(closed, bar)
        if bar == STEPS - 1 and self.alive:
            self.leave(self.trades, closed, bar)
            self.ruin(closed, bar)

    def _open(self, bar: int, opened: float, flags: dict[str, bool], levels: dict[str, float]) -> None:
        self.leave(
            [t for t in self.trades if bar >= t.since + np.nan_to_num(t.order["exit_after"], nan=1e9)], opened, bar
        )
        for sign, side in ((1, "long"), (-1, "short")):
            if flags[f"{side}_exits"] and self.trades and self.trades[0].sign == sign:
                share = levels[f"{side}_exit_size"]
                self.leave(self.trades, opened, bar, 1.0 if math.isnan(share) else share)
                break
        gone = [
            t
            for t in self.trades
            if (t.stop is not None and t.sign * opened <= t.sign * t.stop)
            or (t.target is not None and t.sign * opened >= t.sign * t.target)
        ]
        self.leave(gone, opened, bar)
        for sign, side in ((1, "long"), (-1, "short")):
            if flags[f"{side}_exits"]:
                self.waiting.pop(sign, None)
            if flags[f"{side}_entries"]:
                self.waiting[sign] = bar, {name: levels[f"{side}_{name}"] for name in LEVELS}
        for sign in (1, -1):
            if sign not in self.waiting:
                continue
            order = self.waiting[sign][1]
            if sign * opened > sign * order["limit"] or sign * opened < sign * order["stop"]:
                continue  # a comparison with NaN is False: no price to wait for
            self._filled(sign)
            self.enter(sign, opened, order, bar)

    def _filled(self, sign: int) -> None:
        del self.waiting[sign]
        if self.rules.one_cancels_other:
            self.waiting.pop(-sign, None)

    def _rest(self, bar: int, opened: float, high: float, low: float) -> None:
        def touches(level: float | None, below: bool) -> bool:
            return level is not None and (low <= level if below else high >= level)

        stopped = [t for t in self.trades if touches(t.stop, t.sign > 0)]
        reached = [t for t in self.trades if t not in stopped and touches(t.target, t.sign < 0)]
        fees = {"stop": self.costs.fixed_fee, "target": self.costs.fixed_fee}
        for trade in list(self.trades):
            for kind, some, level in (("stop", stopped, trade.stop), ("target", reached, trade.target)):
                if any(trade is one for one in some):
                    costs = self.costs
                    self.costs = Costs(**{**vars(costs), "fixed_fee": fees[kind]})
                    assert level is not None
                    beyond = trade.sign * opened * (1 if kind == "target" else -1) > trade.sign * level * (
                        1 if kind == "target" else -1
                    )  # it was entered at an open beyond its level
                    self.leave([trade], opened if beyond else level, bar)
                    self.costs, fees[kind] = costs, 0.0
        while True:
            near = []
            for sign, (_, order) in self.waiting.items():
                price = order["stop"] if math.isnan(order["limit"]) else order["limit"]
                if touches(price, (sign > 0) != math.isnan(order["limit"])):
                    near.append((abs(price - opened), -sign, price))
            if not near:
                return
            _, other, price = min(near)
            sign, order = -other, self.waiting[-other][1]
            self._filled(sign)
            trade = self.enter(sign, price, order, bar)
            if trade is None:
                continue
            given_up = (
                None if math.isnan(order["stop_loss"]) else order["stop_loss"]
            )  # trailing begins with the next bar
            if touches(given_up, sign > 0):
                assert given_up is not None
                self.leave([trade], given_up, bar)
            elif math.isnan(order["limit"]) and touches(trade.target, sign < 0):
                assert trade.target is not None
                self.leave([trade], trade.target, bar)


def random_case(rng: np.random.Generator, rules: OrderRules, units: bool) -> tuple[Decisions, np.ndarray, np.ndarray]:
    """Random prices (1, T, 4), orders around them, slippage (1, T); some so wild that accounts are ruined."""
    size = rng.choice([0.01, 0.06])
    close = 50 * np.exp(rng.normal(0, 2 * size, STEPS).cumsum())
    opened = close * np.exp(rng.normal(0, size, STEPS))
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, size, STEPS)))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, size, STEPS)))
    known = np.concatenate([[50.0], close[:-1]])  # the close at which bar t's order was decided
    flags = {side: rng.random(STEPS) < (0.25 if "entries" in side else 0.1) for side in SIDES}
    levels = {}
    for side, sign in (("long", 1), ("short", -1)):
        kind = rng.integers(0, 3, STEPS)
        near = known * np.exp(np.abs(rng.normal(0, 1.5 * size, STEPS)))
        far = known**2 / near
        above, below = (near, far) if sign > 0 else (far, near)
        levels[f"{side}_stop"] = np.where(kind == 1, above, np.nan)
        levels[f"{side}_limit"] = np.where(kind == 2, below, np.nan)
        entry = np.where(kind == 0, known, np.where(kind == 1, above, below))
        apart = np.exp(sign * rng.uniform(0.005, 0.06, (2, STEPS)))
        levels[f"{side}_stop_loss"] = np.where(rng.random(STEPS) < 0.6, entry / apart[0], np.nan)
        levels[f"{side}_take_profit"] = np.where(rng.random(STEPS) < 0.6, entry * apart[1], np.nan)
        levels[f"{side}_trailing_stop"] = np.where(rng.random(STEPS) < 0.3, 0.03, np.nan)
        levels[f"{side}_exit_after"] = np.where(rng.random(STEPS) < 0.3, rng.integers(1, 6, STEPS), np.nan)
        levels[f"{side}_size"] = np.full(STEPS, np.nan) if units else rng.uniform(0.2, 100 * size, STEPS)
        levels[f"{side}_units"] = rng.integers(100, 900, STEPS).astype(float) if units else np.full(STEPS, np.nan)
        levels[f"{side}_lifetime"] = np.where(rng.random(STEPS) < 0.4, rng.integers(1, 5, STEPS), np.nan)
        levels[f"{side}_exit_size"] = np.where(rng.random(STEPS) < 0.5, rng.uniform(0.2, 0.9, STEPS), np.nan)
    arrays = {name: np.append(array, array[-1:])[:, None] for name, array in {**flags, **levels}.items()}
    plain: dict[str, Any] = {side: arrays.pop(side) for side in SIDES}
    bars = np.stack([opened, high, low, close], axis=-1)[None]
    return Decisions(**plain, levels=arrays, rules=rules), bars, rng.uniform(0, 0.002, (1, STEPS))
