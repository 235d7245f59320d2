"""A strategy's accounts as the generator gives them, without an edge, and with the one that the real bars support.

The same universes three times, at the close of each bar and inside it; what is asked of them is up to the studies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stresslab.analysis.case import Case
from stresslab.analysis.permutation_test import positions_and_returns
from stresslab.core.arrays import FloatArray
from stresslab.core.randomness import Stream, uniforms
from stresslab.metrics.edge_posterior import EdgePosterior
from stresslab.metrics.planted_edge import TimingRisk, planted_equity, timing_risk

GENERATED, WITHOUT, SUPPORTED = "generated", "without", "supported"


@dataclass(frozen=True, eq=False)
class Side:
    """N accounts over T bars, in units of the initial capital.

    Attributes:
        equity: (T+1, N) at each close, row 0 is 1.
        low: (T, N) least inside each bar.
        high: (T, N) most inside each bar.
    """

    equity: FloatArray
    low: FloatArray
    high: FloatArray

    def planted(self, equity: FloatArray) -> Side:
        """The same accounts with another equity: what that earns more in a bar, its low and high earn more too."""
        before = self.equity[:-1]
        alive = before > 0

        def moved(ends: FloatArray) -> FloatArray:
            gap = np.divide(ends - self.equity[1:], before, out=np.zeros_like(ends), where=alive)
            return np.asarray(equity[1:] + gap * equity[:-1])

        return Side(equity, np.minimum(moved(self.low), equity[1:]), np.maximum(moved(self.high), equity[1:]))


@dataclass(frozen=True, eq=False)
class Sides:
    """The accounts of one strategy by what their timing is worth.

    Attributes:
        by_name: "generated", and where an edge can be planted "without" and "supported".
        position: (T, N) signed fraction of equity held over each bar.
        risk: of the accounts; None where nothing can be planted.
    """

    by_name: Mapping[str, Side]
    position: FloatArray
    risk: TimingRisk | None
    periods_per_year: float

    @property
    def best_known(self) -> str:
        """The side to go by: with the supported edge, where one can be planted."""
        return SUPPORTED if SUPPORTED in self.by_name else GENERATED

    def with_edge(self, sharpe: float) -> Side | None:
        """The accounts where timing is worth the same annual Sharpe ratio in every universe."""
        if self.risk is None:
            return None
        own = self.by_name[GENERATED]
        edge = np.full(own.equity.shape[1], sharpe)
        return own.planted(planted_equity(own.equity, self.risk, edge, self.periods_per_year))


def sides(case: Case, posterior: EdgePosterior | None) -> Sides:
    """The accounts of a case; each universe draws its edge as `analysis.planted_losses` does.

    Args:
        case: the strategy with its universes.
        posterior: of its edge; None where there is none.
    """
    account, periods = case.inside, case.history.periods_per_year
    assert account.low is not None
    assert account.high is not None
    unit = account.init_cash
    own = Side(account.equity / unit, account.low / unit, account.high / unit)
    risk = None if posterior is None else timing_risk(*positions_and_returns(account, case.evaluated), periods)
    found = {GENERATED: own}
    if posterior is not None and risk is not None:
        draws = posterior.quantile(uniforms(case.seed, account.ids, 1, 1, stream=Stream.EDGE)[:, 0, 0])
        for name, edge in ((WITHOUT, np.zeros(len(draws))), (SUPPORTED, draws)):
            spells = posterior.timing_variance(edge, len(account.position))
            found[name] = own.planted(planted_equity(own.equity, risk, edge, periods, spells))
    return Sides(found, account.position, risk, periods)
