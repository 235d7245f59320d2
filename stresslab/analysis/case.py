"""What is asked of a strategy beyond the distribution of its results: edge, fragility, shocks, breaking, contrasts.

Each study runs the strategy where it has to and hands the figures to the formulas; answers are plain JSON, as in
`result.json`. Dates other than the run's origin are `stresslab.analysis.walk_forward`' business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from stresslab.analysis.permutation_test import (
    timing_in_universes,
)
from stresslab.backtest import Backtest, Terms, backtest
from stresslab.backtest.evaluate import evaluate
from stresslab.core.plain_json import plain
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.metrics.distribution import (
    DRAWDOWNS,
    expected_shortfall,
    probability_of_drawdown,
    probability_of_loss,
    wilson,
)
from stresslab.metrics.market_timing import Timing
from stresslab.strategy import Strategy

STUDIED = 2000
"""Universes that studies look at, at most: the first of the run."""
STRATEGIES = 12
"""Strategies of a run that are studied, at most; in a larger grid only what costs nothing is asked of each."""


@dataclass(frozen=True, eq=False)
class Frozen:
    """Bars that a strategy had not been fitted to, since it was frozen before them.

    Attributes:
        bars: all real bars, those before included.
        since: the last bar that had been seen when it was frozen.
        looks: how often those after it were looked at, this time included.
    """

    bars: Bars
    since: pd.Timestamp
    looks: int


@dataclass(frozen=True, eq=False)
class Case:
    """One strategy and what it is studied in.

    Attributes:
        strategy: whose logic is asked.
        universes: the first `STUDIED` of the run.
        history: real bars up to the origin.
        terms: of the accounts.
        seed: of the run.
        jobs: processes.
        followed: the real series after the origin; None without a full horizon of it.
        frozen: what followed since it was frozen; None for a strategy that was not.
        others: universes of other generators by name, for how far a figure depends on the choice of one.
    """

    strategy: Strategy
    universes: Universes
    history: Bars
    terms: Terms
    seed: int = 0
    jobs: int = 1
    followed: Universes | None = None
    frozen: Frozen | None = None
    others: Mapping[str, Universes] = field(default_factory=dict)

    @cached_property
    def account(self) -> Backtest:
        """The strategy's accounts in these universes."""
        return backtest(self.strategy, self.universes, self.terms, periods_per_year=self.history.periods_per_year)

    @cached_property
    def timing(self) -> Timing:
        """Its timing in these universes."""
        return timing_in_universes(self.account, self.universes, self.history.periods_per_year)

    def measured(self, universes: Universes, terms: Terms | None = None) -> pd.DataFrame:
        """All measures of the strategy in other universes, or on other terms."""
        (found,) = evaluate(
            [self.strategy], universes, terms or self.terms, periods_per_year=self.history.periods_per_year
        )
        return found.metrics


def figures(metrics: pd.DataFrame, seed: int = 0) -> dict[str, Any]:
    """The figures of fragility, each with its Monte Carlo interval.

    Args:
        metrics: one row per universe.
        seed: of the shortfall's bootstrap.
    """
    returns, drawdowns = metrics["total_return"], metrics["max_drawdown"]
    return {
        "universes": len(metrics),
        "probability_of_loss": probability_of_loss(returns).to_dict(),
        "probability_of_drawdown": {
            str(depth): probability_of_drawdown(drawdowns, depth).to_dict() for depth in DRAWDOWNS
        },
        "expected_shortfall_97_5": expected_shortfall(returns, seed=seed).to_dict(),
        "median_return": plain(float(returns.median())),
        "time_under_water": plain(float(metrics["time_under_water"].median())),
        "ruined": wilson(int((returns <= -1).sum()), len(metrics)).to_dict(),
    }
