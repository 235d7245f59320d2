"""Walk-forward re-optimisation: parameters chosen before each window of real bars, judged as one procedure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stresslab.analysis.edge import Fresh, JudgedEdge, judge_edge
from stresslab.analysis.permutation_test import positions_and_returns
from stresslab.backtest import Terms, backtest
from stresslab.core.plain_json import plain
from stresslab.data.bars import Bars
from stresslab.data.universes import Universes
from stresslab.metrics.fresh_evidence import Reoptimised, fresh_timing, reoptimise
from stresslab.metrics.multiple_testing import sharpe_of
from stresslab.strategy import Strategy


def reoptimisation(strategies: Sequence[Strategy], history: Bars, terms: Terms) -> dict[str, Any] | None:
    """The procedure that trades in each window the strategy that was best before it, as plain JSON.

    Every return of it is out of sample, so nothing is selected: its edge is judged at one trial.

    Args:
        strategies: the sets of a grid.
        history: real bars up to the origin.
        terms: of the accounts.

    Returns:
        None for fewer than two strategies, or bars too few for the windows.
    """
    found = procedure(strategies, history, terms)
    if found is None:
        return None
    made, edge = found
    ratio = float(sharpe_of(made.returns[:, None])[0]) * math.sqrt(history.periods_per_year)
    stamps = history.timestamps[len(history) - len(made.position) :]
    return {
        "windows": [
            {"start": str(stamps[start]), "strategy": strategies[chosen].name}
            for start, chosen in zip(made.starts, made.chosen, strict=True)
        ],
        "bars": len(made.returns),
        "sharpe": plain(ratio),
        "total_return": plain(float(np.prod(1 + made.returns) - 1)),
        "edge": edge.to_dict() | {"losses": None},
    }


def procedure(strategies: Sequence[Strategy], history: Bars, terms: Terms) -> tuple[Reoptimised, JudgedEdge] | None:
    """The stitched account and the edge of the procedure; see `reoptimisation`."""
    if len(strategies) < 2:
        return None
    warm = max(1, min(terms.warmup, len(history) // 2))
    real = Universes.from_bars(history[warm:], history[:warm])
    accounts = [backtest(one, real, terms, periods_per_year=history.periods_per_year) for one in strategies]
    equity = np.column_stack([account.equity[:, 0] for account in accounts])  # (T + 1, M)
    before = np.where(equity[:-1] > 0, equity[:-1], np.inf)
    pairs = [positions_and_returns(account, real) for account in accounts]
    cost = terms.costs.fees + terms.costs.slippage
    made = reoptimise((equity[1:] - equity[:-1]) / before, np.stack([held[:, 0] for held, _ in pairs], axis=1), cost)
    if made is None:
        return None
    start = int(made.starts[0])
    timing = fresh_timing(made.position, pairs[0][1][:, 0], start, history.periods_per_year)
    return made, judge_edge(None, fresh=Fresh(timing, str(history.timestamps[warm + start - 1])))
