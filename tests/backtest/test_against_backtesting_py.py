"""An engine by other people: trades and final equity are those of backtesting.py on the same rules.

It is no dependency; without it these tests are skipped. It trades whole units only, so the account is so large that
their rounding cannot be seen, and it closes what is open at the last open and not at the last close, so that every
position is left before the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stresslab.backtest import Costs, Stops, Terms, backtest
from tests.backtest.cases import market, strategy
from tests.backtest.reference import side_after

theirs = pytest.importorskip("backtesting")
CASH = 1e13
STEPS = 60


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.002]),
    st.sampled_from([None, 0.02, 0.05]),
    st.sampled_from([None, 0.03, 0.1]),
    st.booleans(),
)
def test_trades_and_equity_are_those_of_backtesting_py(
    seed: int, fees: float, loss: float | None, profit: float | None, shorts: bool
) -> None:
    """Entries and exits at the next open, stops and targets inside the bar with the stop first, fees both ways."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(size=(STEPS, 2)) * [
        0.004,
        0.02,
    ]  # over night, where it takes no stop beyond the last close; by day
    opens, closes = 100 * np.exp(np.cumsum(moves.reshape(-1))).reshape(-1, 2).T
    highs = np.maximum(opens, closes) * np.exp(0.01 * rng.exponential(size=STEPS))
    lows = np.minimum(opens, closes) * np.exp(-0.01 * rng.exponential(size=STEPS))
    signals = [rng.random(STEPS + 1) < 0.2 for _ in range(4)]
    if not shorts:
        signals[2][:] = signals[3][:] = False
    for flags, left in zip(signals, (False, True, False, True), strict=True):
        flags[-2:] = left  # every position is left at the last open

    terms = Terms(Costs(fees, 0.0), stops=Stops(loss, profit), init_cash=CASH, warmup=1)
    ours = backtest(strategy(*signals), market(opens, closes, highs, lows), terms)

    class Same(theirs.Strategy):  # type: ignore[misc] # of a package without annotations
        """The same decisions, bar by bar."""

        def init(self) -> None:
            """No indicators."""

        def next(self) -> None:
            """Bring the position to the side that the row says; stops are fractions of the next open."""
            row = len(self.data) - 2  # 0 is the origin
            now = int(np.sign(self.position.size))
            then = side_after(now, tuple(bool(flags[row]) for flags in signals))
            if then == now or row == STEPS:
                return
            if now:
                self.position.close()
            entry = opens[row]
            stop = None if loss is None else entry * (1 - then * loss)
            target = None if profit is None else entry * (1 + then * profit)
            if then:
                (self.buy if then > 0 else self.sell)(sl=stop, tp=target)

    first = np.full(2, opens[0])  # a bar that it does not show to strategies, and the origin
    frame = pd.DataFrame(
        {"Open": [*first, *opens], "High": [*first, *highs], "Low": [*first, *lows], "Close": [*first, *closes]},
        index=pd.date_range("2020-01-01", periods=STEPS + 2),
    ).assign(Volume=1.0)
    stats: Any = theirs.Backtest(frame, Same, cash=CASH, commission=fees).run()
    profits = stats["_trades"]["PnL"].to_numpy() - 0.0
    assert ours.trades[0] == len(profits)
    np.testing.assert_allclose(ours.equity[-1, 0], stats["Equity Final [$]"], rtol=1e-9)
    np.testing.assert_allclose(ours.equity[1:, 0], stats["_equity_curve"]["Equity"].to_numpy()[2:], rtol=1e-9)
    np.testing.assert_allclose(ours.gross_profit[0], profits[profits > 0].sum(), rtol=1e-6, atol=1e-6 * CASH)
