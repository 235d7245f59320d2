"""A strategy bar by bar on what really followed, and in a few universes that show how it loses: how it came about.

They are run once more on their own: an account depends on its universe alone. The report draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stresslab.backtest import Terms, backtest
from stresslab.data.bars import FIELDS
from stresslab.data.universes import Universes
from stresslab.strategy import Strategy

WORST = 3
"""Universes that are kept of each strategy."""
PRICES = FIELDS[:4]
COLUMNS = ("universe", "step", *PRICES, "position", "traded", "equity")


def replays(
    strategy: Strategy,
    universes: Universes,
    returns: pd.Series[float],
    terms: Terms,
    followed: Universes | None = None,
    also: Sequence[int] = (),
    count: int = WORST,
) -> pd.DataFrame:
    """Bars, position and account on what really followed, in the universes with the lowest total return, and in others.

    Args:
        strategy: is run on them again.
        universes: N universes of T bars.
        returns: (N,) total return by universe id, in the order of the universes.
        terms: of the accounts.
        followed: the real series after the origin, if there is a full horizon of it.
        also: ids of other universes to keep.
        count: universes kept for their returns; a tie is broken by the lower id.

    Returns:
        T rows of each with the columns `COLUMNS`, the real one (universe `REAL`) first where there is one, then the
        worst, then the others; `step` counts bars from 1, `position` is the signed share of equity held over the bar,
        `traded` what was bought and sold in it over equity, `equity` the account at its close.
    """
    worst = np.argsort(returns.to_numpy(), kind="stable")[:count]
    others = np.flatnonzero(np.isin(universes.ids, also) & ~np.isin(np.arange(len(universes)), worst))
    made = bar_by_bar(strategy, universes.take(np.concatenate([worst, others])), terms)
    return made if followed is None else pd.concat([bar_by_bar(strategy, followed, terms), made], ignore_index=True)


def bar_by_bar(strategy: Strategy, part: Universes, terms: Terms) -> pd.DataFrame:
    """A strategy on N universes of T bars: N T rows with the columns `COLUMNS`, universe after universe."""
    account = backtest(strategy, part, terms)
    steps = part.horizon
    columns: dict[str, NDArray[Any]] = {
        "universe": np.repeat(part.ids, steps),
        "step": np.tile(np.arange(1, steps + 1), len(part)),
    }
    for name in PRICES:
        columns[name] = part.values[:, :, FIELDS.index(name)].reshape(-1).astype(np.float64)  # (count T,)
    columns |= {
        "position": account.position.T.reshape(-1),
        "traded": account.traded.T.reshape(-1),
        "equity": account.equity[1:].T.reshape(-1),
    }
    return pd.DataFrame(columns)
