"""The order of a grid's sets and what the best of them is worth: what stands above their table."""

from __future__ import annotations

import math

from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.report.wording import clean, percent, share


def is_set(result: StressResult, one: StrategyResult) -> bool:
    """Whether a strategy is one set of a grid."""
    return bool(result.grid) and one.name.endswith("]")


def ranked(result: StressResult) -> list[int] | None:
    """Places of all strategies, the best on the real bars before the origin first; None where there is no grid.

    That is how a set would be chosen; what is no set, such as a portfolio, comes last.
    """
    sets = [is_set(result, one) for one in result.strategies]
    if sum(sets) < 2:
        return None

    def key(at: int) -> tuple[bool, float]:
        earned = result.strategies[at].backtest_return
        return not sets[at], math.inf if earned is None or not math.isfinite(earned) else -earned

    return sorted(range(len(sets)), key=key)


def discount(result: StressResult) -> str:
    """The best set on the real bars, and what is left of it after so many were tried; empty where there is no grid."""
    order = ranked(result)
    if order is None:
        return ""
    best, count = result.strategies[order[0]], sum(is_set(result, one) for one in result.strategies)
    text = (
        f"Best of {count:,} sets on the real bars: {clean(best.name)} ({percent(best.backtest_return, signed=True)})."
    )
    found = result.studies.selection
    deflated = None if found is None else found.deflated_sharpe.get(best.name)
    if found is not None and deflated is not None and deflated.deflated is not None:
        text += (
            f" Taken alone, its Sharpe ratio is above 0 with a probability of {_chance(deflated.probabilistic)}; above "
            f"the best that as many sets without skill would show, {_chance(deflated.deflated)}."
        )
    if best.edge is not None and best.edge.posterior is not None:
        text += (
            f" As the best of {best.edge.trials.count:.3g} trials its edge is real with a probability of "
            f"{_chance(best.edge.posterior.probability)}."
        )
    if found is not None and found.overfitting is not None and found.overfitting.probability is not None:
        text += f" Choosing the best set chooses noise with a probability of {share(found.overfitting.probability)}."
    return text


def _chance(value: float | None) -> str:
    return "–" if value is None else share(value)
