"""What a reader must know before relying on a run."""

from __future__ import annotations

import pandas as pd

from stresslab.analysis.strategy_run import StrategyRun
from stresslab.backtest.evaluate import StrategyEvaluation
from stresslab.runs.notices import of_orders
from stresslab.strategy import load_strategies
from stresslab.strategy.lookahead.check import LookAheadReport


def test_orders_are_looked_at_on_both_sides_of_the_origin() -> None:
    """Contradictions and fills without a trade count on the real bars before the origin and after it."""

    def hold(bars: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        return bars.close > 0, bars.close < 0

    (strategy,) = load_strategies(hold, {})
    before = StrategyEvaluation(pd.DataFrame(), conflicts=2)
    after = StrategyEvaluation(pd.DataFrame(), conflicts=1, untraded=1)
    run = StrategyRun("hold", {}, LookAheadReport(), strategy, backtest=before, realised=after)
    first, second = of_orders([run])
    assert "contradicts itself in 3 real bars" in first
    assert "trades in 1 real bar " in second
    run.realised = None
    run.backtest = StrategyEvaluation(pd.DataFrame())
    assert of_orders([run]) == []
