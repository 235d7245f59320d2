"""What accounts over several symbols were worth inside bars, from what they held and where each price went.

Accounts of one symbol are valued inside bars as they are walked (`event_fills`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stresslab.backtest.result import JointBacktest
from stresslab.core.arrays import FloatArray
from stresslab.data.bars import FIELDS
from stresslab.data.market_index import IndexUniverses

_OPEN, _HIGH, _LOW, _CLOSE = (FIELDS.index(name) for name in ("open", "high", "low", "close"))


def with_extremes(account: JointBacktest, universes: IndexUniverses) -> JointBacktest:
    """The accounts with the least and the most they were worth inside each bar.

    Equity after the fills of the open is E / (1 + sum w_k (c_k / o_k - 1)), E being that at the close; from there every
    symbol moves against the account, or with it, at once: bounds, since highs and lows of one bar come at different
    times.
    """
    values = np.asarray(universes.symbols, dtype=np.float64)  # (N, K, T, F)
    opened = values[..., _OPEN]
    moves = {name: (values[..., at] / opened - 1.0).transpose(1, 2, 0) for name, at in _MOVES.items()}  # (K, T, N)
    held, closed = account.positions, account.equity[1:]
    kept = 1.0 + (held * moves["close"]).sum(axis=0)  # (T, N)
    filled: FloatArray = np.where(kept > 0, closed / np.where(kept > 0, kept, 1.0), closed)
    worse, better = (
        filled * (1.0 + choose(held * moves["high"], held * moves["low"]).sum(axis=0))
        for choose in (np.minimum, np.maximum)
    )
    return replace(
        account,
        low=np.minimum(np.minimum(worse, filled), closed),
        high=np.maximum(np.maximum(better, filled), closed),
    )


_MOVES = {"high": _HIGH, "low": _LOW, "close": _CLOSE}
