"""Sensitivity of a strategy to its costs and its parameters."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd

from stresslab.analysis.case import Case, figures
from stresslab.core.errors import StrategyError, StrategyLimitError
from stresslab.strategy import Strategy

COST_FACTORS = (0.0, 1.0, 2.0, 3.0, 5.0)
"""Multiples of the costs at which a strategy is looked at."""


NEARBY = 0.2
"""Part of a parameter by which it is moved down and up."""


PARAMETERS = 6
"""Parameters of a strategy that are moved, about: the first."""


def costs(case: Case) -> list[dict[str, Any]]:
    """The figures at those multiples of trading and borrowing costs that are costs; nothing where there are none."""
    if case.terms.costs.scaled(0.0) == case.terms.costs:
        return []
    return [
        {"factor": factor, **figures(_at_costs(case, factor), case.seed)}
        for factor in COST_FACTORS
        if case.terms.costs.can_be_scaled(factor)
    ]


def parameters(case: Case) -> dict[str, Any] | None:
    """The figures as given, and with each parameter moved down and up, the others as they are.

    Values that the strategy's own code refuses are named beside the rows; None where nothing can be moved.
    """
    strategy = case.strategy
    rows, refused = list[dict[str, Any]](), list[dict[str, Any]]()
    for name, value in moves(strategy):
        other = replace(strategy, parameters={**strategy.parameters, name: value})
        move = {"parameter": name, "value": value}
        try:
            rows.append(move | figures(case.with_strategy(other).metrics, case.seed))
        except StrategyLimitError:
            raise
        except StrategyError:
            refused.append(move)
    if not rows:
        return None
    return {"as_given": figures(case.metrics, case.seed), "moved": rows, "refused": refused}


def moves(strategy: Strategy) -> list[tuple[str, Any]]:
    """The parameters that are moved, each with another value."""
    found = [
        (name, value)
        for name in strategy.parameters
        for value in nearby(strategy.parameters[name], strategy.ranges.get(name))
    ]
    return found[: 2 * PARAMETERS]


def nearby(value: Any, allowed: Any = None) -> list[Any]:
    """The values next to a parameter's own.

    Args:
        value: its own.
        allowed: what is declared of it: a pair, from and to, a list of values, or None.

    Returns:
        Of a list the values before and after; of a number those a fifth down and up, within the pair, whole ones by 1
        at least; nothing for 0 and for what is no number.
    """
    if isinstance(allowed, list):
        at = allowed.index(value)
        return allowed[max(0, at - 1) : at] + allowed[at + 1 : at + 2]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value == 0:
        return []
    step = max(1, round(abs(value) * NEARBY)) if isinstance(value, int) else abs(value) * NEARBY
    ends = [value - step, value + step]
    if allowed is not None:
        ends = [min(max(end, allowed[0]), allowed[1]) for end in ends]
    found = [end if isinstance(value, int) else float(f"{end:.6g}") for end in ends]
    return [end for end in found if end != value]


def _at_costs(case: Case, factor: float) -> pd.DataFrame:
    if factor == 1.0:
        return case.metrics
    return case.measured(case.universes, replace(case.terms, costs=case.terms.costs.scaled(factor)))
