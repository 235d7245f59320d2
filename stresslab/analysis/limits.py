"""Whether a strategy keeps its limits: on the distribution of its results, and on an account that is held to rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from stresslab.analysis.limit_rules import RULES, Limit
from stresslab.analysis.result_decisions import LimitStudy
from stresslab.analysis.sides import Side, Sides
from stresslab.core.errors import InputError
from stresslab.metrics.account_rules import OPEN, PASSED, AccountRules, EquityInBars, RuleOutcomes, rule_outcomes
from stresslab.metrics.distribution import (
    Interval,
    expected_shortfall,
    quantile_interval,
    value_at_risk,
    wilson,
)


@dataclass(frozen=True)
class LimitPlan:
    """What a strategy is held to.

    Attributes:
        limits: each with its bound.
        rules: of the account; None where there are none.
        universes: "generated", "without" or "supported": the side on which limits are judged.
    """

    limits: tuple[Limit, ...]
    rules: AccountRules | None = None
    universes: str = "generated"

    def recorded(self) -> dict[str, Any]:
        """As a file of limits holds it, for a run's record."""
        rules = {} if self.rules is None else {"account": asdict(self.rules)}
        return {"universes": self.universes, "limits": [str(limit) for limit in self.limits], **rules}

    def __post_init__(self) -> None:
        """Refuse limits on rules that are not there."""
        for limit in self.limits:
            if limit.measure == "pass" and (self.rules is None or self.rules.profit_target is None):
                raise InputError(f"limit {str(limit)!r}: there is no profit_target to pass; add one under `account`")
            if limit.measure in RULES and (self.rules is None or getattr(self.rules, limit.measure) is None):
                raise InputError(f"limit {str(limit)!r}: there is no {limit.measure}; add one under `account`")


def limit_study(
    accounts: Sides, plan: LimitPlan, timestamps: pd.DatetimeIndex, seed: int, judged: str = ""
) -> LimitStudy:
    """Every limit with its estimate, its interval and whether it is kept; what ends accounts that are held to rules.

    A limit is kept or broken where the 95% interval lies on one side of its bound; else it is undecided.

    Args:
        accounts: of the strategy.
        plan: what it is held to.
        timestamps: (T,) of the bars; a day is one of the calendar.
        seed: of the shortfall's bootstrap.
        judged: the side by which it is judged; the plan's by default, as generated where there is none.
    """
    judged = judged or (plan.universes if plan.universes in accounts.by_name else "generated")
    ended = {
        name: None if plan.rules is None else rule_outcomes(_in_bars(side, timestamps), plan.rules)
        for name, side in accounts.by_name.items()
    }
    answers = []
    for limit in plan.limits:
        found = {name: _estimate(limit, side, ended[name], seed) for name, side in accounts.by_name.items()}
        own = found[judged]
        answers.append(
            {
                "limit": str(limit),
                "bound": limit.bound,
                "estimate": own,
                "passed": limit.answer(own.value, own.low, own.high),
                "sides": {name: one.value for name, one in found.items()},
            }
        )
    own_side = accounts.by_name[judged]
    return LimitStudy.of(
        {
            "universes": own_side.equity.shape[1],
            "horizon": len(own_side.low),
            "judged": judged,
            "answers": answers,
            "rules": None if plan.rules is None else asdict(plan.rules),
            "outcomes": {name: _outcomes(one) for name, one in ended.items() if one is not None},
        }
    )


def _in_bars(side: Side, timestamps: pd.DatetimeIndex) -> EquityInBars:
    days = timestamps.normalize().asi8
    return EquityInBars(side.equity[1:], side.low, side.high, np.unique(days, return_inverse=True)[1])


def _estimate(limit: Limit, side: Side, ended: RuleOutcomes | None, seed: int) -> Interval:
    """What a limit is on, with its interval."""
    equity, count = side.equity, side.equity.shape[1]
    returns = equity[-1] - 1.0
    if limit.measure == "VaR":
        return value_at_risk(returns, limit.parameter or 0.95)
    if limit.measure == "ES":
        return expected_shortfall(returns, limit.parameter or 0.975, seed=seed)
    if limit.measure == "drawdown":
        falls = (1.0 - equity / np.maximum.accumulate(equity, axis=0)).max(axis=0)
        return wilson(int((falls > (limit.parameter or 0.0)).sum()), count)
    if limit.measure == "loss":
        return wilson(int((returns < 0).sum()), count)
    if limit.measure == "ruin":
        return wilson(int((equity[-1] <= 0).sum()), count)
    assert ended is not None
    name = PASSED if limit.measure == "pass" else limit.measure
    return wilson(int((ended.ended_by == name).sum()), count)


def _outcomes(ended: RuleOutcomes) -> Sequence[dict[str, Any]]:
    """How probable each end is, and after how many days it comes where it does."""
    count, rows = len(ended.ended_by), []
    for name in (PASSED, *RULES, OPEN):
        hit = ended.ended_by == name
        if not hit.any() and name not in (PASSED, OPEN):
            continue
        days = None if name == OPEN or not hit.any() else quantile_interval(ended.days[hit], 0.5)
        rows.append({"name": name, "probability": wilson(int(hit.sum()), count), "days": days})
    return rows
