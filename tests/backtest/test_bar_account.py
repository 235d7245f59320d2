"""Accounts that are walked bar by bar while code decides: what it sees and what it earns is what an event loop says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import stresslab as sl
from stresslab.backtest import Costs, Terms, backtest
from stresslab.backtest.bar_account import RULES
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.strategy import load_strategies
from stresslab.strategy.bar_state import ENTRY_LEVELS
from stresslab.strategy.panel import SIDES
from tests.backtest.order_reference import STEPS, YEAR, Loop, random_case
from tests.make.bars import make_bars


class Lockstep:
    """An on_bar that gives the orders of a random case, beside the event loop that is given the same ones."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        costs = Costs(
            fees=0.001, fixed_fee=float(rng.choice([0.0, 5.0])), borrow_fee=0.05, slippage=0.0007,
            funding=float(rng.choice([0.0, 0.1])), min_trade=float(rng.choice([0.0, 3000.0])),
        )  # fmt: skip
        self.terms = Terms(costs=costs, max_leverage=float(rng.choice([1.0, 3.0])), risk_free=0.03)
        self.decided, prices, _ = random_case(rng, RULES, units=bool(rng.integers(0, 2)))
        self.prices, self.loop, self.seen = prices[0], Loop(costs, self.terms, RULES), 0
        self.flags = dict.fromkeys(SIDES, False)
        self.levels: dict[str, float] = {}

    def universes(self) -> Universes:
        """The bars of the case as one universe after one real bar."""
        rows = np.concatenate([np.full((1, 4), 50.0), self.prices])
        frame = pd.DataFrame(rows, columns=["open", "high", "low", "close"])
        frame["volume"] = 1000.0
        frame.index = pd.date_range("2024-01-01", periods=len(rows), freq="D")
        bars = Bars.from_frame(frame, symbol="CASE", source="test")
        return Universes.from_bars(bars[1:], bars[:1])

    def on_bar(self, state: Any, row: int) -> None:
        """Row 0 is the real bar: bar `row - 1` of the universe has closed, and orders are for bar `row`."""
        loop = self.loop
        if row:
            loop.step(row - 1, self.prices[row - 1], self.flags, self.levels, self.terms.costs.slippage)
        if row < STEPS:  # at the last close everything is sold on both sides
            self.compare(state, self.prices[row - 1, 3] if row else 50.0)
        self.levels = {name: float(array[row, 0]) for name, array in self.decided.levels.items()}
        self.flags = {side: bool(getattr(self.decided, side)[row, 0]) for side in SIDES}
        held = loop.trades[0].sign if loop.trades else 0
        for side, sign in (("long", 1), ("short", -1)):
            self.flags[f"{side}_exits"] &= held == sign
            if self.flags[f"{side}_exits"]:
                share = self.levels[f"{side}_exit_size"]
                state.close(1.0 if math.isnan(share) else share)
        plain = [
            all(math.isnan(self.levels[f"{side}_{one}"]) for one in ("limit", "stop")) for side in ("long", "short")
        ]
        self.flags["short_entries"] &= not (all(plain) and self.flags["long_entries"])
        for side, enter in (("long", state.enter_long), ("short", state.enter_short)):
            if self.flags[f"{side}_entries"]:
                enter(**{name: self.levels[f"{side}_{name}"] for name in ENTRY_LEVELS})

    def compare(self, state: Any, price: float) -> None:
        """What the code sees is what the loop holds."""
        trades = self.loop.trades
        assert state.equity == pytest.approx(self.loop.equity(price), rel=1e-9)
        assert state.cash == pytest.approx(self.loop.cash, rel=1e-9, abs=1e-6)
        assert state.position == pytest.approx(sum(one.units for one in trades), rel=1e-9)
        assert [one.units for one in state.trades] == pytest.approx([one.units for one in trades], rel=1e-9)
        assert [one.entry_price for one in state.trades] == pytest.approx([one.entry for one in trades], rel=1e-9)
        assert [one.target for one in state.trades] == [one.target for one in trades]
        stops = [one.stop for one in trades]
        assert [one.stop for one in state.trades] == [stop and pytest.approx(stop, rel=1e-9) for stop in stops]
        waiting = {"long" if sign > 0 else "short" for sign in self.loop.waiting}
        assert {one.side for one in state.orders} == waiting
        self.seen += len(trades) + len(waiting)


