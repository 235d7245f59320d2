"""How large a strategy can be traded: sizes, the largest that keeps a limit, and Kelly's, without and with its edge."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from stresslab.analysis.limit_rules import Limit
from stresslab.analysis.result_decisions import SizeStudy
from stresslab.analysis.sides import Side, Sides
from stresslab.core.errors import InputError
from stresslab.metrics.edge_posterior import EdgePosterior
from stresslab.metrics.position_size import SIZES, SizedReturns, kelly_size, largest_size, size_outcomes

FRACTIONS = {"full": 1.0, "half": 0.5, "quarter": 0.25}
"""Shares of Kelly's size that are looked at."""


@dataclass(frozen=True)
class SizePlan:
    """What sizes are asked for.

    Attributes:
        limit: on a drawdown.
        sizes: multiples of the strategy's own size.
        most: largest multiple looked at.
        borrow_rate: interest a year on what is held beyond the equity.
        maintenance: share of the value held that equity must exceed inside each bar.
        max_leverage: most that may be held over equity.
    """

    limit: Limit
    sizes: tuple[float, ...] = SIZES
    most: float = 10.0
    borrow_rate: float = 0.06
    maintenance: float = 0.25
    max_leverage: float = math.inf

    def __post_init__(self) -> None:
        """Refuse a limit that no size can be chosen by."""
        if self.limit.measure != "drawdown" or not self.limit.most:
            raise InputError(
                f"limit {str(self.limit)!r} chooses no size; write one on a drawdown: P(drawdown > 20%) <= 5%"
            )

    @classmethod
    def of(cls, limit: str) -> SizePlan:
        """The sizes that a limit is asked for with, on the default terms of credit."""
        return cls(Limit.parse(limit))

    def up_to_most(self) -> SizePlan:
        """The same without sizes above the largest one looked at."""
        return replace(self, sizes=tuple(size for size in self.sizes if size <= self.most) or (self.most,))

    @property
    def depth(self) -> float:
        """Of the drawdown."""
        assert self.limit.parameter is not None
        return self.limit.parameter


def size_study(accounts: Sides, posterior: EdgePosterior | None, plan: SizePlan, seed: int) -> SizeStudy:
    """Sizes of one strategy, in the same universes by what its timing is worth.

    The best size if the record's own estimate were the truth is what a backtest suggests; how much smaller it is with
    the posterior, which knows selection and estimation error, is the haircut.

    Args:
        accounts: of the strategy.
        posterior: of its edge; None where there is none.
        plan: what is asked.
        seed: of the bootstrap.
    """
    found = {name: _side(side, accounts, plan, seed) for name, side in accounts.by_name.items()}
    judged, plug_in, haircut = accounts.best_known, None, None
    if posterior is not None and posterior.evidence:
        at_estimate = accounts.with_edge(posterior.evidence[0].sharpe)
        if at_estimate is not None:
            plug_in = kelly_size(sized(at_estimate, accounts, plan), plan.most, seed).size
            if plug_in > 0:
                haircut = 1.0 - found[judged]["kelly"]["value"] / plug_in
    own = accounts.by_name["generated"]
    return SizeStudy.of(
        {
            "limit": str(plan.limit),
            "depth": plan.depth,
            "share": plan.limit.bound,
            "universes": own.equity.shape[1],
            "horizon": len(own.low),
            "credit": {
                "borrow_rate": plan.borrow_rate,
                "maintenance": plan.maintenance,
                "max_leverage": plan.max_leverage,
            },
            "sides": found,
            "judged": judged,
            "estimate_kelly": plug_in,
            "haircut": haircut,
        }
    )


def sized(side: Side, accounts: Sides, plan: SizePlan) -> SizedReturns:
    """Accounts of one side on the plan's terms of credit, ready to be sized."""
    credit = {
        "borrow_rate": plan.borrow_rate,
        "maintenance": plan.maintenance,
        "most_leverage": plan.max_leverage,
    }
    return SizedReturns.of(side.equity, accounts.position, accounts.periods_per_year, side.low, **credit)


def _side(side: Side, accounts: Sides, plan: SizePlan, seed: int) -> dict[str, Any]:
    at_sizes = sized(side, accounts, plan)
    kelly = kelly_size(at_sizes, plan.most, seed)
    shares = {name: share * kelly.size for name, share in FRACTIONS.items()} if kelly.size > 0 else {}
    fractions = size_outcomes(at_sizes, plan.depth, tuple(shares.values()))
    return {
        "rows": size_outcomes(at_sizes, plan.depth, plan.sizes),
        "largest": largest_size(at_sizes, plan.depth, plan.limit.bound, plan.most),
        "kelly": {"value": kelly.size, "low": kelly.low, "high": kelly.high},
        "fractions": dict(zip(shares, fractions, strict=True)),
    }
