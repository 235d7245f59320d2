"""Cases: strategies in bootstrap universes, and one with the posterior of its edge."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd

from stresslab.analysis.case import Case
from stresslab.analysis.edge import JudgedEdge, Trials, edge
from stresslab.analysis.planted_losses import planted_losses
from stresslab.backtest import Costs, Terms
from stresslab.data.bars import Bars
from stresslab.generators.bootstrap import StationaryBootstrap
from stresslab.strategy import load_strategies
from tests.make.bars import make_bars


def weights(bars: pd.DataFrame) -> pd.DataFrame:
    """Long above the mean of twenty closes, short below."""
    return 2.0 * (bars.close > bars.close.rolling(20).mean()) - 1.0


@cache
def timed_case() -> tuple[Case, JudgedEdge, dict[str, Any] | None]:
    """A strategy in 150 universes of 40 bars, its edge, and its losses without and with it."""
    history = make_bars(700)
    (strategy,) = load_strategies(weights, {})
    universes = StationaryBootstrap().sample(history, 40, 150, 3)
    case = Case(strategy, universes, history, Terms(costs=Costs(0.0005, 0.0005), warmup=60), seed=3)
    judged = edge(case, Trials(1.0), permutations=99)
    return case, judged, planted_losses(case, judged)


def bootstrap_case(bars: Bars, function: Any, count: int = 200) -> Case:
    """One strategy in bootstrap universes of 60 bars."""
    (strategy,) = load_strategies([function], {})
    return Case(strategy, StationaryBootstrap().sample(bars, 60, count, 5), bars, Terms(), seed=5)
