"""Orders with prices: filled as an event loop in plain words fills them, and as backtesting.py does."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import stresslab as sl
from stresslab.backtest import Costs, Sizing, Stops, Terms, backtest
from stresslab.backtest.order_fills import PriceOrders, fill_orders, price_orders, trades_of
from stresslab.core.errors import StrategyError
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.strategy import load_strategies
from stresslab.strategy.order_frames import LEVELS, Orders
from stresslab.strategy.panel import SIDES, Decisions, OrderRules, Panel
from tests.make.bars import make_bars

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
            for sign, (row, _) in list(self.waiting.items()):
                if self.rules.lifetime and bar >= row + self.rules.lifetime - 1:
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
        levels[f"{side}_exit_size"] = np.where(rng.random(STEPS) < 0.5, rng.uniform(0.2, 0.9, STEPS), np.nan)
    arrays = {name: np.append(array, array[-1:])[:, None] for name, array in {**flags, **levels}.items()}
    plain: dict[str, Any] = {side: arrays.pop(side) for side in SIDES}
    bars = np.stack([opened, high, low, close], axis=-1)[None]
    return Decisions(**plain, levels=arrays, rules=rules), bars, rng.uniform(0, 0.002, (1, STEPS))


def compare(seed: int) -> None:
    """One random account, filled by both."""
    rng = np.random.default_rng(seed)
    rules = OrderRules(int(rng.integers(0, 4)), int(rng.integers(1, 4)), bool(rng.integers(0, 2)))
    costs = Costs(
        fees=0.001, fixed_fee=float(rng.choice([0.0, 5.0])), borrow_fee=0.05, funding=float(rng.choice([0.0, 0.1])),
        min_trade=float(rng.choice([0.0, 3000.0])),
    )  # fmt: skip
    terms = Terms(costs=costs, max_leverage=float(rng.choice([1.0, 3.0, 8.0])), risk_free=0.03)
    decisions, bars, slippage = random_case(rng, rules, units=bool(rng.integers(0, 2)))
    orders = price_orders(decisions, 1)
    account = fill_orders(orders, bars, slippage, terms, YEAR, np.zeros(1, dtype=np.int64), STAMPS)
    loop, curve = Loop(costs, terms, rules), [terms.init_cash]
    for bar in range(STEPS):
        flags = dict(zip(SIDES, orders.flags[0, bar].tolist(), strict=True))
        levels = {name: float(array[bar, 0]) for name, array in decisions.levels.items()}
        loop.step(bar, bars[0, bar], flags, levels, float(slippage[0, bar]))
        curve.append(loop.equity(bars[0, bar, 3]))
    np.testing.assert_allclose(account.equity[:, 0], curve, rtol=1e-9)
    table = trades_of(orders, bars, slippage, terms, YEAR).to_numpy(dtype=np.float64)
    np.testing.assert_allclose(table, np.array(loop.closed).reshape(-1, 6), rtol=1e-9, atol=1e-6)
    assert account.trades[0] == len(loop.closed)
    assert account.ruined[0] == (not loop.alive)
    np.testing.assert_allclose(account.interest[0], loop.interest, rtol=1e-9)
    gained = account.gross_profit[0] - account.gross_loss[0] + account.interest[0]
    np.testing.assert_allclose(gained, curve[-1] - curve[0], rtol=1e-9, atol=1e-6)


def test_accounts_are_those_of_an_event_loop() -> None:
    """Random orders on random terms: equity and every trade, to 1e-9."""
    for seed in range(300):
        compare(seed)


@pytest.mark.slow
def test_thousands_of_accounts_are_those_of_an_event_loop() -> None:
    """The same in 5,000 other cases."""
    for seed in range(1000, 6000):
        compare(seed)


def test_every_kind_of_event_is_among_the_random_cases() -> None:
    """The cases hold partial exits, refusals and ruined accounts, so that agreeing on them means something."""
    ruined = trades = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        decisions, bars, slippage = random_case(rng, OrderRules(2, 3, True), units=False)
        terms = Terms(max_leverage=8.0)
        found = fill_orders(
            price_orders(decisions, 1), bars, slippage, terms, YEAR, np.zeros(1, dtype=np.int64), STAMPS
        )
        ruined, trades = ruined + int(found.ruined[0]), trades + int(found.trades[0])
    assert ruined >= 3
    assert trades > 500


def filled(prices: list[list[float]], orders: Orders, **terms: Any) -> pd.DataFrame:
    """The trades of orders on a few bars, whose first is the row that decides; without costs."""
    frame = pd.DataFrame(prices, columns=["open", "high", "low", "close"], dtype=float)
    count = len(frame)
    frame = pd.concat([frame.iloc[[0] * 40], frame])
    frame.index = pd.date_range("2024-01-01", periods=len(frame), freq="D")
    bars = Bars.from_frame(frame)
    panel = Panel.of(Universes.from_bars(bars[41:], bars[:41]), 1)
    values, free = bars.values[None, 41:, :4], np.zeros((1, count - 1))
    return trades_of(
        price_orders(orders.decisions(panel), 1), values, free, Terms(costs=Costs(fees=0, slippage=0), **terms), YEAR
    )


def at(row: int, rows: int) -> np.ndarray:
    """True in one row (rows, 1)."""
    return (np.arange(rows) == row)[:, None]


@pytest.mark.parametrize(
    ("bar", "order", "entry", "leaves"),
    [
        ([100, 104, 99, 103], {"stop": 102.0}, 102.0, None),
        ([105, 106, 104, 105], {"stop": 102.0}, 105.0, None),  # a gap through the stop fills at the open
        ([100, 104, 97, 103], {"limit": 98.0}, 98.0, None),
        ([95, 104, 94, 103], {"limit": 98.0}, 95.0, None),  # and through a limit to the account's gain
        ([100, 104, 99, 103], {"stop": 102.0, "take_profit": 103.5}, 102.0, 103.5),  # passed after the entry
        ([100, 104, 97, 103], {"limit": 98.0, "take_profit": 103.5}, 98.0, None),  # perhaps before it
        ([100, 104, 96, 103], {"limit": 98.0, "stop_loss": 97.0}, 98.0, 97.0),
        ([100, 104, 96, 103], {"stop": 102.0, "stop_loss": 97.0, "take_profit": 103.5}, 102.0, 97.0),  # pessimistic
        ([100, 104, 96, 103], {"stop_loss": 97.0, "take_profit": 103.5}, 100.0, 97.0),
        ([90, 104, 89, 103], {"stop_loss": 97.0}, 90.0, 90.0),  # entered at an open below its stop
        ([90, 104, 89, 103], {"limit": 98.0, "stop_loss": 97.0}, 90.0, 90.0),
    ],
)
def test_one_bar_by_hand(bar: list[float], order: dict[str, float], entry: float, leaves: float | None) -> None:
    """Where an entry fills, and where its trade leaves in the same bar (else at the last close)."""
    prices = [[100, 101, 99, 100], bar, [103, 103, 103, 103]]
    (trade,) = filled(prices, Orders(long_entries=at(0, 3), **order)).itertuples()
    assert trade.entry_price == entry
    assert (trade.exit_bar, trade.exit_price) == ((1, 103.0) if leaves is None else (0, leaves))


def test_trailing_partial_exit_and_time_by_hand() -> None:
    """The stop follows the high of bars that are over; half is sold at an exit; what is left goes after three bars."""
    prices = [[100, 100, 100, 100], [100, 110, 100, 108], [108, 109, 106, 107], [107, 108, 98, 99], [99, 99, 99, 99]]
    trailing = filled(prices, Orders(long_entries=at(0, 5), trailing_stop=0.05))
    assert trailing[["exit_bar", "exit_price"]].to_numpy().tolist() == [[2, 104.5]]  # 5% below 110
    parts = filled(prices, Orders(long_entries=at(0, 5), long_exits=at(1, 5), exit_size=0.5, exit_after=3))
    assert parts["units"].tolist() == [500.0, 500.0]
    assert parts[["exit_bar", "exit_price"]].to_numpy().tolist() == [[1, 108.0], [3, 99.0]]


def test_an_entry_waits_for_its_lifetime() -> None:
    """A limit that is reached on the third bar fills unless it lived for two only, or an exit came before."""
    prices = [[100, 100, 100, 100]] * 3 + [[100, 100, 90, 95]] + [[95, 95, 95, 95]]
    entry = at(0, 5)
    assert len(filled(prices, Orders(long_entries=entry, limit=92.0))) == 1
    assert len(filled(prices, Orders(long_entries=entry, limit=92.0, lifetime=3))) == 1
    assert len(filled(prices, Orders(long_entries=entry, limit=92.0, lifetime=2))) == 0
    assert len(filled(prices, Orders(long_entries=entry, limit=92.0, long_exits=at(1, 5)))) == 0


def test_one_side_cancels_the_other() -> None:
    """A breakout either way: the nearer side fills and the other goes, or stays where that is asked for."""
    prices = [[100, 100, 100, 100], [100, 103, 99, 102], [102, 102, 95, 96], [96, 96, 96, 96]]
    both = at(0, 4)
    straddle = {"long_entries": both, "short_entries": both, "stop": (101.5, 98.0)}
    once = filled(prices, Orders(**straddle))
    assert once[["units", "exit_price"]].round(4).to_numpy().tolist() == [[round(100_000 / 101.5, 4), 96.0]]
    twice = filled(prices, Orders(**straddle, one_cancels_other=False))
    assert np.sign(twice["units"]).tolist() == [1, -1]
    assert twice["exit_price"].tolist() == [98.0, 96.0]


def test_adding_to_a_position() -> None:
    """Each entry opens a trade of its own while there are fewer than `entries`, as far as the credit reaches."""
    prices = [[100, 100, 100, 100]] * 5
    every = np.ones((5, 1), dtype=bool)
    assert len(filled(prices, Orders(long_entries=every, size=0.25))) == 1
    assert filled(prices, Orders(long_entries=every, size=0.25, entries=3))["units"].tolist() == [250.0] * 3
    assert filled(prices, Orders(long_entries=every, size=0.75, entries=3))["units"].tolist() == [750.0, 250.0]


def test_orders_as_a_strategy() -> None:
    """Through the engine, in chunks, over many universes: each account is that of its universe alone."""

    def breakout(bars: Any, days: int = 10) -> Orders:
        high, low = bars.high.rolling(days).max(), bars.low.rolling(days).min()
        return sl.Orders(long_entries=high > 0, stop=high, lifetime=1, stop_loss=low, exit_after=5)

    universes = sl.StationaryBootstrap().sample(make_bars(400), 50, 30, 1)
    (strategy,) = load_strategies(breakout, {})
    terms = Terms(costs=Costs(fees=0.001))
    whole = backtest(strategy, universes, terms)
    assert whole.trades.min() >= 1
    assert whole.trades.mean() > 2
    assert np.array_equal(whole.equity, backtest(strategy, universes, terms, chunk=7).equity)
    alone = backtest(strategy, universes.take(np.array([11])), terms)
    assert np.array_equal(whole.equity[:, 11], alone.equity[:, 0])
    for own in ({"sizing": Sizing(fraction=0.5)}, {"stops": Stops(stop_loss=0.1)}):
        with pytest.raises(StrategyError, match=f"answers with Orders, .* leave out the {next(iter(own))}"):
            backtest(strategy, universes, replace(terms, **own))


def test_equity_inside_bars() -> None:
    """Down to the stop and not to the low where it is left, up to the target; else between low and high."""
    prices = [[100, 100, 100, 100], [100, 106, 96, 105], [105, 120, 90, 100], [100, 100, 100, 100]]
    frame = pd.DataFrame(prices, columns=["open", "high", "low", "close"], dtype=float)
    bars = frame.to_numpy()[None, 1:]
    ids, stamps, free = np.zeros(1, dtype=np.int64), STAMPS[:3], np.zeros((1, 3))
    flags = np.zeros((1, 3, 4), dtype=bool)
    flags[0, 0, 0] = True
    levels = np.full((1, 3, 2, len(LEVELS)), np.nan)
    levels[0, 0, 0, LEVELS.index("stop_loss")], levels[0, 0, 0, LEVELS.index("take_profit")] = 95.0, 110.0
    given = PriceOrders(flags, levels, OrderRules(0, 1, True))
    found = fill_orders(given, bars, free, Terms(costs=Costs(fees=0, slippage=0)), YEAR, ids, stamps)
    assert found.low is not None
    assert found.high is not None
    np.testing.assert_allclose(found.low[:, 0], [96_000, 95_000, 95_000])
    np.testing.assert_allclose(found.high[:, 0], [106_000, 110_000, 95_000])
    np.testing.assert_allclose(found.equity[:, 0], [100_000, 105_000, 95_000, 95_000])


def theirs(frame: pd.DataFrame, flags: dict[str, np.ndarray], levels: dict[str, np.ndarray], lifetime: int) -> Any:
    """The trades of backtesting.py when the same orders are given to it, bar by bar."""
    framework = pytest.importorskip("backtesting")

    class Replayed(framework.Strategy):  # type: ignore[misc, name-defined] # untyped, and found at run time
        def init(self) -> None:
            self.waiting: dict[int, tuple[int, Any]] = {}

        def next(self) -> None:
            bar = len(self.data)  # the next one, at which orders of now fill
            if bar >= len(frame):
                return
            self.waiting = {sign: one for sign, one in self.waiting.items() if one[1] in self.orders}
            for sign, side in ((1, "long"), (-1, "short")):
                if sign in self.waiting and lifetime and bar > self.waiting[sign][0] + lifetime - 1:
                    self.waiting.pop(sign)[1].cancel()
                leaving = flags[f"{side}_exits"][bar]
                for trade in self.trades:
                    held = levels[f"{side}_exit_after"][trade.tag] if (trade.size > 0) == (sign > 0) else math.nan
                    if bar >= trade.entry_bar + (math.inf if math.isnan(held) else held) or (
                        leaving and (trade.size > 0) == (sign > 0)
                    ):
                        trade.close()
                if (leaving or flags[f"{side}_entries"][bar]) and sign in self.waiting:
                    self.waiting.pop(sign)[1].cancel()
                if flags[f"{side}_entries"][bar]:
                    price = {
                        name: levels[f"{side}_{name}"][bar] for name in ("limit", "stop", "stop_loss", "take_profit")
                    }
                    given = {name: None if math.isnan(value) else value for name, value in price.items()}
                    order = (self.buy if sign > 0 else self.sell)(
                        size=int(levels[f"{side}_units"][bar]), limit=given["limit"], stop=given["stop"],
                        sl=given["stop_loss"], tp=given["take_profit"], tag=bar,
                    )  # fmt: skip
                    self.waiting[sign] = (bar, order)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = framework.Backtest(frame, Replayed, cash=1e9, commission=0.001, finalize_trades=True).run()
    return run


def test_trades_are_those_of_backtesting_py() -> None:
    """The same orders on the same bars, some random cases."""
    for seed in range(10):
        compare_with_backtesting_py(seed)


@pytest.mark.slow
def test_trades_are_those_of_backtesting_py_in_hundreds_of_cases() -> None:
    """The same in 400 other cases."""
    for seed in range(100, 500):
        compare_with_backtesting_py(seed)


def compare_with_backtesting_py(seed: int) -> None:
    """Market, limit and stop entries, levels and times: the same bars, prices, sizes and final equity.

    One side at a time, since it nets orders of opposite sides; no levels beside priced entries, whose own bar it reads
    in another order; one price in the last bar, where it ends at the open.
    """
    rng = np.random.default_rng(seed)
    decisions, bars, _ = random_case(rng, OrderRules(int(rng.integers(0, 4)), 50, False), units=True)
    bars[0, -1] = bars[0, -1, 0]
    orders = price_orders(decisions, 1)
    gone = "short" if seed % 2 else "long"
    flags = {side: orders.flags[0, :, k] & (not side.startswith(gone)) for k, side in enumerate(SIDES)}
    for one in flags.values():
        one[:2] = one[-1:] = False  # it asks from its second bar on, and ends with the last
    levels = {name: array[:-1, 0].copy() for name, array in decisions.levels.items()}
    for side in ("long", "short"):
        priced = ~np.isnan(levels[f"{side}_limit"]) | ~np.isnan(levels[f"{side}_stop"])
        for name in ("stop_loss", "take_profit"):
            levels[f"{side}_{name}"][priced] = np.nan
        levels[f"{side}_trailing_stop"][:] = levels[f"{side}_exit_size"][:] = np.nan
    frame = pd.DataFrame(bars[0], columns=["Open", "High", "Low", "Close"], index=STAMPS)
    run = theirs(frame, flags, levels, decisions.rules.lifetime if decisions.rules else 0)
    stacked = np.stack(
        [np.stack([levels[f"{side}_{name}"] for name in LEVELS], axis=-1) for side in ("long", "short")], 1
    )
    given = orders._replace(flags=np.stack([flags[side] for side in SIDES], axis=-1)[None], levels=stacked[None])
    terms, free = Terms(costs=Costs(fees=0.001), init_cash=1e9), np.zeros((1, STEPS))
    columns = ["entry_bar", "exit_bar", "units", "entry_price", "exit_price"]
    ours = trades_of(given, bars, free, terms, YEAR)[columns].sort_values(columns).to_numpy(dtype=np.float64)
    names = ["EntryBar", "ExitBar", "Size", "EntryPrice", "ExitPrice"]
    other = run["_trades"][names].sort_values(names).to_numpy(dtype=np.float64)
    np.testing.assert_allclose(ours, other, rtol=1e-9)
    account = fill_orders(given, bars, free, terms, YEAR, np.zeros(1, dtype=np.int64), STAMPS)
    np.testing.assert_allclose(account.equity[-1, 0], run["Equity Final [$]"], rtol=1e-12)
