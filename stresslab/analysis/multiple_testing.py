"""What choosing among the strategies of a run does to their backtests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.analysis.edge import Trials
from stresslab.analysis.result import StrategyResult
from stresslab.analysis.strategy_run import StrategyRun
from stresslab.backtest.evaluate import curves
from stresslab.metrics.multiple_testing import (
    SPLITS,
    deflated_sharpe,
    effective_trials,
    probability_of_overfitting,
    sharpe_of,
    superior_ability,
)
from stresslab.metrics.paired import correlations, differences
from stresslab.metrics.performance import bar_returns


def selection(
    returns: Mapping[str, NDArray[np.float64]],
    benchmark: NDArray[np.float64],
    trials: float | None,
    seed: int = 0,
    counted: Callable[[float], float] = float,
) -> dict[str, Any]:
    """What choosing among strategies does to their backtests on the real bars before the origin.

    Args:
        returns: (T,) bar returns by strategy.
        benchmark: (T,) of buy and hold.
        trials: variants that were tried, the strategies here included; None assumes `ASSUMED_TRIALS` at least.
        seed: of the bootstrap.
        counted: independent trials on these bars, from those that the strategies here amount to: what a ledger adds.

    Returns:
        Deflated Sharpe ratio of each; of several strategies the probability of overfitting and Hansen's test too.
    """
    table = np.column_stack(list(returns.values()))  # (T, M)
    own = effective_trials(table, benchmark) if table.shape[1] > 1 else 1.0
    known = max(own, counted(own))
    assumed = Trials.of(known, trials)
    tried = assumed.count
    number = max(tried, table.shape[1])  # all of them: the variance over trials holds their correlation already
    sharpes = sharpe_of(table)
    defined = sharpes[np.isfinite(sharpes)]
    variance = float(defined.var(ddof=1)) if len(defined) > 2 else None
    if variance is not None and tried > table.shape[1]:  # of those tried elsewhere: chance alone makes so much
        variance = max(variance, 1 / (len(table) - 1))
    found: dict[str, Any] = {
        "strategies": table.shape[1],
        "trials": None if trials is None else float(trials),
        "own_trials": own,
        "effective_trials": tried,
        "assumed": assumed.assumed,
        "deflated_sharpe": {name: deflated_sharpe(one, number, variance).to_dict() for name, one in returns.items()},
        "overfitting": None,
        "superior_ability": None,
    }
    if table.shape[1] > 1 and len(table) >= 4 * SPLITS:
        found["overfitting"] = probability_of_overfitting(table).to_dict()
        superior, names = superior_ability(table, benchmark, seed=seed), list(returns)
        found["superior_ability"] = superior.to_dict() | {"superior": [names[at] for at in superior.superior]}
    return found


MAX_CORRELATED = 30
"""Strategies whose correlations are written down, at most."""


def compare_strategies(
    results: list[StrategyResult],
    runs: list[StrategyRun],
    held: NDArray[np.float64],
    trials: float | None,
    seed: int,
    counted: Callable[[float], float] = float,
) -> dict[str, Any]:
    """What is known of all strategies of a run together: paired differences, correlations, and their selection.

    Args:
        results: of the strategies, and the portfolio where there is one.
        runs: of the same.
        held: (T,) value of buy and hold on the real bars before the origin.
        trials: variants that were reported; None where none were.
        seed: of the run.
        counted: independent trials on these bars, from those that the strategies here amount to: what a ledger adds.
    """
    returns = pd.DataFrame({one.name: one.metrics["total_return"] for one in results})
    equities = {run.name: curves(run.in_backtest)[:, 0] for run in runs if run.strategy is not None}
    return {
        "pairs": [one.to_dict() for one in differences(returns)] if len(results) > 1 else [],
        "correlations": correlations(returns) if 1 < len(results) <= MAX_CORRELATED else {},
        "selection": selection(
            {name: _bar_returns(own) for name, own in equities.items()}, _bar_returns(held), trials, seed, counted
        ),
    }


def _bar_returns(equity: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(bar_returns(equity[:, None])[:, 0])
