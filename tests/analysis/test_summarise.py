"""One strategy summarised: its record, what buy and hold was worth, and what the verdict is given on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from stresslab.analysis.strategy_run import StrategyRun
from stresslab.analysis.summarise import findings_of, held_value, record_of, strategy_result
from stresslab.analysis.verdict import Criteria
from stresslab.backtest import Costs, Terms
from stresslab.backtest.evaluate import StrategyEvaluation, evaluate
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.realism import Trust
from stresslab.strategy import load_strategies
from stresslab.strategy.lookahead.check import LookAheadReport
from tests.make.strategies import hold, trend

FREE = Terms(costs=Costs(0.0, 0.0), warmup=20)


def backtested(sharpe: float, bars: int) -> StrategyEvaluation:
    """A backtest of so many bars with this ratio."""
    return StrategyEvaluation(pd.DataFrame({"sharpe": [sharpe]}), equity=np.ones((bars + 1, 1)))


def test_the_record_by_hand() -> None:
    """Ten years of a ratio of 1: its error is the root of (252 + 1/2) / 2520, one either way (Lo 2002, eq. 9)."""
    found = record_of(backtested(1.0, 2520), 252.0)
    assert found is not None
    error = (252.5 / 2520) ** 0.5
    assert (found.value, found.low, found.high) == pytest.approx((1.0, 1 - error, 1 + error))


@pytest.mark.parametrize(("sharpe", "bars"), [(np.nan, 100), (np.inf, 100), (1.0, 0)])
def test_no_record_without_trades_or_bars(sharpe: float, bars: int) -> None:
    """A ratio that is undefined, and a series without bars, are no record."""
    assert record_of(backtested(sharpe, bars), 252.0) is None


def test_buy_and_hold_is_worth_the_price(bars: Bars) -> None:
    """From the bar before the real series on, dated; without costs it goes with the closes from the first open on."""
    real = Universes.from_bars(bars[100:], bars[:100])
    value = held_value(real, FREE, bars.periods_per_year)
    assert value.index[0] == bars.timestamps[99]
    assert value.index[1:].equals(bars.timestamps[100:])
    expected = FREE.init_cash * bars[100:].values[:, 3] / bars.values[100, 0]
    np.testing.assert_allclose(value.iloc[1:], expected, rtol=1e-9)
    alone = held_value(Universes.from_bars(bars, bars[:0]), FREE, bars.periods_per_year)
    assert len(alone) == len(bars) + 1
    assert alone.index[0] == bars.timestamps[0]


def run_of(bars: Bars, function: Any, universes: Universes) -> StrategyRun:
    """A strategy evaluated in universes and on the real bars before them."""
    (strategy,) = load_strategies(function, {})
    run = StrategyRun(strategy.name, strategy.parameters, LookAheadReport(), strategy)
    given = {"periods_per_year": bars.periods_per_year, "keep_fan": True, "keep_equity": True}
    (run.universes,) = evaluate([strategy], universes, FREE, **given)
    (run.backtest,) = evaluate([strategy], Universes.from_bars(bars, bars[:0]), FREE, **given)
    return run


def test_a_strategy_in_figures(bars: Bars) -> None:
    """Its measures, fan, losses by bar and record are those of its accounts; the verdict counts the same losses."""
    universes = StationaryBootstrap().sample(bars, 30, 80, 1)
    run = run_of(bars, trend, universes)
    findings = findings_of(run, Trust(), (30, bars.periods_per_year), 0.95, 10_000)
    held = held_value(Universes.from_bars(bars, bars[:0]), FREE, bars.periods_per_year)
    found = strategy_result(run, (findings, Criteria()), 1, held)
    returns = run.in_universes.metrics["total_return"]
    assert found.universes.probability_of_loss.value == findings.without.value == (returns < 0).mean()
    assert findings.exposed.value == (run.in_universes.metrics["exposure"] > 0).mean()
    assert found.studies.horizon is not None
    assert found.studies.horizon.losing[-1] == (returns < 0).sum()
    assert found.backtest["total_return"] == run.in_backtest.metrics["total_return"].iloc[0]
    assert (found.realised, found.realised_equity) == (None, None)
    assert found.equity_fan.shape[0] == 31
    assert list(found.equity_fan.iloc[0]) == pytest.approx([FREE.init_cash] * found.equity_fan.shape[1], rel=1e-3)


def test_what_never_trades_was_never_exposed(bars: Bars) -> None:
    """Nor does it lose, and it has no record."""
    universes = StationaryBootstrap().sample(bars, 30, 40, 1)
    run = run_of(bars, lambda one: 0 * hold(one), universes)
    findings = findings_of(run, Trust(True, "thin"), (30, 252.0), 0.95, 40)
    assert (findings.exposed.value, findings.without.value, findings.record) == (0, 0, None)
    assert (findings.trusted, findings.caution, findings.attainable) == (True, "thin", 40)