def test_code_sees_the_account_of_an_event_loop() -> None:
    """Equity, cash, each open trade and each waiting order at every bar, and the final account, in random cases."""
    seen = 0
    for seed in range(60):
        case = Lockstep(seed)

        def on_bar(state: Any, bar: Any, case: Lockstep = case) -> None:
            state["row"] = state.get("row", -1) + 1
            case.on_bar(state, state["row"])

        (strategy,) = load_strategies(on_bar, {})
        account = backtest(strategy, case.universes(), case.terms, periods_per_year=YEAR)
        assert account.equity[-1, 0] == pytest.approx(case.loop.equity(case.prices[-1, 3]), rel=1e-9)
        assert account.trades[0] == len(case.loop.closed)
        assert account.ruined[0] == (not case.loop.alive)
        seen += case.seen
    assert seen > 2000


def test_the_same_rule_in_frames_and_bar_by_bar() -> None:
    """A breakout with a bracket, both ways of writing it, over many universes: equal accounts."""

    def frames(bars: Any, days: int = 10) -> sl.Orders:
        high, low = bars.high.rolling(days).max(), bars.low.rolling(days).min()
        return sl.Orders(
            long_entries=high > 0, stop=high, lifetime=2, stop_loss=low, exit_after=5, size=0.5, entries=50
        )

    def bar_by_bar(state: Any, bar: Any, days: int = 10) -> None:
        highs, lows = state.setdefault("high", []), state.setdefault("low", [])
        highs.append(bar.high)
        lows.append(bar.low)
        if len(highs) >= days:
            state.enter_long(stop=max(highs[-days:]), lifetime=2, stop_loss=min(lows[-days:]), exit_after=5, size=0.5)

    universes = sl.StationaryBootstrap().sample(make_bars(400), 60, 20, 1)
    terms = Terms(costs=Costs(fees=0.001, slippage_volatility=0.1), risk_free=0.02, max_leverage=2.0)
    one, other = (backtest(load_strategies(rule, {})[0], universes, terms) for rule in (frames, bar_by_bar))
    assert one.trades.mean() > 5
    np.testing.assert_allclose(one.equity, other.equity, rtol=1e-9)
    assert np.array_equal(one.trades, other.trades)
    alone = backtest(load_strategies(bar_by_bar, {})[0], universes.take(np.array([7])), terms)
    assert np.array_equal(other.equity[:, 7], alone.equity[:, 0])


def test_what_is_cancelled_never_fills() -> None:
    """An entry that waits is taken back; another may be given in its place at once."""

    def on_bar(state: Any, bar: Any, again: bool = False) -> None:
        state["row"] = state.get("row", -1) + 1
        if state["row"] == 20:
            state.enter_long(limit=bar.close * 0.5)
            state.enter_short(limit=bar.close * 2)
            assert [one.side for one in state.orders] == ["long", "short"]
        if state["row"] == 22:
            assert [one.bars for one in state.orders] == [2, 2]
            state.cancel()
            assert not state.orders
            if again:
                state.enter_long(limit=bar.close * 0.4)

    prices = np.full(40, 100.0)
    prices[30:] = 30.0  # through both limits
    frame = pd.DataFrame({name: prices for name in ("open", "high", "low", "close")} | {"volume": 1.0})
    frame.index = pd.date_range("2024-01-01", periods=40, freq="D")
    bars = Bars.from_frame(frame, symbol="FALL", source="test")
    universes = Universes.from_bars(bars[10:], bars[:10])
    trades = [
        int(backtest(load_strategies(on_bar, {"again": again})[0], universes, Terms()).trades[0])
        for again in (False, True)
    ]
    assert trades == [0, 1]
