"""Accounts that code trades on are opened on the terms of the run, and only where code asks for one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import stresslab as sl
from stresslab.backtest import Costs, Terms, backtest
from stresslab.backtest.opening import Accounts
from stresslab.strategy import load_strategies
from stresslab.strategy.panel import Panel
from tests.make.bars import make_bars

UNIVERSES = sl.StationaryBootstrap().sample(make_bars(300), 40, 5, 1)


def test_decisions_follow_the_costs() -> None:
    """A rule that looks at its equity decides otherwise at other costs; nothing recorded is repeated."""

    def on_bar(state: Any, bar: Any) -> None:
        if state.equity > 0.985 * 100_000 and not state.position:
            state.enter_long()
        elif state.position:
            state.close()

    (strategy,) = load_strategies(on_bar, {})
    free, dear = (backtest(strategy, UNIVERSES, Terms(costs=Costs(fees=fees))) for fees in (0.0, 0.01))
    assert free.trades.sum() > 3 * dear.trades.sum()


def test_each_universe_has_its_own_terms() -> None:
    """Cash of the terms, and the slippage of the universe, which is asked for once."""
    asked: list[int] = []

    def slippage(universes: Any, costs: Costs) -> np.ndarray:
        asked.append(len(universes))
        return np.arange(len(universes))[:, None] * np.full((1, universes.horizon), 0.01)

    accounts = Accounts(UNIVERSES, Terms(init_cash=5000), None, slippage)
    for at in range(len(UNIVERSES)):
        panel = Panel.of(UNIVERSES.take([at]), 20)
        account = accounts(panel)
        account.advance(19)
        assert account.cash == 5000
        account.enter(0, {})
        account.advance(20)
        opened = panel.array("open")[20, 0]
        assert account.trades[0].entry_price == pytest.approx(opened * (1 + 0.01 * at))
    assert asked == [5]
