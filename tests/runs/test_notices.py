"""What a reader must know before relying on a run."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from stresslab.analysis.result_models import Edge
from stresslab.analysis.strategy_run import StrategyRun
from stresslab.backtest.evaluate import StrategyEvaluation
from stresslab.runs.notices import of_orders, of_unassessed
from stresslab.strategy import load_strategies
from stresslab.strategy.lookahead.check import LookAheadReport
from tests.make.cases import timed_case
from tests.make.results import make_result


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


def test_whose_edge_was_not_assessed_is_said() -> None:
    """A strategy beyond those that are studied is named with the reason, and so is a portfolio."""
    _, edge, losses = timed_case()
    found = Edge.of(edge.to_dict() | {"losses": losses})
    first, second = make_result("follow", "hold", universes=50).strategies
    judged = replace(first, edge=found)
    assert of_unassessed([judged]) == []
    (notice,) = of_unassessed([judged, second])
    assert notice.startswith("The edge of hold was not assessed")
    assert "12 strategies with the best backtests" in notice
    (notice,) = of_unassessed([judged, replace(second, name="portfolio")])
    assert "has no rule of its own" in notice
    (notice,) = of_unassessed([second] * 3)
    assert notice.startswith("The edge of 3 strategies")
