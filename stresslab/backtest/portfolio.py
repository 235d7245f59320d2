"""A portfolio: several strategies, each trading its own share of the capital; their accounts are added up.

Capital is never moved between them: a strategy that loses is not topped up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from stresslab.backtest.result import Backtest
from stresslab.core.arrays import FloatArray
from stresslab.core.errors import InputError
from stresslab.core.text import did_you_mean

PORTFOLIO = "portfolio"
"""Name of the portfolio among the strategies of a result."""


def check_portfolio(weights: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    """Check the shares of capital of a portfolio and return them.

    Args:
        weights: share of the initial capital by name of the strategy; the rest stays in cash.
        names: of all strategies.

    Raises:
        InputError: a name is unknown, a share is not above 0, or all of them exceed the capital.
    """
    for name, share in weights.items():
        if name not in names:
            raise InputError(f"portfolio {name}={share}: no strategy is called {name!r}{did_you_mean(name, names)}")
        if isinstance(share, bool) or not math.isfinite(share) or share <= 0:
            raise InputError(f"portfolio {name}={share}: a share of the capital is a number above 0, such as 0.5")
    if math.fsum(weights.values()) > 1 + 1e-9:
        raise InputError(
            f"portfolio: the shares add up to {math.fsum(weights.values()):g} of the capital; give at most 1 in all"
        )
    if PORTFOLIO in names:
        raise InputError(f"the name {PORTFOLIO!r} stands for all strategies together; rename the strategy that has it")
    return {name: float(share) for name, share in weights.items()}


def combine(parts: Sequence[Backtest], init_cash: float) -> Backtest:
    """Add up accounts of the same universes.

    Args:
        parts: accounts whose initial cash adds up to at most `init_cash`.
        init_cash: of the portfolio; what no part uses lies idle.

    Returns:
        The portfolio's accounts. Position and turnover are those of the parts, netted, as fractions of its equity at
        the previous close; trades and profits are the parts' sums. A portfolio whose equity reaches zero at a close
        is ruined and frozen there.
    """
    idle: float = init_cash - math.fsum(part.init_cash for part in parts)
    equity = idle + np.sum([part.equity for part in parts], axis=0)  # (T+1, N)
    alive = np.logical_and.accumulate(equity > 0, axis=0)
    ends = np.take_along_axis(equity, np.minimum(alive.sum(axis=0), len(equity) - 1)[None], axis=0)
    before = equity[:-1]

    def shared(values: Sequence[FloatArray]) -> FloatArray:
        """Fractions of the parts' equity as fractions of the portfolio's (T, N)."""
        money = np.sum([value * part.equity[:-1] for value, part in zip(values, parts, strict=True)], axis=0)
        return np.asarray(np.divide(money, before, out=np.zeros_like(before), where=alive[:-1]))

    sums = {
        name: np.sum([getattr(part, name) for part in parts], axis=0)
        for name in ("trades", "wins", "gross_profit", "gross_loss", "interest")
    }
    return Backtest(
        equity=np.where(alive, equity, ends),
        position=shared([part.position for part in parts]),
        traded=shared([part.traded for part in parts]),
        **sums,
        ruined=~alive[-1],
        ids=parts[0].ids,
        timestamps=parts[0].timestamps,
        init_cash=init_cash,
    )
